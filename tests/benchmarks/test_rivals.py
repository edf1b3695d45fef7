"""Every rival on small made-up tables: what it trains, when it ends, and that a seed says it all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.rivals.rival_table import RIVALS
from benchmarks.search_arms import MULTIVARIATE
from tests.benchmarks import made_tables
from tests.benchmarks.made_tables import MakeCurve, level, made_table
from tests.house import ROOT
from wrn_search.replay.curve_table import CurveTable
from wrn_search.replay.simulated_clock import Clock, Play, play

NAMES = [name for name in RIVALS if MULTIVARIATE not in name]  # without the variants of a benchmark
ADVERSARIES: list[tuple[int, int, MakeCurve]] = [
    (20, 9, made_tables.equal),
    (12, 9, made_tables.diverged_at_once),
    (20, 9, made_tables.half_diverged),
    (1, 9, made_tables.falling),
    (20, 1, made_tables.falling),
    (20, 2, made_tables.falling),
]


def played(
    name: str,
    table: CurveTable,
    *,
    seed: int = 0,
    workers: int = 1,
    budget: int = 10**6,
    most: int | None = None,
) -> Play:
    """One play of a rival."""
    clock = Clock()
    player = RIVALS[name](table, seed, most or len(table.configurations), workers, clock)
    return play(player, table, workers, budget, clock)


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("name", NAMES)
def test_a_rival_keeps_to_its_budget_and_trains_nothing_twice(name: str, workers: int) -> None:
    table = made_table(250, 27)
    found = played(name, table, workers=workers, budget=200)
    assert found.epochs == 200
    assert len(set(found.configuration.values())) == len(found.configuration)
    # Whoever goes on goes on where he was: no epoch is paid for twice.
    assert sum(found.last_epoch.values()) == 200
    assert found.named, "it names a configuration"


@pytest.mark.parametrize("name", NAMES)
def test_without_a_budget_a_rival_ends_when_every_configuration_was_tried(name: str) -> None:
    table = made_table(30, 9)
    found = played(name, table, workers=2)
    assert set(found.configuration.values()) == set(range(30))
    assert found.counts["unfinished"] == 0
    assert found.counts["completed"] >= 1


@pytest.mark.parametrize("name", NAMES)
def test_a_rival_tries_no_more_configurations_than_it_may(name: str) -> None:
    assert len(played(name, made_table(30, 9), most=5).configuration) == 5


@pytest.mark.parametrize(("configurations", "epochs", "curve"), ADVERSARIES)
@pytest.mark.parametrize("name", NAMES)
def test_an_adversarial_table_ends_cleanly(
    name: str, configurations: int, epochs: int, curve: MakeCurve
) -> None:
    table = made_table(configurations, epochs, curve)
    found = played(name, table, workers=3)
    assert set(found.configuration.values()) == set(range(configurations))
    assert found.counts["unfinished"] == 0


@cache
def told(seed: int) -> dict[str, list[object]]:
    """What every rival did."""
    table = made_table(40, 27, made_tables.half_diverged)
    plays = {name: played(name, table, seed=seed, workers=3, budget=400) for name in NAMES}
    return {name: [each.named, each.end, each.configuration, each.time] for name, each in plays.items()}


def test_a_seed_says_it_all_in_another_process_too() -> None:
    code = "import json; from tests.benchmarks.test_rivals import told; print(json.dumps(told(3)))"
    other = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    assert json.loads(other.stdout.splitlines()[-1]) == json.loads(json.dumps(told(3)))


def test_another_seed_is_another_play() -> None:
    assert all(told(3)[name] != told(4)[name] for name in NAMES)


def test_i_epoch_trains_the_best_of_each_doubling_to_its_end() -> None:
    table = made_table(40, 9, level)
    found = played("i-epoch", table, budget=50)
    ends = [table.ends[found.configuration[trial]] for trial in range(len(found.configuration))]
    doublings = [count for count in (1, 2, 4, 8, 16, 32) if count < len(ends)]
    best = {min(range(count), key=ends.__getitem__) for count in doublings}
    assert {trial for trial, last in found.last_epoch.items() if last > 1} == best


def test_asha_with_promotion_completes_the_best_of_a_table_where_rankings_hold() -> None:
    table = made_table(45, 9, level)
    found = played("random+asha*", table)
    best = {trial for trial, place in found.configuration.items() if place in table.ends.argsort()[:5]}
    assert best <= {trial for trial, end in found.end.items() if end == "completed"}
    # One in three of one in three, and those that were promoted before better ones came.
    assert found.counts["completed"] < 15


def test_hyperband_has_several_brackets() -> None:
    """They follow the number of the trial; a stop at 1 epoch, another at 3, is only possible with several."""
    found = played("optuna-tpe+hyperband", made_table(40, 27))
    assert len({found.last_epoch[trial] for trial, end in found.end.items() if end == "stopped"}) > 1


def test_ray_and_optuna_hear_what_was_trained() -> None:
    """A proposal is a recorded configuration: else both would learn that errors belong where nothing was trained."""
    from benchmarks.rivals.optuna_rivals import OptunaSearch, median

    table = made_table(20, 3)
    rival = OptunaSearch(median, table, 0, 20, 1, Clock())
    found = play(rival, table, 1, 10**6)
    heard = [trial.params for trial in rival._study.trials]
    assert heard == [table.configurations[place] for place in found.configuration.values()]


@pytest.mark.slow
def test_the_command_plays_them_beside_our_methods(tmp_path: Path) -> None:
    """In processes of its own, from another folder: the rivals are found where the repository is."""
    rows = [
        {
            "rate": 10.0 ** -(place % 4 + 1),
            "share": place / 12,
            "val_error": [60.0, 50.0 - place, 40.0 - place],
        }
        for place in range(12)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "small.parquet")
    (tmp_path / "small.yaml").write_text(
        "hyperparameters: {rate: {loguniform: [1.0e-4, 0.1]}, share: {uniform: [0, 1]}}\ncurve: val_error\n"
    )
    command = [sys.executable, "-m", "wrn_search", "replay", "small.parquet", "--rivals", "--json"]
    answer = subprocess.run(
        [*command, "--seeds", "2", "--epochs", "12"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert answer.returncode == 0, answer.stderr
    names = [method["name"] for method in json.loads(answer.stdout)["methods"]]
    assert names == ["tpe+asha", "random+asha", "random+none", *NAMES]
