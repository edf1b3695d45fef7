"""Whole tables beside results that were written down by hand: medians, ranges, differences, ranks, verdicts."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import pytest

from tests.analysis.paper_tables.hand_made import write_results
from tests.analysis.planted import Plan, plant
from wrn_search.analysis.paper_tables.all_paper_tables import tables_beside, to_json
from wrn_search.analysis.paper_tables.paper_values import TableBeside
from wrn_search.errors import InputError

TABLE4 = {
    "WRN-40-1": [7.0, 7.1, 7.3],
    "WRN-40-4": [5.1, 5.2, 5.0],
    "WRN-40-8": [4.8, 4.7, 4.9],
    "WRN-28-10": [4.1, 4.3, 4.2],
}


def only(tables: tuple[TableBeside, ...]) -> TableBeside:
    (table,) = tables
    return table


def rows_of(table: TableBeside) -> dict[str, Any]:
    return {row.network: row for row in table.rows}


def test_a_row_has_n_median_range_and_its_difference(tmp_path: Path) -> None:
    table = only(tables_beside([write_results(tmp_path / "a", TABLE4)], 4))
    assert (table.dataset, table.error, table.kind, table.epochs, table.paper_epochs) == (
        "cifar10",
        "validation",
        "measured",
        10,
        200,
    )
    row = rows_of(table)["WRN-40-1"]
    assert (row.n, row.median, row.lowest, row.highest) == (3, 7.1, 7.0, 7.3)
    assert row.difference == pytest.approx(7.1 - 6.85)
    assert row.low < row.difference < row.high
    assert row.difference - row.low == pytest.approx(row.high - row.difference)
    assert rows_of(table)["WRN-22-8"].median is None
    assert len(table.rows) == 10


def test_the_interval_of_a_difference_is_that_of_the_formula(tmp_path: Path) -> None:
    """Pooled spread, Student's t, medians of 3 and of one published run, and counting on both sets of images."""
    table = only(tables_beside([write_results(tmp_path / "a", TABLE4)], 4))
    pooled = statistics.fmean(statistics.variance(values) for values in TABLE4.values())
    of_3, of_1 = 1.5708 / (3 + 0.5708), 1.0

    def counted(error: float, images: int) -> float:
        share = (error / 100 * images + 1) / (images + 2)
        return 1e4 * share * (1 - share) / (images + 2)

    variance = pooled * (of_3 + of_1) + counted(7.1, 5000) + counted(6.85, 10_000)
    row = rows_of(table)["WRN-40-1"]
    assert row.high - row.difference == pytest.approx(2.306 * variance**0.5, rel=1e-3)  # t of 8 degrees


def test_test_errors_are_compared_where_each_network_was_tested(tmp_path: Path) -> None:
    """As `protocol: test_each` leaves them; the paper's are on the same images, so none are counted anew."""
    table = only(tables_beside([write_results(tmp_path / "a", TABLE4, tested=True)], 4))
    assert (table.error, table.error_images) == ("test", 10_000)
    row = rows_of(table)["WRN-40-1"]
    assert (row.error, row.n, row.median) == ("test", 3, 7.1)
    validated = rows_of(only(tables_beside([write_results(tmp_path / "b", TABLE4)], 4)))["WRN-40-1"]
    assert row.high - row.low < validated.high - validated.low
    assert [claim.verdict for claim in table.claims] == ["supported"]


def test_tested_and_validated_networks_are_not_mixed(tmp_path: Path) -> None:
    tested = write_results(tmp_path / "a", {"WRN-40-1": [6.5, 6.6], "WRN-40-8": [4.4, 4.5]}, tested=True)
    more = write_results(tmp_path / "b", {"WRN-28-10": [5.0, 5.1]}, name="more")
    table = only(tables_beside([tested, more], 4))
    assert table.error == "validation"
    assert {row.network: row.error for row in table.rows if row.n} == {
        "WRN-40-1": "test",
        "WRN-40-8": "test",
        "WRN-28-10": "validation",
    }
    assert "2 of 3 networks have test errors" in " ".join(table.notes)


@pytest.mark.parametrize(("kind", "files"), [("folder", "image files"), ("parquet", "Parquet files")])
def test_images_of_ones_own_are_none_of_torchvisions_and_one_epoch_is_one(
    kind: str, files: str, tmp_path: Path
) -> None:
    dataset = {"name": kind, "root": "/data/mine"}
    results = write_results(tmp_path / "a", TABLE4, dataset=dataset, training={"epochs": 1})
    table = only(tables_beside([results], 4, dataset="cifar10"))
    told = [text for row in table.rows if row.n for text in row.differences if text.startswith("source")]
    assert set(told) == {f"source of the images: {files} under /data/mine, the authors' Torch files"}
    assert any(note.startswith("ours were trained for 1 epoch, the paper's for 200") for note in table.notes)


