"""Results of every past version stay readable. `golden/version_N` is never rewritten; a new version adds its own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from wrn_search.results.events_jsonl import read_events
from wrn_search.results.state_from_events import fold
from wrn_search.results.table_columns import EPOCHS_SCHEMA, SCHEMA_VERSION, TRIALS_SCHEMA
from wrn_search.results.table_reader import read_results, read_tables
from wrn_search.results.table_writer import epoch_rows, epochs_table, trials_table

VERSIONS = sorted((Path(__file__).parent / "golden").iterdir())


def tables_of_record(folder):
    state = fold(read_events(folder / "events.jsonl"))
    return trials_table(state), epochs_table(epoch_rows(state))


def test_this_version_has_its_golden_results():
    assert [path.name for path in VERSIONS] == [f"version_{version + 1}" for version in range(SCHEMA_VERSION)]


@pytest.mark.parametrize("folder", VERSIONS, ids=lambda path: path.name)
@pytest.mark.parametrize("source", [read_tables, tables_of_record])
def test_old_tables_and_old_records_tell_what_they_told(folder, source):
    trials, epochs = source(folder)
    assert trials.schema.equals(TRIALS_SCHEMA)
    assert epochs.schema.equals(EPOCHS_SCHEMA)
    assert trials["status"].to_pylist() == [
        *("completed", "stopped", "diverged", "failed", "running", "running")
    ]
    assert trials["val_error"].to_pylist() == [15.0, 60.0, None, None, 20.0, 60.0]
    assert trials["dropout"].to_pylist() == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert trials["lr_drops"].to_pylist() == [[0.3, 0.6, 0.8]] * 6
    assert trials["configuration"].to_pylist() in (
        list(range(6)),
        [None] * 6,
    )  # the tables of version 1 lack it
    assert trials["started_at"][0].as_py() == datetime(2023, 11, 14, 22, 13, 27, tzinfo=UTC)
    assert list(zip(epochs["trial_id"].to_pylist(), epochs["epoch"].to_pylist(), strict=True)) == [
        *(("trial_00000", epoch) for epoch in (1, 2, 3, 4)),
        ("trial_00001", 1),
        *(("trial_00004", epoch) for epoch in (1, 2, 3)),
        ("trial_00005", 1),
    ]


@pytest.mark.parametrize("column", ["configuration", "retries", "rung", "anchor", "seconds_alone"])
def test_columns_of_version_2_are_null_in_older_tables_and_follow_from_older_records(column):
    tables = {path.name: read_tables(path)[0][column] for path in VERSIONS}
    assert tables["version_1"].null_count == 6
    assert tables["version_2"].null_count == (5 if column == "rung" else 0)
    records = {path.name: tables_of_record(path)[0][column] for path in VERSIONS}
    assert records["version_1"].null_count == tables["version_2"].null_count
    assert records["version_2"].to_pylist() == tables["version_2"].to_pylist()


@pytest.mark.parametrize(
    ("column", "was", "now"),
    [
        ("bn_weight", "one", "uniform"),
        ("linear_init", "kaiming", "uniform"),
        ("momentum_at_drops", "keep", "restart"),
        ("last_batch", "drop", "keep"),
    ],
)
def test_columns_of_version_3_tell_of_older_records_how_all_were_trained(column, was, now):
    tables = {path.name: read_tables(path)[0][column] for path in VERSIONS}
    assert tables["version_1"].to_pylist() == tables["version_2"].to_pylist() == [was] * 6
    assert tables["version_3"].to_pylist() == [was] * 5 + [now]
    records = {path.name: tables_of_record(path)[0][column] for path in VERSIONS}
    assert records["version_1"].to_pylist() == records["version_2"].to_pylist() == [was] * 6
    assert records["version_3"].to_pylist() == tables["version_3"].to_pylist()


@pytest.mark.parametrize("folder", VERSIONS, ids=lambda path: path.name)
@pytest.mark.parametrize("source", [read_tables, tables_of_record])
def test_families_came_later_so_older_tables_and_records_hold_wide_networks_only(folder, source):
    trials, _ = source(folder)
    assert trials["family"].to_pylist() == ["wrn"] * 6
    assert trials["stochastic_depth"].to_pylist() == [0.0] * 6


@pytest.mark.parametrize("folder", VERSIONS, ids=lambda path: path.name)
@pytest.mark.parametrize("source", [read_tables, tables_of_record])
def test_the_product_of_learning_rate_and_weight_decay_follows_in_every_version(folder, source):
    trials, _ = source(folder)
    factors = zip(trials["learning_rate"].to_pylist(), trials["weight_decay"].to_pylist(), strict=True)
    assert trials["lr_x_wd"].to_pylist() == [rate * decay for rate, decay in factors]
    assert trials["lr_x_wd"].null_count == 0


@pytest.mark.parametrize(
    ("column", "was", "now"),
    [
        ("label_smoothing", 0.0, 0.1),
        ("mixup", 0.0, 0.2),
        ("cutmix", 0.0, 1.0),
        ("cutout", 0, 8),
        ("class_weights", "none", "balanced"),
        ("optimizer", "sgd", "adamw"),
        ("nesterov", True, True),
        ("beta1", 0.9, 0.8),
        ("beta2", 0.999, 0.99),
        ("lr_by", "epoch", "step"),
        ("lr_cooldown", 0.2, 0.3),
        ("warmup_epochs", 0, 1),
        ("clip_norm", None, 2.0),
        ("ema", 0.0, 0.99),
        ("sam", 0.0, 0.05),
        ("gradient_accumulation", 1, 4),
        ("linear_precision", "same", "fp32"),
        ("cuda_graph", "off", "off"),
        ("freeze", "none", "stem"),
        ("init_from", "random", "/weights/a.pt@sha256:" + "ab" * 32),
        ("ema_val_error", None, 55.0),
    ],
)
@pytest.mark.parametrize("source", [read_tables, tables_of_record])
def test_columns_of_version_4_tell_of_older_tables_and_records_that_they_were_off(source, column, was, now):
    told = {path.name: source(path)[0][column].to_pylist() for path in VERSIONS}
    assert told["version_1"] == told["version_2"] == told["version_3"] == [was] * 6
    assert told["version_4"] == [was] * 5 + [now]


@pytest.mark.parametrize("source", [read_tables, tables_of_record])
def test_errors_of_averaged_weights_came_with_version_4(source):
    told = [source(path)[1]["ema_val_error"].to_pylist() for path in VERSIONS]
    assert told == [[None] * 9] * 3 + [[None] * 8 + [55.0]] * 2


@pytest.mark.parametrize(
    ("column", "measured", "in_trials"),
    [("inference_ms", 1.5, 1.5), ("inference_ms_64", 20.0, 20.0), ("energy_kwh", 0.001, 0.004)],
)
@pytest.mark.parametrize("source", [read_tables, tables_of_record])
def test_what_objectives_ask_to_be_measured_came_with_version_5(source, column, measured, in_trials):
    trials = [source(path)[0][column].to_pylist() for path in VERSIONS]
    epochs = [source(path)[1][column].to_pylist() for path in VERSIONS]
    assert trials == [[None] * 6] * 4 + [[None] * 5 + [in_trials]]  # of energy a full training's: 4 epochs
    assert epochs == [[None] * 9] * 4 + [[None] * 8 + [measured]]


def test_frames_of_several_versions_keep_whole_numbers_and_flags():
    trials, _ = read_results(*VERSIONS)
    assert [str(trials[name].dtype) for name in ("configuration", "retries", "rung")] == ["Int64"] * 3
    assert str(trials["anchor"].dtype) == "boolean"
    assert trials["configuration"].isna().sum() == 6
