"""Hyperparameters that apply only where others have certain values: drawn, learned of and recorded only there."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.decisions.playing import conductor_of, new_record, play, space_of
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.results.state_from_events import fold
from wrn_search.results.table_writer import trials_table
from wrn_search.searchers.searcher import Full, SearchedSpace
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.searchers.tpe import TpeSearcher
from wrn_search.space.domains import Condition, Uniform, finite_values
from wrn_search.space.space import Space
from wrn_search.space.trials_of_other_spaces import hparams_within

WIDE = {"widen_factor": {"min": 4}}
MODEL: dict[str, Any] = {
    "depth": 10,
    "widen_factor": {"choice": [1, 2, 4, 8]},
    "dropout": {"uniform": [0.1, 0.5], "when": WIDE},
}
FINITE = MODEL | {
    "dropout": {"choice": [0.1, 0.2, 0.3], "when": WIDE},
    "init": {"choice": ["fan_in", "fan_out"]},
}
CONTINUOUS = [name for name, kind in SEARCHERS.items() if not kind.needs_finite_space]


def error(assignment: Any, epoch: int) -> float:
    return 60.0 - epoch - assignment.config.widen_factor + 20 * assignment.config.dropout


def played(path: Path, space: Space, most: float = float("inf")) -> list[Any]:
    record = Record.open(path) if path.exists() else new_record(path, space)
    with record:
        conductor = conductor_of(space, record)
        play(conductor, error, most)
        return list(conductor.state.trials.values())


@pytest.mark.parametrize("name", CONTINUOUS)
def test_it_is_null_where_it_does_not_apply_and_trained_with_the_default(name: str, tmp_path: Path) -> None:
    trials = played(tmp_path / "e", space_of(model=MODEL, search={"searcher": name, "trials": 24}))

    narrow = [trial for trial in trials if trial.config["widen_factor"] < 4]
    # Two networks to which it does not apply are two configurations, whatever was drawn for it.
    assert [trial.hparams["dropout"] for trial in narrow] == [None, None]
    assert {trial.config["dropout"] for trial in narrow} == {0.0}
    assert len(trials) == 24
    assert all(0.1 <= trial.hparams["dropout"] <= 0.5 for trial in trials if trial not in narrow)


def test_the_record_reads_again_and_the_table_has_null(tmp_path: Path) -> None:
    space = space_of(model=MODEL, search={"searcher": "random", "trials": 12})
    played(tmp_path / "e", space)

    state = fold(read_events(tmp_path / "e"))
    rows = trials_table(state).to_pylist()
    assert all((row["dropout"] is None) == (row["widen_factor"] < 4) for row in rows)
    assert any(row["dropout"] is None for row in rows)
    assert all(row["weight_decay"] == 5e-4 for row in rows)
    for trial in state.trials.values():
        assert hparams_within(space, trial.config) == trial.hparams


@pytest.mark.parametrize("name", SEARCHERS)
def test_a_finite_space_is_tried_whole_and_nothing_twice(name: str, tmp_path: Path) -> None:
    space = space_of(model=FINITE, search={"searcher": name, "scheduler": "none", "trials": 99})
    found = [tuple(trial.hparams.values()) for trial in played(tmp_path / "e", space)]

    inits = ("fan_in", "fan_out")
    wide = set(itertools.product((4.0, 8.0), (0.1, 0.2, 0.3), inits))
    assert space.size == len(found) == 16
    assert set(found) == wide | set(itertools.product((1.0, 2.0), (None,), inits))


def test_sizes_agree_with_counting_also_where_networks_have_a_budget() -> None:
    space = space_of(
        model={
            "depth": {"int": [10, 28]},
            "widen_factor": {"choice": [1, 2, 4]},
            "deepening_factor": {"int": [1, 3]},
        }
        | {
            "dropout": {
                "choice": [0, 0.1, 0.2],
                "when": {"deepening_factor": {"min": 2}, "widen_factor": [2, 4]},
            }
        },
        constraints={"num_params": {"max": 2e6}},
        search={"searcher": "grid"},
    )
    axes = space.axes
    points = itertools.product(*(finite_values(domain) or () for domain in axes.domains.values()))
    found = {str(axes.hparams(dict(zip(axes.domains, point, strict=True)))) for point in points}

    assert space.size == len(found)


@pytest.mark.parametrize("reports", [1, 20, 60])
def test_a_killed_search_goes_on_as_if_nothing_had_happened(reports: int, tmp_path: Path) -> None:
    space = space_of(model=MODEL, search={"searcher": "tpe", "trials": 20, "anchors": 0.2})
    unbroken = [trial.hparams for trial in played(tmp_path / "a", space)]
    played(tmp_path / "b", space, reports)

    assert [trial.hparams for trial in played(tmp_path / "b", space)] == unbroken


def test_the_sampler_learns_of_it_only_from_those_it_applies_to() -> None:
    """Of two searches that differ in nothing but what idle axes say, the next proposal is the same."""
    wide = Condition(low=0.5)
    domains = {"switch": Uniform(0, 1), "value": Uniform(0, 1, when=(("switch", wide),))}

    def idle(point: Any) -> frozenset[str]:
        return frozenset() if wide.holds(point["switch"]) else frozenset({"value"})

    for together in (False, True):
        space = SearchedSpace(domains, None, 0, idle=idle)
        pair = [TpeSearcher(space, together=together) for _ in range(2)]
        generator = np.random.default_rng(0)
        for number in range(40):
            switch, value = (float(each) for each in generator.random(2))
            for searcher, other in zip(pair, (value, 0.999), strict=True):
                searcher.proposed(number, {"switch": switch, "value": value if switch >= 0.5 else other})
                searcher.told(number, Full(10 * switch + value))
        assert pair[0].propose(40) == pair[1].propose(40)
