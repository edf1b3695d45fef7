"""Finalists of a confirmation: fresh seeds beside what the search had seen, and who is the winner."""

from __future__ import annotations

import dataclasses
import json
import statistics

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.analysis.planted import WITH_DROPOUT, Plan, plant, space_of, trial_rows
from wrn_search.analysis.confirmation import FOLDER, confirm_of
from wrn_search.analysis.input_tables.joined_tables import material_of
from wrn_search.analysis.statistics.fresh_seeds import coverage
from wrn_search.errors import InputError
from wrn_search.report.confirmation import class_errors, finalists
from wrn_search.results.table_columns import EPOCHS_SCHEMA, TRIALS_SCHEMA

SEARCH = {"searcher": "random", "scheduler": "none", "trials": 12}
PLAN = Plan(model=WITH_DROPOUT, search=SEARCH)


def confirmation(
    path, chosen, *, manifest=True, lost=(), rule="top", errors=None, running=(), by_class=False
):
    """RESULTS/confirm as `confirm` writes it: five seeds of each chosen trial on the split, five on all images."""
    rows = trial_rows(PLAN, space_of(PLAN))
    retrained = []
    for place, number in enumerate(chosen):
        for joined in (False, True):
            for repeat in range(5):
                row = dict(rows[number])
                row |= {
                    "number": len(retrained),
                    "trial_id": f"c{len(retrained)}",
                    "repeat": repeat,
                    "seed": 10**6,
                }
                row["configuration"] = 2 * place + joined
                error = (5.0 + place if errors is None else errors[place]) + 0.1 * repeat
                row |= {"val_error": None, "test_error": error - 1} if joined else {"val_error": error}
                row["epochs"] = 2 * row["epochs"]
                if joined and by_class:
                    row |= {"test_images_by_class": [50, 50], "test_wrong_by_class": [5 + place, repeat]}
                if len(retrained) in lost:
                    row |= {"status": "diverged", "val_error": None, "test_error": None}
                if len(retrained) in running:
                    row |= {"status": "running", "val_error": None, "test_error": None}
                retrained.append(row)
    folder = path / FOLDER
    (folder / "epochs").mkdir(parents=True)
    arrays = [pa.array([row[field.name] for row in retrained], type=field.type) for field in TRIALS_SCHEMA]
    pq.write_table(pa.Table.from_arrays(arrays, schema=TRIALS_SCHEMA), folder / "trials.parquet")
    pq.write_table(EPOCHS_SCHEMA.empty_table(), folder / "epochs" / "part-000000.parquet")
    reads = [{"trial_id": f"c{i}", "time": 1.0} for i in range(5 * len(chosen))]
    if manifest:
        confirms = {"trials": list(chosen), "rule": rule, "repeats": 5}
        confirms |= {} if errors is None else {"winner": "fresh_median"}
        told = {"confirms": confirms, "test_reads": reads}
        told |= {"dataset": {"class_names": ["cat", "dog"]}} if by_class else {}
        (folder / "manifest.json").write_text(json.dumps(told))
    return folder


@pytest.fixture
def path(tmp_path):
    return plant(tmp_path / "results", PLAN)


def test_the_coverage_of_a_range():
    assert [coverage(n) for n in (0, 1, 2, 5)] == [0.0, 0.0, 50.0, 93.75]


def test_errors_of_each_class_and_their_figure(path):
    confirmation(path, chosen=(7, 2), by_class=True)
    found, _ = confirm_of(material_of([path]))
    cat, dog = found.finalists[1].classes
    assert (cat.name, cat.images, cat.errors) == ("cat", 50, (12.0,) * 5)
    assert (dog.name, dog.error) == ("dog", pytest.approx(4.0))
    figure = class_errors(found)
    assert [list(trace["x"]) for trace in figure.traces] == [[10.0, 4.0], [pytest.approx(12.0), 4.0]]
    _, high = dog.interval
    assert figure.traces[1]["error_x"]["array"][1] == pytest.approx(high - 4.0)
    assert [row[:2] for row in figure.table.rows] == [("cat", "50"), ("dog", "50")]
    assert "'cat' has the highest test error, 10.00 (" in figure.result


def test_an_older_confirmation_has_no_figure_of_classes(path):
    confirmation(path, chosen=(7, 2))
    assert class_errors(confirm_of(material_of([path]))[0]) is None


def test_a_search_that_was_not_confirmed(path):
    assert confirm_of(material_of([path])) == (None, ())


