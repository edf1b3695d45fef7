"""The benchmark of search methods: its tables, its arithmetic on hand-made regrets, and a small run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.curve_sources import DESCRIPTIONS, by_epochs, families, with_labels
from benchmarks.played_arms import ArmPlayed, half, summary
from benchmarks.search_arms import DEFAULT, groups, register_variants
from benchmarks.search_quality import main
from tests.benchmarks.made_tables import made_table
from wrn_search.errors import InputError
from wrn_search.replay.comparison import MEASURED
from wrn_search.replay.methods import player_of, rival_table
from wrn_search.replay.simulated_clock import Clock, play
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.domains import Choice, LogUniform
from wrn_search.space.yaml_with_lines import read_source


@pytest.fixture(scope="module")
def curves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file in the layout of TaskSet's: three tasks of 12 configurations, one of them diverged."""
    folder = tmp_path_factory.mktemp("curves")
    names = read_source(DESCRIPTIONS / "taskset.yaml").value["hyperparameters"]
    generator = np.random.default_rng(0)
    rows = []
    for task in ("c", "a", "b"):
        for number in range(12):
            loss = [1 + number % 5 + 1 / (1 + step) for step in range(9)]
            values = {name: 10 ** generator.uniform(-6, -4) for name in names}
            cut = [None if number == 3 and step > 4 else value for step, value in enumerate(loss)]
            rows.append({"task": task, **values, "valid_loss": cut})
    for row in rows:
        row |= {"linear_decay": 1e-5, "exponential_decay": 1e-4, "epsilon": 1e-3}
    pq.write_table(pa.Table.from_pylist(rows), folder / "taskset.parquet")
    return folder


def test_a_file_elsewhere_is_read_by_the_description_of_the_repository(curves: Path) -> None:
    tables = families(curves)["taskset"]
    assert [table.name for table in tables] == ["taskset a", "taskset b", "taskset c"]
    assert {len(table.configurations) for table in tables} == {12}
    assert tables[0].epochs == 9
    assert np.isclose(tables[0].ends.max(), 100)  # a diverged one counts as the worst loss that was seen


def test_a_folder_without_any_described_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"lcbench_surrogate\.parquet"):
        families(tmp_path)


