"""The benchmark of the curve model's answers: the tables it reads, its replays, and what it counts."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.answer_quality import Gate, replayed_ends
from benchmarks.flagship_replays import flagship_search, sentences
from benchmarks.planted_searches import EPOCHS, RUNGS, Truth, searched
from benchmarks.recorded_curves import RecordedCurves, of_curve_table, replayed, tables
from tests.benchmarks.made_tables import made_table
from wrn_search.errors import InputError
from wrn_search.space.yaml_with_lines import yaml_text

GOLDEN = Path(__file__).parent.parent / "golden" / "before_the_rooms" / "finished"
SEEDS, EPOCHS_OF_TABLE = 2, 12


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in the layout of a shipped table: 36 networks, two seeds each; what is wider errs less, at any depth."""
    folder = tmp_path_factory.mktemp("networks")
    generator = np.random.default_rng(0)
    rows = []
    for depth in (10, 16, 22):
        for width in (1, 2, 4, 8):
            for _ in range(3):
                dropout = float(generator.uniform(0, 0.5))
                end = -1.0 - 0.4 * math.log2(width) + 0.2 * dropout
                for seed in range(SEEDS):
                    own = 0.04 * generator.standard_normal()
                    z = [end + own + 2.0 * (0.6**epoch) for epoch in range(EPOCHS_OF_TABLE)]
                    errors = [100 / (1 + math.exp(-each)) for each in z]
                    rows.append({"depth": depth, "k": width, "dropout": dropout, "seed": seed, "val": errors})
    pq.write_table(pa.Table.from_pylist(rows), folder / "curves.parquet")
    description = {
        "source": "made up",
        "hyperparameters": {
            "depth": {"choice": [10, 16, 22]},
            "k": {"choice": [1, 2, 4, 8]},
            "dropout": {"uniform": [0.0, 0.5]},
        },
        "curve": "val",
        "network": {"depth": "depth", "width": "k"},
        "lr_schedule": "step",
        "lr_drops": [0.3, 0.6],
        "chance_error": 90.0,
        "validation_images": 2_000,
    }
    (folder / "curves.yaml").write_text(yaml_text(description))
    return folder


def one(folder: Path) -> RecordedCurves:
    """The table of a folder, which is the last that is read."""
    return list(tables([folder]))[-1]


def test_a_described_table_is_read_with_its_seeds_as_repeats(described: Path) -> None:
    table = one(described)
    assert table.name == described.name
    assert len(table.full.trials) == 36 * SEEDS
    assert table.full.trials[0].hyperparameters.keys() == {"depth", "widen_factor", "dropout"}
    assert Counter(each.configuration for each in table.full.trials).most_common()[-1][1] == SEEDS
    assert (table.full.images, table.full.chance_error, table.full.last_epoch) == (2_000, 90.0, 12)
    assert table.rungs == ((4, 7), (3, 9))  # the first epochs of lower learning rates; geometric ones
    assert not table.tuning


def test_hyperparameters_keep_the_scales_of_their_domains() -> None:
    scales = of_curve_table(made_table(8, 9)).full.scales
    assert scales == {"layers": "linear", "rate": "log10", "share": "linear", "kind": "categorical"}


def test_a_results_directory_is_read() -> None:
    table = list(tables([GOLDEN]))[-1]
    assert table.table is not None
    assert table.full.trials
    assert {each.status for each in table.full.trials} <= {"completed", "diverged"}
    for trial in table.full.trials:
        at, repeat = map(int, trial.trial.split("."))
        errors = table.table.curves[at][repeat].errors
        assert np.allclose(np.array(trial.wrong) * 100 / table.full.images, errors)
    assert table.full.scales == {"depth": "blocks", "widen_factor": "log2", "dropout": "linear"}
    assert table.tuning  # digits


def test_a_place_without_curves_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"curves\.parquet"):
        list(tables([tmp_path]))


def test_a_replay_hides_the_ends_of_those_it_stops(described: Path) -> None:
    full = one(described).full
    cut, hidden = replayed(full, (4, 7), 30, seed=1, anchors=0.2)
    whole = {each.trial: each for each in full.trials}
    stopped = {each.trial for each in cut.trials if each.status == "stopped"}
    assert stopped == hidden.keys()
    assert {each.epochs[-1] for each in cut.trials if each.trial in stopped} == {4, 7}
    for name, end in hidden.items():
        assert end == pytest.approx(100 * whole[name].wrong[-1] / full.images)
    assert 30 - len(stopped) >= 6 + 30 * 0.8 // 9  # anchors, and one in three of one in three


def test_predicted_ends_of_smooth_curves_beat_the_last_value(described: Path) -> None:
    table = one(described)
    ends = replayed_ends(table, (4, 7), 1, 0.2)
    assert ends.count > 10
    assert ends.covered >= 0.8 * ends.count
    assert ends.square < 0.25 * ends.square_of_last


def test_the_flagship_search_is_that_of_its_file_on_the_tables_networks(described: Path) -> None:
    table = one(described)
    assert table.table is not None
    found = flagship_search(table, table.table, 0)
    assert len(found.trials) == 36  # every configuration once; the flagship would try 64
    statuses = Counter(each.status for each in found.trials)
    assert statuses["stopped"] > statuses["completed"] > 0
    assert {each.epochs[-1] for each in found.trials} == {4, 7, 12}
    anchors = [each for each in found.trials if each.anchor]
    assert anchors
    assert all(each.status == "completed" for each in anchors)
    assert flagship_search(table, table.table, 0) == found


def test_width_that_helps_is_not_called_depth(described: Path) -> None:
    said = sentences(one(described), 1)
    assert said is not None
    assert said.truth_low > 1  # a factor above 1 speaks for width
    assert (said.searches, said.told, said.right) == (1, 1, 1)


def test_a_table_without_networks_has_no_sentence() -> None:
    assert sentences(of_curve_table(made_table(8, 9)), 1) is None
    assert sentences(replace(of_curve_table(made_table(8, 9)), table=None), 1) is None


def test_a_made_up_search_stops_two_in_three_at_a_rung_and_no_anchor() -> None:
    table = searched(Truth(), 60, seed=0, anchors=0.1)
    lasts = Counter(each.epochs[-1] for each in table.trials if not each.anchor)
    assert set(lasts) <= {*RUNGS, EPOCHS}
    assert 25 <= lasts[RUNGS[0]] <= 45
    assert all(each.epochs[-1] == EPOCHS for each in table.trials if each.anchor)
    assert sum(each.anchor for each in table.trials) == 6


@pytest.mark.parametrize(("value", "passed"), [(0.89, False), (0.9, True), (0.98, True), (0.99, False)])
def test_a_gate_says_what_was_missed(value: float, passed: bool) -> None:
    gate = Gate("covered", value, 0.9, 0.98)
    assert gate.passed is passed
    assert ("MISSED" in gate.line()) is not passed
