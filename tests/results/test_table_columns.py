"""The tables' columns are a promise: names and types as documented, one type for ever."""

from __future__ import annotations

import dataclasses

import pytest

from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.results.table_columns import EPOCHS_COLUMNS, EPOCHS_SCHEMA, TRIALS_COLUMNS, TRIALS_SCHEMA
from wrn_search.space.trial_config import LEAVES

# Typed out, not derived: whoever changes a column changes it here, too, and raises the schema version.
TRIALS = """
search string, trial_id string, number int64, status string, depth int64, widen_factor double,
deepening_factor int64, block string, dropout double, init string, epochs int64, batch_size int64,
learning_rate double, momentum double, weight_decay double, weight_decay_on string, lr_schedule string,
lr_drops list<item: double>, lr_drop_factor double, precision string, compile string, dataset string,
seed int64, repeat int64, num_params int64, macs int64, epochs_done int64, val_error double,
best_val_error double, val_loss double, train_error double, train_loss double, test_error double,
train_seconds double, images_per_second double, peak_memory_bytes int64, gpu_fraction double,
threads int64, device string, node string, error string, started_at timestamp[us, tz=UTC],
finished_at timestamp[us, tz=UTC], configuration int64, retries int64, rung int64, anchor bool,
seconds_alone double, bn_weight string, linear_init string, momentum_at_drops string, last_batch string,
family string, stochastic_depth double, lr_x_wd double,
init_from string, freeze string, test_images_by_class list<item: int64>,
test_wrong_by_class list<item: int64>, label_smoothing double, mixup double, cutmix double, cutout int64,
class_weights string, optimizer string, nesterov bool, beta1 double, beta2 double,
lr_by string, lr_cooldown double, warmup_epochs int64, clip_norm double, ema double, sam double,
gradient_accumulation int64, ema_val_error double, linear_precision string, cuda_graph string,
epochs_alone int64, inference_ms double, inference_ms_64 double, energy_kwh double
"""
EPOCHS = """
search string, trial_id string, epoch int64, learning_rate double, train_loss double, train_error double,
val_loss double, val_error double, seconds double, images_per_second double, memory_bytes int64,
reported_at timestamp[us, tz=UTC], ema_val_error double, alone bool,
inference_ms double, inference_ms_64 double, energy_kwh double
"""


@pytest.mark.parametrize(("schema", "columns"), [(TRIALS_SCHEMA, TRIALS), (EPOCHS_SCHEMA, EPOCHS)])
def test_columns_and_types_are_as_promised(schema, columns):
    found = ", ".join(f"{field.name} {field.type}" for field in schema)
    assert found == " ".join(columns.split())
    assert all(field.nullable for field in schema)
    assert schema.metadata == {b"wrn_search.schema_version": b"5"}


@pytest.mark.parametrize(
    ("schema", "columns"), [(TRIALS_SCHEMA, TRIALS_COLUMNS), (EPOCHS_SCHEMA, EPOCHS_COLUMNS)]
)
def test_every_field_carries_its_unit_and_meaning(schema, columns):
    assert [column.name for column in columns] == schema.names
    for column in columns:
        assert column.meaning
        assert schema.field(column.name).metadata == {
            b"unit": column.unit.encode(),
            b"description": column.meaning.encode(),
        }
    for name in schema.names:
        if name.endswith("_error"):
            assert schema.field(name).metadata[b"unit"] == b"percent"
        if name.endswith("_bytes"):
            assert schema.field(name).metadata[b"unit"] == b"bytes"


def test_every_leaf_of_a_trial_config_is_a_column():
    assert set(LEAVES) | {"dataset", "seed"} <= set(TRIALS_SCHEMA.names)


def test_every_metric_is_a_column_of_the_epochs():
    assert {field.name for field in dataclasses.fields(EpochMetrics)} <= set(EPOCHS_SCHEMA.names)
