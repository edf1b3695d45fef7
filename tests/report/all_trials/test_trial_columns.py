"""What the table of all trials holds: every hyperparameter, how each trial ended, its end measured or predicted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.report import made
from wrn_search.analysis.curve_model.ends_of_all import best_trials, ends_of_all
from wrn_search.report.all_trials.parallel_coordinates import parallel_coordinates
from wrn_search.report.all_trials.trial_columns import (
    Column,
    hyperparameter_columns,
    trial_columns,
    trial_data,
)
from wrn_search.wording import end_reason


@pytest.fixture(scope="module")
def columns() -> dict[str, Column]:
    return {column.key: column for column in trial_columns(made.findings())}


def test_every_trial_has_a_value_in_every_column(columns: dict[str, Column]) -> None:
    found = made.findings()
    assert {len(column.values) for column in columns.values()} == {len(found.trials)}
    for name in ("depth", "widen_factor", "dropout", "weight_decay"):
        assert columns[name].values == tuple(trial.hparams[name] for trial in found.trials)
    for name in ("network", "num_params", "epochs_done", "val_error", "seed", "repeat", "status"):
        assert columns[name].values == tuple(getattr(trial, name) for trial in found.trials)
    assert columns["anchor"].values[:3] == ("no", "yes", "no")
    assert not columns["search"].listed  # there is one search
    assert not columns["trial_id"].listed


def test_an_end_is_measured_or_predicted_with_its_interval_or_there_is_none(
    columns: dict[str, Column],
) -> None:
    found = made.findings()
    predicted = {end.trial: end for end in found.model.ends}
    for place, trial in enumerate(found.trials):
        told = [columns[name].values[place] for name in ("end", "end_kind", "end_low", "end_high")]
        if trial.status == "completed":
            assert told == [trial.val_error, "measured", None, None]
        elif place in predicted:
            end = predicted[place]
            assert told == [pytest.approx(end.estimate, rel=1e-4), "predicted", end.low, end.high]
        else:
            assert told == [None, None, None, None]


def test_the_reason_of_every_end_is_in_words() -> None:
    trial = made.trials()[0]
    ended = {
        "completed": "trained to its last epoch",
        "stopped": "stopped by the scheduler at epoch 9",
        "running": "still running",
        "failed": "boom\nin line 3",
        "interrupted": "no reason on record",
    }
    for status, reason in ended.items():
        error = "boom\nin line 3 \n" if status == "failed" else " " if status == "interrupted" else None
        assert end_reason(replace(trial, status=status, rung=9, error=error)) == reason
    assert end_reason(replace(trial, status="stopped", rung=None)) == "stopped by the scheduler"


def test_a_hyperparameter_that_some_lack_or_that_is_text_keeps_its_place() -> None:
    first, second = made.trials()[:2]
    rows = [
        replace(first, hparams={"depth": 10, "init": "fan_in"}),
        replace(second, hparams={"depth": 16, "momentum": 0.9}),
    ]
    found = hyperparameter_columns(rows)
    assert [(each.key, each.kind, each.values) for each in found] == [
        ("depth", "count", (10, 16)),
        ("init", "text", ("fan_in", None)),
        ("momentum", "real", (None, 0.9)),
    ]


def test_the_product_of_two_that_were_both_searched_is_a_column_and_an_axis() -> None:
    found = made.findings()
    rows = tuple(
        replace(each, hparams={**each.hparams, "learning_rate": 0.01 * 1.1**place})
        for place, each in enumerate(found.trials)
    )
    found = replace(found, trials=rows)
    columns = {column.key: column for column in trial_columns(found)}
    assert "lr_x_wd" not in {column.key for column in trial_columns(made.findings())}
    assert columns["lr_x_wd"].values == pytest.approx(
        [0.01 * 1.1**place * float(each.hparams["weight_decay"]) for place, each in enumerate(rows)]
    )
    assert '"key":"lr_x_wd"' in str(parallel_coordinates(found, trial_columns(found)))


def test_texts_stand_in_the_page_once(columns: dict[str, Column]) -> None:
    (packed,) = trial_data([columns["status"]])["columns"]
    assert sorted(packed["texts"]) == sorted(set(columns["status"].values))
    assert tuple(packed["texts"][place] for place in packed["at"]) == columns["status"].values


def test_what_a_terminal_obeys_is_spelt_out_and_lines_stay() -> None:
    found = made.findings()
    hostile = replace(found.trials[0], status="failed", error="\x1b[31mred\nnext")
    (reason,) = (
        column
        for column in trial_columns(replace(found, trials=(hostile, *found.trials[1:])))
        if column.key == "reason"
    )
    assert reason.values[0] == "\\x1b[31mred\nnext"


def test_the_caption_tells_where_the_best_tenth_lies() -> None:
    found = made.findings()
    best = best_trials(found.trials, ends_of_all(found.trials, found.model))
    assert (best.count, best.of) == (6, 52)
    (widths,) = (each for each in best.ranges if each.name == "widen_factor")
    assert (widths.low, widths.high, widths.lowest_tried, widths.highest_tried) == (8.0, 8.0, 1.0, 8.0)
    figure = parallel_coordinates(found, trial_columns(found))
    assert figure is not None
    assert "The best 6 of 52 trials with an end have" in figure
    assert "widen_factor 8 of 1 to 8 tried" in figure


def test_where_nothing_varies_or_ends_there_is_no_figure() -> None:
    found = made.findings()
    same = tuple(replace(trial, hparams={"depth": 10}) for trial in found.trials)
    alike = replace(found, trials=same)
    assert parallel_coordinates(alike, trial_columns(alike)) is None
    none = tuple(replace(trial, status="failed", val_error=None) for trial in found.trials)
    endless = replace(found, trials=none, model=replace(found.model, ends=()))
    assert parallel_coordinates(endless, trial_columns(endless)) is None