def test_finalists_come_in_the_order_of_the_choice_with_their_curse(path):
    confirmation(path, chosen=(7, 2, 4))
    material = material_of([path])
    found, notes = confirm_of(material)
    assert notes == ()
    assert [finalist.number for finalist in found.finalists] == [7, 2, 4]
    assert [finalist.trial for finalist in found.finalists] == [7, 2, 4]
    assert [finalist.is_winner for finalist in found.finalists] == [True, False, False]
    assert (found.test_reads, found.named) == (15, False)
    first = found.finalists[0]
    assert first.network == material.trials["network"][7]
    assert first.search_error == pytest.approx(material.trials["val_error"][7])
    assert first.val_errors == pytest.approx((5.0, 5.1, 5.2, 5.3, 5.4))
    assert first.val_summary == pytest.approx((5.2, 5.0, 5.4))
    assert first.test_summary == pytest.approx((4.2, 4.0, 4.4))
    assert first.winners_curse == pytest.approx(statistics.fmean(first.val_errors) - first.search_error)
    assert (first.coverage, first.not_completed) == (93.75, 0)


def test_the_lowest_fresh_median_is_the_winner_and_the_others_are_compared_with_it(path):
    confirmation(path, chosen=(7, 2, 4), errors=(6.0, 5.0, 5.1))
    found, _ = confirm_of(material_of([path]))
    assert [each.number for each in found.finalists] == [2, 4, 7]
    assert [each.is_winner for each in found.finalists] == [True, False, False]
    winner, near, far = found.finalists
    assert winner.curse_interval[0] < winner.winners_curse < winner.curse_interval[1]
    assert winner.above_winner is None
    assert (near.above_winner, far.above_winner) == (pytest.approx(0.1), pytest.approx(1.0))
    assert near.above_interval[0] < 0 < near.above_interval[1]
    assert far.above_interval[0] > 0
    figure = finalists(found)
    assert figure.result.startswith(f"Fresh seeds named {winner.network}: ")
    assert figure.result.endswith("Of 2 other finalists 1 is told from it by fresh validation errors (95 %).")


def test_while_a_fresh_error_is_to_come_nobody_is_the_winner(path):
    confirmation(path, chosen=(7, 2), errors=(6.0, 5.0), running={12})
    found, _ = confirm_of(material_of([path]))
    assert [each.number for each in found.finalists] == [7, 2]
    assert not any(each.is_winner for each in found.finalists)
    assert finalists(found).result.startswith("No winner is named yet")


def test_finalists_that_were_named_are_said_to_be(path):
    confirmation(path, chosen=(7, 2), rule="trials")
    found, _ = confirm_of(material_of([path]))
    assert found.named
    assert finalists(found).result.startswith("Of the trials that were named, validation put first WRN-")
    by_validation = dataclasses.replace(found, named=False)
    assert finalists(by_validation).result.startswith("Validation named WRN-")


def test_without_the_manifest_the_first_that_was_retrained_is_the_winner(path):
    confirmation(path, chosen=(7, 2), manifest=False)
    found, _ = confirm_of(material_of([path]))
    assert [(finalist.number, finalist.is_winner) for finalist in found.finalists] == [(7, True), (2, False)]
    assert found.test_reads is None


def test_retrainings_that_were_lost_are_counted(path):
    confirmation(path, chosen=(3,), lost={0, 6, 7})
    (finalist,) = confirm_of(material_of([path]))[0].finalists
    assert (len(finalist.val_errors), len(finalist.test_errors), finalist.not_completed) == (4, 3, 3)
    assert finalist.coverage == 75.0


def test_a_confirmation_that_cannot_be_read_is_a_note(path):
    (confirmation(path, chosen=(3,)) / "trials.parquet").write_bytes(b"torn")
    found, notes = confirm_of(material_of([path]))
    assert found is None
    assert notes[0].startswith("confirm: must be a readable Parquet file")


def test_a_confirmation_is_no_search(path):
    folder = confirmation(path, chosen=(3,))
    with pytest.raises(InputError, match="5 trials have a test error: name the search that they confirm"):
        material_of([folder])


def test_another_length_of_training_is_said(path):
    confirmation(path, chosen=(7, 2))
    found, _ = confirm_of(material_of([path]))
    assert found is not None
    assert found.note.startswith("Retrained for 20 epochs, while the search trained for 10:")