def test_ranks_and_claims(tmp_path: Path) -> None:
    table = only(tables_beside([write_results(tmp_path / "a", TABLE4)], 4))
    assert (table.rank.tau, table.rank.networks) == (1.0, 4)
    assert {claim.key: claim.verdict for claim in table.claims} == {
        "widening_helps_at_every_depth": "supported"
    }


def test_without_a_table_all_that_hold_a_network_are_told(tmp_path: Path) -> None:
    found = tables_beside([write_results(tmp_path / "a", TABLE4)])
    assert [table.table for table in found] == [4, 5, 6]


def test_blocks_stand_in_table_2(tmp_path: Path) -> None:
    errors = {
        "WRN-28-2": [5.70, 5.75, 5.80],
        "WRN-40-2-B(3,1)": [5.90, 5.95, 6.00],
        "WRN-22-2-B(3,1,3)": [5.40, 5.45, 5.50],
    }
    table = only(tables_beside([write_results(tmp_path / "a", errors)], 2, margin=0.5))
    verdicts = {claim.key: claim.verdict for claim in table.claims}
    assert verdicts["b313_beats_b31"] == "supported"
    assert verdicts["b33_is_the_best_block"] == "contradicted"
    assert verdicts["b31_and_b313_are_close_to_b33"] == "supported"


def test_dropout_tells_rows_of_table_6_apart(tmp_path: Path) -> None:
    errors: dict[Any, list[float]] = {
        ("WRN-16-4", 0.0): [1.9, 1.95, 2.0],
        ("WRN-16-4", 0.4): [1.6, 1.65, 1.7],
    }
    results = write_results(tmp_path / "a", errors, dataset={"name": "svhn"})
    table = only(tables_beside([results]))
    assert (table.table, table.dataset) == (6, "svhn")
    assert [(row.dropout, row.median) for row in table.rows if row.n] == [(0.0, 1.95), (0.4, 1.65)]
    assert [claim.verdict for claim in table.claims] == ["supported"]


def test_other_dropout_is_no_row_of_table_6_but_of_table_4_and_is_told(tmp_path: Path) -> None:
    errors: dict[Any, list[float]] = {("WRN-28-10", 0.1): [4.0, 4.1]}
    results = write_results(tmp_path / "a", errors)
    assert [table.table for table in tables_beside([results])] == [4, 5]
    row = rows_of(only(tables_beside([results], 4)))["WRN-28-10"]
    assert (row.our_dropout, row.n) == (0.1, 2)


def test_searches_that_cannot_be_compared_stand_apart(tmp_path: Path) -> None:
    first = write_results(tmp_path / "a", TABLE4)
    longer = write_results(tmp_path / "b", TABLE4, training={"epochs": 20}, name="longer")
    other = write_results(
        tmp_path / "c", {"WRN-40-1": [31.0, 32.0]}, dataset={"name": "cifar100"}, name="hundred"
    )
    found = tables_beside([first, longer, other], 4)
    assert [(table.dataset, table.epochs) for table in found] == [
        ("cifar10", 10),
        ("cifar10", 20),
        ("cifar100", 10),
    ]


def test_seeds_of_two_searches_are_counted_together(tmp_path: Path) -> None:
    first = write_results(tmp_path / "a", TABLE4)
    more = write_results(tmp_path / "b", {"WRN-40-1": [7.4, 7.5]}, name="more")
    row = rows_of(only(tables_beside([first, more], 4)))["WRN-40-1"]
    assert (row.n, row.median) == (5, 7.3)


def test_one_seed_each_has_no_interval_and_says_why(tmp_path: Path) -> None:
    table = only(tables_beside([write_results(tmp_path / "a", {k: v[:1] for k, v in TABLE4.items()})], 4))
    row = rows_of(table)["WRN-40-1"]
    assert (row.difference, row.low) == (pytest.approx(0.15), None)
    assert "one seed of each network" in row.why_no_interval
    assert (table.rank.tau, table.rank.low) == (1.0, None)
    assert [claim.verdict for claim in table.claims] == ["undecided"]


def test_images_of_ones_own_have_ranks_and_claims_and_no_difference(tmp_path: Path) -> None:
    table = only(tables_beside([write_results(tmp_path / "a", TABLE4, dataset={"name": "digits"})], 4))
    assert table.own_images
    assert rows_of(table)["WRN-40-1"].difference is None
    assert table.rank.tau == 1.0
    assert [claim.verdict for claim in table.claims] == ["supported"]
    assert "none of the paper's" in table.notes[0]


def test_a_training_that_diverged_counts_with_the_error_of_chance(tmp_path: Path) -> None:
    ends = {1: ("diverged", "nan")}
    row = rows_of(only(tables_beside([write_results(tmp_path / "a", TABLE4, ends=ends)], 4)))["WRN-40-1"]
    assert (row.n, row.diverged, row.highest) == (3, 1, 90.0)


