"""A search whose networks are held to a budget: all within it, none twice, over sessions, warm starts and replays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.decisions.playing import FACTS, conductor_of, new_record, play, space_of
from wrn_search.networks.parameters_and_macs import num_params
from wrn_search.results.events import Known
from wrn_search.results.events_jsonl import Record
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.space import Space
from wrn_search.space.trial_config import LEAVES, TrialConfig
from wrn_search.space.trials_of_other_spaces import hparams_within

MODEL = {
    "depth": {"int": [10, 40]},
    "widen_factor": {"uniform": [0.25, 4]},
    "block": {"choice": ["B(3,3)", "B(3,1,3)"]},
}
BUDGET = {"num_params": {"target": 1e5, "tolerance": "20%"}}


def budgeted(**search: Any) -> Space:
    return space_of(model=MODEL, constraints=BUDGET, search={"trials": 30, "searcher": "tpe"} | search)


def falling(assignment: Any, epoch: int) -> float:
    return 60.0 - epoch + abs(assignment.config.depth - 22) / 4


@pytest.mark.parametrize("name", SEARCHERS)
@pytest.mark.parametrize("scheduler", ["none", "asha"])
def test_every_network_is_within_the_budget_and_none_comes_twice(
    name: str, scheduler: str, tmp_path: Path
) -> None:
    space = budgeted(searcher=name, scheduler=scheduler, anchors=0.2)
    with new_record(tmp_path / "e", space) as record:
        conductor = conductor_of(space, record, concurrent=3)
        play(conductor, falling)
        trials = list(conductor.state.trials.values())

    assert len(trials) == min(30, space.size or 0)
    assert all(0.8e5 <= trial.num_params <= 1.2e5 for trial in trials)
    assert len({tuple(trial.hparams.values()) for trial in trials}) == len(trials)
    assert {tuple(trial.hparams) for trial in trials} == {("depth", "widen_factor", "block")}


@pytest.mark.parametrize("reports", [1, 30, 77])
def test_a_killed_search_goes_on_as_if_nothing_had_happened(reports: int, tmp_path: Path) -> None:
    space = budgeted(anchors=0.2)
    found = []
    for path, most in ((tmp_path / "a", float("inf")), (tmp_path / "b", reports)):
        with new_record(path, space) as record:
            play(conductor_of(space, record), falling, most)
        with Record.open(path) as record:
            conductor = conductor_of(space, record)
            play(conductor, falling)
            found.append([trial.hparams for trial in conductor.state.trials.values()])

    assert found[0] == found[1]


def test_trials_of_another_budget_lie_outside() -> None:
    space = budgeted()
    inside, outside = (
        TrialConfig(**{**_leaves(space), "depth": depth, "widen_factor": k}, dataset=space.dataset, seed=0)
        for depth, k in ((10, 1.125), (40, 4.0))
    )

    assert hparams_within(space, inside.to_dict()) == {"depth": 10, "widen_factor": 1.125, "block": "B(3,3)"}
    assert hparams_within(space, outside.to_dict()) is None


def test_a_warm_start_hears_of_networks_within_the_budget_alone(tmp_path: Path) -> None:
    space = budgeted()
    told = [(10, 1.125, 20.0), (40, 4.0, 1.0)]
    with new_record(tmp_path / "e", space) as record:
        conductor = conductor_of(space, record)
        for place, (depth, k, error) in enumerate(told):
            leaves = {**_leaves(space), "depth": depth, "widen_factor": k}
            record.append(Known("other", str(place), leaves, True, {"10": error}, "split", 10))
        play(conductor, falling, 60)

    assert all(0.8e5 <= trial.num_params <= 1.2e5 for trial in conductor.state.trials.values())


def test_anything_else_of_the_space_is_searched_beside_it(tmp_path: Path) -> None:
    space = space_of(
        model=MODEL | {"dropout": {"uniform": [0.0, 0.5]}},
        constraints=BUDGET,
        search={"trials": 20, "searcher": "tpe"},
    )
    with new_record(tmp_path / "e", space) as record:
        conductor = conductor_of(space, record)
        play(conductor, falling)
        trials = list(conductor.state.trials.values())

    assert len({trial.hparams["dropout"] for trial in trials}) == 20
    for trial in trials:
        network = TrialConfig.from_dict(trial.config).architecture
        assert trial.num_params == num_params(network, FACTS.num_classes, 1)


def _leaves(space: Space) -> dict[str, Any]:
    hparams = space.hparams_at(dict.fromkeys(space.searched.hyperparameters, 0) | {"block": "B(3,3)"})
    config = space.trial_config(hparams, 0, precision="fp32", compile="off")
    return {name: getattr(config, name) for name in LEAVES}
