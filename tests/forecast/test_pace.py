"""Seconds an epoch: from the tables of this machine alone, and from a probe that agrees with a training."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.training.trainings import config_of
from wrn_search.__main__ import main
from wrn_search.forecast.pace import Measured, Pace, probed_pace, recorded_pace
from wrn_search.networks.parameters_and_macs import macs
from wrn_search.wording import duration

HERE = socket.gethostname()


def table(folder: Path, rows: list[tuple[int, float, str, str, int]]) -> None:
    """A table with the columns that tell the pace."""
    names = ("macs", "images_per_second", "node", "device", "threads")
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    folder.mkdir(parents=True)
    pq.write_table(pa.table(columns | {"precision": ["fp32"] * len(rows)}), folder / "trials.parquet")


def test_earlier_trials_of_this_machine_tell(tmp_path: Path) -> None:
    assert recorded_pace(tmp_path, "cpu", 1) is None
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "trials.parquet").write_text("no table")
    table(
        tmp_path / "a",
        [(1000, 50.0, HERE, "cpu", 1), (1000, 100.0, HERE, "cpu", 1), (1000, 400.0, HERE, "cpu", 1)],
    )
    others = [(1000, 1.0, "elsewhere", "cpu", 1), (1000, 2.0, HERE, "cuda:0", 1), (1000, 3.0, HERE, "cpu", 2)]
    table(tmp_path / "b", others)
    pace = recorded_pace(tmp_path, "cpu", 1)
    assert pace is not None
    assert pace.points == ((1000, 0.01),), "the median"
    assert pace.source == "from 3 earlier trials on this machine"
    assert recorded_pace(tmp_path, "cuda", 1).points == ((1000, 0.5),)
    assert recorded_pace(tmp_path, "cpu", 7).source.startswith("from 4 "), (
        "of other threads, if there are no others"
    )


def test_between_networks_logarithms_are_interpolated() -> None:
    pace = Pace.of([Measured(100, 10.0), Measured(10_000, 1.0)], "")
    seconds = [pace.seconds_per_epoch(size, 30, 0) for size in (50, 100, 1000, 10_000, 20_000)]
    assert seconds == pytest.approx([1.5, 3.0, 3 * 10**0.5, 30.0, 60.0])
    assert pace.seconds_per_epoch(100, 30, 30) == pytest.approx(4.0)
    covered = [size for size in (20, 25, 400, 401, 2499, 2500, 40_000, 40_001) if pace.covers(size)]
    assert covered == [25, 400, 2500, 40_000]


def test_a_probe_measures_both_networks() -> None:
    configs = [config_of(depth=10, widen_factor=0.5), config_of(depth=16, widen_factor=2.0)]
    pace = probed_pace(configs, 10, (8, 8, 1), 1)
    assert [size for size, _ in pace.points] == [
        macs(config.architecture, 10, 1, (8, 8)) for config in configs
    ]
    assert all(0 < seconds < 1 for _, seconds in pace.points)


def test_the_plan_and_check_tell_what_to_expect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path / "data"))
    Path("s.yaml").write_text(
        "dataset: {name: digits}\nmodel: {depth: {choice: [10, 16]}, widen_factor: 0.25}\n"
        "training: {epochs: 10}\nsearch: {searcher: random, trials: 6}\nresources: {concurrent: 1, cpus_per_trial: 1}\n"
    )
    assert main(["check", "s.yaml"]) == 0
    told = capsys.readouterr().out
    assert "forecast      about " in told
    assert "time not known" in told
    assert main(["run", "s.yaml", "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "of 2 trials will reach the end, in " in told
    assert "made-up curves" in told
    assert "from a probe of the smallest and the largest network" in told
    assert "1 trial at once, each with 1 thread" in told
    assert "1 threads" not in told
    size = macs(config_of(depth=10, widen_factor=0.25).architecture, 10, 1, (8, 8))
    table(tmp_path / "results" / "old", [(size, 1000.0, HERE, "cpu", 1), (2 * size, 500.0, HERE, "cpu", 1)])
    assert main(["check", "s.yaml"]) == 0
    assert "s an epoch, from 2 earlier trials on this machine" in capsys.readouterr().out
    assert (
        main(["check", "s.yaml", "--json", "--set", "search.scheduler=none", "--set", "model.depth=10"]) == 0
    )
    found = json.loads(capsys.readouterr().out)["forecast"]
    epoch = (1197 + 300 / 3) / 1000  # training images, and a third of the cost for those that validate
    assert found["seconds_an_epoch"] == pytest.approx([epoch, epoch])
    assert found["seconds"] == pytest.approx(10 * epoch)
    assert found["completed"] == 1
    assert main(["check", "s.yaml", "--set", "search.max_hours=0.001"]) == 0
    assert "; search.max_hours ends it after 4 s" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (47.4, "47 s"),
        (60, "1 min"),
        (125, "2 min 5 s"),
        (725, "12 min"),
        (3600, "1 h"),
        (4210, "1 h 10 min"),
        (86_400, "1 d"),
        (183_600, "2 d 3 h"),
        (-5, "0 s"),
    ],
)
def test_durations_as_people_write_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
