"""Tables of Parquet files: what is read, and every mistake of a description told at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.replay.hand_made import write_parquet
from wrn_search.errors import InputError
from wrn_search.replay.methods import Method, space_of
from wrn_search.replay.our_search import OurSearch
from wrn_search.replay.simulated_clock import Clock, play
from wrn_search.replay.table_of_parquet import tables_of_parquet
from wrn_search.space.domains import Choice, LogUniform

ROWS: list[dict[str, Any]] = [
    {"depth": depth, "lr": 0.01 * depth, "task": task, "val_error": [60.0, 50.0 - depth, 40.0 - depth]}
    for task in ("a", "b")
    for depth in (10, 16)
]
DESCRIPTION: dict[str, Any] = {
    "hyperparameters": {"depth": {"choice": [10, 16]}, "lr": {"loguniform": [0.01, 1.0]}},
    "curve": "val_error",
}


def test_columns_become_a_table(tmp_path: Path) -> None:
    (table,) = tables_of_parquet(write_parquet(tmp_path, ROWS[:2], **DESCRIPTION))
    assert dict(table.hyperparameters) == {"depth": Choice((10, 16)), "lr": LogUniform(0.01, 1.0)}
    assert table.configurations == ({"depth": 10, "lr": 0.1}, {"depth": 16, "lr": 0.16})
    assert table.ends.tolist() == [30.0, 24.0]
    assert (table.epochs, table.seeds, table.in_seconds) == (3, 1, False)
    assert table.facts.chance_error == 100.0


def test_a_column_divides_the_file(tmp_path: Path) -> None:
    tables = tables_of_parquet(write_parquet(tmp_path, ROWS, **DESCRIPTION, tables="task"))
    assert [table.name for table in tables] == ["curves a", "curves b"]


def test_equal_hyperparameters_are_seeds(tmp_path: Path) -> None:
    (table,) = tables_of_parquet(write_parquet(tmp_path, ROWS, **DESCRIPTION))
    assert table.seeds == 2
    assert len(table.configurations) == 2


def test_rows_are_chosen(tmp_path: Path) -> None:
    (table,) = tables_of_parquet(write_parquet(tmp_path, ROWS, **DESCRIPTION, where={"task": ["b"]}))
    assert table.seeds == 1


def test_a_null_is_a_divergence(tmp_path: Path) -> None:
    rows = [ROWS[0], {**ROWS[1], "val_error": [60.0, None, None]}]
    (table,) = tables_of_parquet(write_parquet(tmp_path, rows, **DESCRIPTION, chance_error=90))
    assert [each[0].diverged for each in table.curves] == [False, True]
    assert table.ends.tolist() == [30.0, 90.0]


def test_a_shorter_curve_is_left_out(tmp_path: Path) -> None:
    rows = [ROWS[0], {**ROWS[1], "val_error": [60.0]}]
    (table,) = tables_of_parquet(write_parquet(tmp_path, rows, **DESCRIPTION))
    assert len(table.configurations) == 1


def test_losses_keep_their_order(tmp_path: Path) -> None:
    rows = [{**row, "val_error": [7.0, 3.0, 200.0 * place]} for place, row in enumerate(ROWS[:2])]
    (table,) = tables_of_parquet(write_parquet(tmp_path, rows, **DESCRIPTION, unit="loss"))
    assert table.ends.tolist() == [0.0, 100.0]


def test_epoch_0_is_passed_over(tmp_path: Path) -> None:
    (table,) = tables_of_parquet(write_parquet(tmp_path, ROWS[:2], **DESCRIPTION, first=0))
    assert table.epochs == 2
    assert table.curves[0][0].errors.tolist() == [40.0, 30.0]


def test_costs_are_multiply_adds_of_our_networks(tmp_path: Path) -> None:
    """WRN-16-1 costs more than WRN-10-1, by the closed form."""
    from wrn_search.networks.architecture import Architecture
    from wrn_search.networks.parameters_and_macs import macs

    path = write_parquet(tmp_path, ROWS[:2], **DESCRIPTION, epoch_cost="macs", image_shape=[8, 8, 1])
    (table,) = tables_of_parquet(path)
    expected = [
        macs(Architecture.of(depth, table.space.model.widen_factor, "B(3,3)"), 10, 1, (8, 8))  # type: ignore[arg-type]
        for depth in (10, 16)
    ]
    assert [float(each[0].seconds[0]) for each in table.curves] == expected


def test_float32_edges_lie_in_their_domain(tmp_path: Path) -> None:
    rows = [{**ROWS[0], "lr": float(np.float32(0.01))}, {**ROWS[1], "lr": float(np.float32(0.3))}]
    assert rows[0]["lr"] < 0.01
    (table,) = tables_of_parquet(write_parquet(tmp_path, rows, **DESCRIPTION))
    assert table.configurations[0]["lr"] == 0.01


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"curve": "val_eror"},
            "curve: must name columns of the Parquet file, but got 'val_eror' (did you mean",
        ),
        ({"curve": "lr"}, "curve: must be a column of lists of numbers, but 'lr' is none"),
        ({"curvs": "val_error"}, "curvs: must be one of"),
        ({"curve": None}, "curve: must be there"),
        ({"hyperparameters": {"depth": [10, 16]}}, "hyperparameters.depth: must be a domain"),
        ({"hyperparameters": {"width": {"choice": [1]}}}, "hyperparameters: must name columns"),
        (
            {"hyperparameters": {"depth": {"choice": [10]}}},
            "every value of 'depth' must lie in its domain, but got 16",
        ),
        ({"hyperparameters": ["depth"]}, "hyperparameters: must be a mapping"),
        ({"tables": "tsk"}, "tables: must name columns"),
        ({"where": {"task": ["c"]}}, "where: must keep at least one row, but there is none"),
        ({"where": "task"}, "where: must be a mapping"),
        ({"unit": "accuracy"}, "unit: must be percent or loss, but got accuracy"),
        ({"epoch_cost": -1}, "epoch_cost: must be a column"),
        ({"epoch_cost": "seconds"}, "epoch_cost: must name columns"),
        ({"epochs": 9}, "must hold trainings of all 9 epochs, but none of 4 rows"),
        ({"validation_images": 0}, "validation_images: must be a whole number"),
        ({"network": {"depth": "depth"}}, "network: must be {depth: COLUMN, width: COLUMN}"),
        (
            {"network": {"depth": "layers", "width": "lr"}},
            "network.depth: must name a hyperparameter, but got 'layers'",
        ),
        ({"chance_error": -5}, "chance_error: must be above 0 and at most 100, but got -5"),
        ({"image_shape": [8, 8]}, "image_shape: must be [HEIGHT, WIDTH, CHANNELS], but got [8, 8]"),
        ({"lr_drops": ["early"]}, "lr_drops"),
        ({"lr_schedule": "polynomial"}, "lr_schedule"),
    ],
)
def test_a_mistake_is_told_with_its_key(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        tables_of_parquet(write_parquet(tmp_path, ROWS, **(DESCRIPTION | change)))
    assert said in str(caught.value)
    assert "curves.yaml" in str(caught.value)


@pytest.mark.parametrize("curve", [["a", "b"], [[1.0], [2.0]], [True, False]])
def test_a_curve_must_hold_numbers(tmp_path: Path, curve: list[object]) -> None:
    rows = [{**row, "val_error": curve} for row in ROWS]
    with pytest.raises(
        InputError, match="curve: must be a column of lists of numbers, but 'val_error' is none"
    ):
        tables_of_parquet(write_parquet(tmp_path, rows, **DESCRIPTION))


def test_healthy_trials_are_never_taken_for_guessing(tmp_path: Path) -> None:
    """Errors above the highest end are those of early epochs: without `chance_error` nothing is called guessing."""
    rows = [
        {"depth": 10, "lr": 0.01 + n / 100, "val_error": [44.0 + n / 10, 30.0, 8.0 + n / 10]}
        for n in range(20)
    ]
    (table,) = tables_of_parquet(write_parquet(tmp_path, rows, **DESCRIPTION))
    space = space_of(
        table, Method("m", "random", "asha"), ("search.anchors=0", "search.rungs=schedule"), None, 0
    )
    player = OurSearch(space, table, 1, Clock())
    played = play(player, table, 1, 1000)
    assert played.counts["completed"] > 0
    assert not any(trial.at_chance for trial in player.state.trials.values())


@pytest.mark.parametrize(
    ("domain", "said"),
    [
        ({"loguniform": [1.0, 0.01]}, ".loguniform: low < high must hold, but got low=1, high=0.01"),
        ({"uniform": [1, 0]}, ".uniform: low < high must hold, but got low=1, high=0"),
        ({"int": [9, 1]}, ".int: low < high must hold, but got low=9, high=1"),
        ({"loguniform": [0, 1]}, ".loguniform: 0 < low must hold on a log scale, but got low=0"),
        ({"loguniform": ["a", 1.0]}, ".loguniform.0: must be a finite number, but got 'a'"),
        ({"uniform": [0.0, float("nan")]}, ".uniform.1: must be a finite number, but got .nan"),
        ({"choice": []}, ".choice: must list at least one value, but got []"),
        ({"choice": [1, [2]]}, ".choice.1: must be a finite number, but got [2]"),
        ({"chioce": [1, 2]}, ".chioce: a domain must be one of choice, uniform, loguniform, int"),
    ],
)
def test_a_domain_that_is_none_is_told_at_its_line_and_no_row_is_blamed(
    tmp_path: Path, domain: dict[str, Any], said: str
) -> None:
    path = write_parquet(tmp_path, ROWS, **DESCRIPTION)
    text = ["curve: val_error", "hyperparameters:", "  depth: {choice: [10, 16]}", "  lr:"]
    ((kind, items),) = domain.items()
    (tmp_path / "curves.yaml").write_text(
        "\n".join([*text, f"    {kind}: {yaml.safe_dump(items, default_flow_style=True)}"])
    )
    with pytest.raises(InputError) as caught:
        tables_of_parquet(path)
    (problem,) = caught.value.problems
    assert problem.where == f"{tmp_path / 'curves.yaml'}:5"
    assert f"{problem.key}: {problem.text}".startswith(f"hyperparameters.lr{said}")


@pytest.mark.parametrize(
    ("change", "line", "key"),
    [
        ("lr_schedule: polynomial", 5, "lr_schedule"),
        ("lr_drops: [early]", 5, "lr_drops"),
        ("where: {task: [c]}", 5, "where"),
        ("epochs: 9", 1, "curve"),
        ("epochs: true", 5, "epochs"),
        ("epoch_cost: task", 5, "epoch_cost"),
    ],
)
def test_mistakes_that_the_rows_show_are_told_at_the_line_of_the_key(
    tmp_path: Path, change: str, line: int, key: str
) -> None:
    path = write_parquet(tmp_path, ROWS, **DESCRIPTION)
    text = ["curve: val_error", "hyperparameters:", "  depth: {choice: [10, 16]}", "  lr: {uniform: [0, 1]}"]
    (tmp_path / "curves.yaml").write_text("\n".join([*text, change]))
    with pytest.raises(InputError) as caught:
        tables_of_parquet(path)
    assert [(problem.where, problem.key) for problem in caught.value.problems] == [
        (f"{tmp_path / 'curves.yaml'}:{line}", key)
    ]


@pytest.mark.parametrize("odd", [None, ["a"], float("nan")])
def test_a_row_that_names_no_table_is_refused(tmp_path: Path, odd: object) -> None:
    kind = {type(None): "a", list: ["b"], float: 1.0}[type(odd)]
    rows = [{**row, "task": odd if place == 2 else kind} for place, row in enumerate(ROWS)]
    path = write_parquet(tmp_path, rows, **DESCRIPTION, tables="task")
    with pytest.raises(InputError, match=r"tables: every row must name its table in 'task'.*of 4 do not"):
        tables_of_parquet(path)


def test_the_file_beside_is_called_what_it_is(tmp_path: Path) -> None:
    path = write_parquet(tmp_path, ROWS, **DESCRIPTION)
    for text in ("", "[1, 2]", "a" * 70_000):
        (tmp_path / "curves.yaml").write_text(text)
        with pytest.raises(InputError, match="a description of curves must be"):
            tables_of_parquet(path)


def test_mistakes_are_told_together(tmp_path: Path) -> None:
    path = write_parquet(tmp_path, ROWS, **DESCRIPTION, unit="x", first=7, tables="y")
    with pytest.raises(InputError) as caught:
        tables_of_parquet(path)
    assert len(caught.value.problems) == 3


def test_errors_above_100_percent_are_no_errors(tmp_path: Path) -> None:
    rows = [{**ROWS[0], "val_error": [400.0, 3.0, 2.0]}]
    with pytest.raises(InputError, match="or say `unit: loss`, but got 2 to 400"):
        tables_of_parquet(write_parquet(tmp_path, rows, **DESCRIPTION))


def test_a_file_without_description_is_refused(tmp_path: Path) -> None:
    path = write_parquet(tmp_path, ROWS, **DESCRIPTION)
    path.with_suffix(".yaml").unlink()
    with pytest.raises(InputError, match="must have a YAML file beside it"):
        tables_of_parquet(path)


def test_what_is_no_parquet_file_is_refused(tmp_path: Path) -> None:
    path = write_parquet(tmp_path, ROWS, **DESCRIPTION)
    path.write_bytes(b"PAR1 no more")
    with pytest.raises(InputError, match="must be a Parquet file of curves"):
        tables_of_parquet(path)