def test_early_stopping_is_told_by_the_curve_model(tmp_path: Path, few_draws: None) -> None:
    plan = Plan(
        model={
            "depth": {"choice": [16, 22, 28, 40]},
            "widen_factor": {"choice": [1, 2, 4, 8]},
            "dropout": {"uniform": [0.0, 0.5]},
        },
        training={"epochs": 20},
        search={
            "searcher": "tpe",
            "scheduler": "asha",
            "trials": 50,
            "anchors": 0,
            "reduction_factor": 2,
            "rungs": [3, 6],
        },
        noise=0.1,
    )
    table = only(tables_beside([plant(tmp_path / "a", plan)], 4))
    assert table.kind == "predicted"
    row = rows_of(table)["WRN-40-8"]
    assert row.kind == "predicted"
    assert row.lowest < row.median < row.highest
    verdicts = {claim.key: claim.verdict for claim in table.claims}
    assert verdicts["widening_helps_at_every_depth"] == "supported"  # as it was planted
    assert all(pair.kind == "predicted" for claim in table.claims for pair in claim.comparisons)


def test_stopped_trials_without_a_model_decide_nothing(tmp_path: Path) -> None:
    search = {"searcher": "tpe", "scheduler": "asha", "trials": 8, "anchors": 0, "rungs": [2, 5]}
    model = {"depth": {"choice": [16, 40]}, "widen_factor": {"choice": [1, 2, 4, 8]}}
    table = only(tables_beside([plant(tmp_path / "a", Plan(model=model, search=search))], 4))
    assert {claim.verdict for claim in table.claims} == {"undecided"}
    assert any("the curve model cannot tell the ends" in note for note in table.notes)


def test_the_json_has_what_is_documented(tmp_path: Path) -> None:
    told = json.loads(
        json.dumps(to_json(tables_beside([write_results(tmp_path / "a", TABLE4)], 4)), allow_nan=False)
    )
    assert told.keys() == {"tables"}
    (table,) = told["tables"]
    assert {"table", "dataset", "error", "kind", "epochs", "rows", "rank", "claims", "notes"} <= table.keys()
    names = {
        "network",
        "dropout",
        "paper_error",
        "n",
        "median",
        "lowest",
        "highest",
        "difference",
        "low",
        "high",
    }
    assert all(names <= row.keys() for row in table["rows"])
    assert table["rank"].keys() == {"tau", "low", "high", "networks", "why_not"}
    (claim,) = table["claims"]
    assert {"key", "claim", "where", "verdict", "comparisons", "not_compared", "without_ends"} == claim.keys()
    assert {"one", "other", "quantity", "value", "low", "high", "paper", "holds"} <= claim["comparisons"][
        0
    ].keys()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (None, "must hold a network of the paper's tables 2 to 8, but got WRN-10-1"),
        (4, "--table: must be a table of which the results hold a network (4: WRN-40-1, WRN-40-2, "),
    ],
)
def test_results_without_a_network_of_the_paper(tmp_path: Path, table: int | None, said: str) -> None:
    results = write_results(tmp_path / "a", {"WRN-10-1": [9.0, 9.1]})
    with pytest.raises(InputError) as told:
        tables_beside([results], table)
    assert str(told.value).startswith(f"{results}: ")
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("named", "dataset", "said"),
    [
        (
            "cifar10",
            "imagenett",
            "--dataset: must be one of cifar10, cifar100, svhn, imagenet, but got 'imagenett' (did you",
        ),
        ("cifar10", "svhn", "--dataset: must be cifar10 for these results, but got svhn"),
        ("digits", "cifar100", "as many classes as these images have (10), but cifar100 has 100"),
    ],
)
def test_images_that_are_not_what_they_are_called(
    tmp_path: Path, named: str, dataset: str, said: str
) -> None:
    results = write_results(tmp_path / "a", TABLE4, dataset={"name": named})
    with pytest.raises(InputError) as told:
        tables_beside([results], 4, dataset=dataset)
    assert said in str(told.value)


def test_images_that_are_called_the_papers_have_differences(tmp_path: Path) -> None:
    results = write_results(tmp_path / "a", TABLE4, dataset={"name": "digits"})
    table = only(tables_beside([results], 4, dataset="cifar10"))
    assert not table.own_images
    assert rows_of(table)["WRN-40-1"].difference == pytest.approx(0.25)


def test_results_named_twice_and_all_that_cannot_be_read(tmp_path: Path) -> None:
    results = write_results(tmp_path / "a", TABLE4)
    with pytest.raises(InputError, match="must be named once"):
        tables_beside([results, results])
    with pytest.raises(InputError) as told:
        tables_beside([results, tmp_path / "x", tmp_path / "y"])
    assert len(told.value.problems) == 2