@pytest.mark.parametrize("path", sorted(DESCRIPTIONS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_description_says_whom_to_cite(path: Path) -> None:
    assert read_source(path).value["source"]


def test_small_whole_numbers_become_labels_and_nothing_else() -> None:
    table = made_table(10, 3)
    told = with_labels(table)
    assert told.hyperparameters["layers"] == Choice((1, 2, 3, 4, 5))
    assert isinstance(told.hyperparameters["rate"], LogUniform)
    assert told.configurations == table.configurations
    assert table.hyperparameters["layers"] != told.hyperparameters["layers"]


def test_tables_with_equally_long_trainings_stand_together() -> None:
    tables = [made_table(2, epochs) for epochs in (9, 3, 9)]
    assert [[table.epochs for table in group] for group in by_epochs(tables)] == [[3], [9, 9]]


@pytest.fixture
def variants() -> Iterator[None]:
    """The benchmark's own methods, for one test: other tests read the same tables."""
    tables: tuple[dict[str, Any], ...] = (SEARCHERS, rival_table())
    before = [dict(table) for table in tables]
    register_variants()
    yield
    for table, entries in zip(tables, before, strict=True):
        table.clear()
        table.update(entries)


@pytest.mark.usefixtures("variants")
@pytest.mark.parametrize("group", groups())
def test_every_arm_can_be_played(group: str) -> None:
    arms = groups()[group]
    names = [arm.name for arm in arms]
    assert len(set(names)) == len(names)
    table = made_table(250, 52)
    for arm in arms:
        assert arm.against in names or arm.against == DEFAULT
        clock = Clock()
        player = player_of(table, arm.method, (), None, 0, arm.workers, clock)
        assert play(player, table, arm.workers, 100, clock).epochs == 100


def arm_with(name: str, regrets: dict[str, list[list[float]]]) -> ArmPlayed:
    """An arm whose regret falls to a value at a moment: table -> [(moment, value) of each seed]."""
    arm = next(arm for arms in groups().values() for arm in arms if arm.name == name)
    runs = {
        table: np.array([np.where(np.arange(MEASURED) + 1 >= moment, value, 9.0) for moment, value in seeds])
        for table, seeds in regrets.items()
    }
    counts = dict.fromkeys(("completed", "stopped", "diverged", "best_begun", "best_stopped"), 1.0)
    return ArmPlayed(arm, runs, dict.fromkeys(runs, counts), 0.0)


def test_a_summary_says_what_was_planted() -> None:
    default = arm_with(
        DEFAULT, {"a": [[10, 1.0], [10, 1.0]], "b": [[40, 2.0], [40, 2.0]], "c": [[99, 0.5]] * 2}
    )
    rival = arm_with("random", {"a": [[1, 1.0], [1, 1.0]], "b": [[1, 3.0], [1, 3.0]], "c": [[1, 0.1]] * 2})
    told = summary(rival, default, default, [10, 20])
    first, last = told["budgets"]
    # At half of the grid: a is reached at moment 10, b at 40, c never: the median of 0.2, 0.8 and infinity.
    assert first["default_needs"] == 0.8
    assert first["default_never_on"] == 1
    # All plays together: the rival's median there is 1, ours 1 once b has its 2 and c still 9: never before c at 99.
    assert first["default_needs_pooled"] == 1.98
    assert last["default_needs"] == 0.4
    assert last["regret"] == [1.0, 0.325, 2.5]
    # rival - default at the end: 0, +1, -0.4
    assert last["difference"] == pytest.approx(0.2)
    assert last["interval"] == pytest.approx([0.2, 0.2])
    assert last["better_on"] == ["c"]
    assert last["worse_on"] == ["b"]


def test_halves_take_turns_in_name_order() -> None:
    whole = arm_with(DEFAULT, {name: [[1, 0.0]] for name in ("b", "a", "d", "c")})
    assert sorted(half(whole, "tuning").regrets) == ["a", "c"]
    assert sorted(half(whole, "held-out").regrets) == ["b", "d"]


@pytest.mark.usefixtures("variants")
def test_a_small_run_writes_what_it_prints(
    curves: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "found.json"
    arguments = ["--curves", str(curves), "--tables", "taskset", "--seeds", "2", "--trainings", "2,4"]
    assert main([*arguments, "--methods", "multivariate", "--processes", "1", "--json", str(file)]) == 0
    printed = capsys.readouterr().out
    found = json.loads(file.read_text())["families"]["taskset"]
    assert set(found["tables"]) == {"taskset a", "taskset b", "taskset c"}
    assert [row["tables"] for row in found["tuning"]] == [2] * len(found["tuning"])
    assert [row["plays"] for row in found["held-out"]] == [2] * len(found["held-out"])
    for row in found["tuning"]:
        assert f"  {row['name']}" in printed
        assert all(each["regret"][0] >= 0 for each in row["budgets"])  # who is named best can turn out worse
    multivariate = next(row for row in found["tuning"] if row["name"] == "tpe-multivariate+none")
    assert multivariate["against"] == "tpe+none"


@pytest.mark.usefixtures("variants")
def test_some_arms_alone(curves: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "found.json"
    arguments = ["--curves", str(curves), "--tables", "taskset", "--seeds", "1", "--trainings", "2"]
    arguments += ["--methods", "default", "--processes", "1", "--json", str(file)]
    assert main([*arguments, "--arms", f"{DEFAULT},i-epoch"]) == 0
    found = json.loads(file.read_text())["families"]["taskset"]
    assert [row["name"] for row in found["tuning"]] == [DEFAULT, "i-epoch"]
    assert found["tuning"][1]["against"] == DEFAULT
    capsys.readouterr()
    assert main([*arguments, "--arms", "i-epoch,random"]) == 2
    assert capsys.readouterr().err == (
        "--arms: must be of tpe+asha, i-epoch, ray, optuna-tpe+hyperband, but got random\n"
    )


def test_a_wrong_folder_is_one_line_and_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--curves", str(tmp_path)]) == 2
    assert "--curves" in capsys.readouterr().err
