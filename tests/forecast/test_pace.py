"""Seconds an epoch: from the tables of this machine alone, and from a probe that agrees with a training."""

from __future__ import annotations

import importlib
import json
import socket
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from tests.training.trainings import config_of
from wrn_search.__main__ import main
from wrn_search.datasets.dataset import DatasetFacts
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.forecast.ends_of_a_space import ends_of
from wrn_search.forecast.forecast_here import ForecastHere, Machines, forecast_of
from wrn_search.forecast.pace import Measured, Pace, assumed_pace, probed_pace, recorded_pace, with_passes
from wrn_search.forecast.time_to_start import ASSUMED_SECONDS, time_to_start
from wrn_search.hardware.machine import Node
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import macs
from wrn_search.results.events import Proposed, Reported, SearchStarted
from wrn_search.results.events_jsonl import Record
from wrn_search.space.space_file import space_from_mapping
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


def test_only_epochs_that_were_alone_tell_the_pace(tmp_path: Path) -> None:
    """Four trials of ten epochs at 100 images/s: all alone, none, two epochs at twice the rate, untold of how many."""
    table(tmp_path / "a", [(1000, 100.0, HERE, "cuda:0", 1)] * 4)
    path = tmp_path / "a" / "trials.parquet"
    told = pq.read_table(path)
    for name, values in {
        "train_seconds": [50.0] * 4,
        "epochs_done": [10] * 4,
        "seconds_alone": [50.0, 0.0, 5.0, 5.0],
        "epochs_alone": [10, 0, 2, None],
    }.items():
        told = told.append_column(name, pa.array(values))
    pq.write_table(told, path)
    pace = recorded_pace(tmp_path, "cuda", 1)
    assert pace is not None
    assert (pace.points, pace.source) == (
        ((1000, (0.01 + 0.005) / 2),),
        "from 2 earlier trials on this machine",
    )
    assert pace.of_a_whole_gpu, "a share of it trains in proportion"
    pq.write_table(told.slice(1, 1), path)
    assert recorded_pace(tmp_path, "cuda", 1) is None
    shared = recorded_pace(tmp_path, "cuda", 1, shared=True)
    assert shared is not None
    assert (shared.points, shared.of_a_whole_gpu) == (((1000, 0.01),), False)
    assert shared.source == "from 1 earlier trial on this machine, of which no epoch had its device alone"


def test_between_networks_logarithms_are_interpolated() -> None:
    pace = Pace.of([Measured(100, 10.0), Measured(10_000, 1.0)], "")
    seconds = [pace.seconds_per_epoch(size, 30, 0) for size in (50, 100, 1000, 10_000, 20_000)]
    assert seconds == pytest.approx([1.5, 3.0, 3 * 10**0.5, 30.0, 60.0])
    assert pace.seconds_per_epoch(100, 30, 30) == pytest.approx(4.0)
    covered = [size for size in (20, 25, 400, 401, 2499, 2500, 40_000, 40_001) if pace.covers(size)]
    assert covered == [25, 400, 2500, 40_000]


def test_two_passes_a_step_take_twice_the_time(tmp_path: Path) -> None:
    """Of earlier trials what one pass took is known; a table of before has none of two."""
    table(tmp_path / "old", [(1000, 100.0, HERE, "cpu", 1)])
    table(tmp_path / "new", [(1000, 50.0, HERE, "cpu", 1)])
    path = tmp_path / "new" / "trials.parquet"
    pq.write_table(pq.read_table(path).append_column("sam", pa.array([0.05])), path)
    pace = recorded_pace(tmp_path, "cpu", 1)
    assert pace is not None
    assert pace.points == ((1000, 0.01),)
    for sam, passes in ((0, 1.0), (0.05, 2.0), ({"choice": [0, 0.05]}, 1.5), ({"uniform": [0, 0.1]}, 2.0)):
        space = space_from_mapping({"name": "s", "dataset": {"name": "digits"}, "training": {"sam": sam}})
        own = with_passes(pace, space)
        assert own is not None
        assert own.seconds_per_epoch(1000, 100, 30) == pytest.approx(passes * 1.0 + 0.1)
    for ema, validations in ((0, 1.0), (0.99, 2.0), ({"choice": [0, 0.99]}, 1.5)):
        space = space_from_mapping({"name": "s", "dataset": {"name": "digits"}, "training": {"ema": ema}})
        own = with_passes(pace, space)
        assert own is not None
        assert own.seconds_per_epoch(1000, 100, 30) == pytest.approx(1.0 + validations * 0.1), (
            "the average of the weights has a validation of its own"
        )


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
    assert found["start_seconds"] == ASSUMED_SECONDS  # no record beside the table tells more
    assert found["seconds"] == pytest.approx(ASSUMED_SECONDS + 10 * epoch)
    assert found["completed"] == 1
    assert main(["check", "s.yaml", "--set", "search.max_hours=0.001"]) == 0
    assert "; search.max_hours ends it after 4 s" in capsys.readouterr().out
    assert main(["check", "s.yaml", "--json", "--set", "search.budget.epochs=15"]) == 0
    found = json.loads(capsys.readouterr().out)["forecast"]
    assert (found["epochs"], found["completed"], found["trials"]) == (13, 1, 2), "two more reach no rung"


CIFAR = DatasetFacts(10, (32, 32, 3), 50_000)
SPACE = {
    "name": "played",
    "model": {"depth": 16, "widen_factor": {"choice": [1, 2]}},
    "training": {"epochs": 2},
    "search": {"searcher": "random", "scheduler": "none", "trials": 4},
    "resources": {"gpus_per_trial": 0.5, "cpus_per_trial": 1},
}
HALVES = Allotment(4, 1, 0.5)  # two GPUs


def told(folder: Path, **machines: object) -> ForecastHere:
    nodes = [Node(4, 1), Node(4, 1)]
    found = forecast_of(
        space_from_mapping(SPACE),
        CIFAR,
        4,
        HALVES,
        Machines(nodes, folder, **machines),  # type: ignore[arg-type]
    )
    assert found is not None
    return found


def test_gpus_of_which_nothing_is_known_go_by_a_stated_assumption(tmp_path: Path) -> None:
    """Six operations a multiply-add, 10^13 a second; two epochs with half a GPU each, all four trials at once."""
    for machines in ({}, {"hosts": ["a", "b"], "precision": "bf16"}):
        found = told(tmp_path, **machines)
        small, large = (macs(Architecture.of(16, width, "B(3,3)"), 10) for width in (1, 2))
        images = 45_000 + 5_000 / 3
        assert found.seconds_an_epoch == pytest.approx([size * 6 * images / 1e13 for size in (small, large)])
        fast, slow = found.seconds_an_epoch
        assert found.expected.seconds is not None
        training = found.expected.seconds - ASSUMED_SECONDS
        assert 2 * 2 * fast * (1 - 1e-9) <= training <= 2 * 2 * slow * (1 + 1e-9)
        line = found.lines()[-1]
        assert "assumed, not measured: 10 TFLOP/s of a GPU, of a share of it in proportion" in line


def test_gpus_of_a_known_kind_go_by_a_model(tmp_path: Path) -> None:
    nodes = [Node(8, 1, 80 * 10**9, "H100"), Node(2)]  # a head without GPUs decides nothing
    machines = Machines(nodes, tmp_path, ["a", "b"], False, "bf16")
    found = forecast_of(space_from_mapping(SPACE), CIFAR, 4, HALVES, machines)
    assert found is not None
    assert "modelled, not measured: steps of an H200" in found.lines()[-1]
    unlike = replace(machines, nodes=[*nodes, Node(8, 1, 16 * 10**9, "T4")])
    other = forecast_of(space_from_mapping(SPACE), CIFAR, 4, HALVES, unlike)
    assert other is not None
    assert other.pace == assumed_pace()


def test_simulated_gpus_train_at_the_pace_of_the_cpu(tmp_path: Path) -> None:
    sizes = [macs(Architecture.of(16, width, "B(3,3)"), 10) for width in (1, 2)]
    table(tmp_path / "old", [(size, 100.0, name, "cpu", 1) for size in sizes for name in ("a", HERE)])
    found = told(tmp_path, simulated_gpus=True)
    assert found.pace is not None
    assert found.pace.source == "from 2 earlier trials on this machine"
    of_nodes = told(tmp_path, simulated_gpus=True, hosts=["a", "b"])
    assert of_nodes.pace is not None
    assert of_nodes.pace.source == "from 2 earlier trials on these nodes"
    probed = told(tmp_path / "none", simulated_gpus=True, hosts=["a"], precision="fp32")
    assert probed.pace is not None
    assert probed.pace.source == (
        "from a probe of the smallest and the largest network on this machine, as if the nodes' cores were as fast"
    )


def test_earlier_trials_on_the_gpus_of_these_nodes_go_before_the_assumption(tmp_path: Path) -> None:
    sizes = [macs(Architecture.of(16, width, "B(3,3)"), 10) for width in (1, 2)]
    table(tmp_path / "old", [(size, 5000.0, "a", "cuda:0", 1) for size in sizes])
    found = told(tmp_path, hosts=["a", "b"])
    assert found.seconds_an_epoch == pytest.approx([(45_000 + 5_000 / 3) / 5000] * 2)


@pytest.mark.parametrize("hosts", [None, ["a", HERE]])
def test_trials_beside_others_tell_the_pace_only_where_nothing_better_does(
    tmp_path: Path, hosts: list[str] | None
) -> None:
    """A probe on this machine is better, the assumed rate of a GPU is not."""
    sizes = [macs(Architecture.of(16, width, "B(3,3)"), 10) for width in (1, 2)]
    table(tmp_path / "old", [(size, 5000.0, HERE, "cuda:0", 1) for size in sizes])
    path = tmp_path / "old" / "trials.parquet"
    nothing = pa.array([0.0] * 2)
    told_rows = pq.read_table(path).append_column("seconds_alone", nothing)
    pq.write_table(told_rows.append_column("train_seconds", pa.array([9.0] * 2)), path)
    found = told(tmp_path, hosts=hosts)
    assert found.pace is not None
    assert "no epoch had its device alone" in found.pace.source
    assert found.seconds_an_epoch == pytest.approx([(45_000 + 5_000 / 3) / 5000] * 2)


@pytest.mark.skipif(torch.cuda.is_available(), reason="the probe would run")
def test_a_gpu_that_cannot_be_probed_is_assumed(tmp_path: Path) -> None:
    found = told(tmp_path, precision="bf16")
    assert found.pace == assumed_pace()


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


def test_the_time_to_start_is_that_of_the_latest_searches(tmp_path: Path) -> None:
    """From the first event to the first epoch, without the epoch itself; a record without an epoch tells nothing."""
    assert time_to_start(tmp_path) == ASSUMED_SECONDS
    for name, seconds in (("a", 12.0), ("b", 20.0), ("c", 14.0), ("empty", None)):
        (tmp_path / name).mkdir()
        now = [1e9]
        with Record.create(tmp_path / name / "events.jsonl", clock=lambda now=now: now[0]) as record:
            record.append(SearchStarted("s", "id", 10, 90.0, "digits"))
            if seconds is not None:
                config = config_of(depth=10, widen_factor=0.5).to_dict()
                record.append(Proposed(0, "0", 0, 0, {}, config, 1, 1))
                now[0] += seconds
                record.append(
                    Reported(0, EpochMetrics(1, 0.1, 1.0, 50.0, 1.0, 50.0, 2.0, 1.0, 1), "n", "cpu")
                )
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "events.jsonl").write_text("nothing")
    assert time_to_start(tmp_path) == 12.0


def test_a_probe_takes_whole_steps_of_a_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """The optimiser's part and dropout's masks are a fifth of an epoch of small networks."""
    module = importlib.import_module("torch.optim.sgd")
    step, dropout = module.sgd, torch.nn.functional.dropout
    counts: Counter[str] = Counter()

    def counted(name: str, function: Any) -> Any:
        def call(*told: Any, **named: Any) -> Any:
            counts[name] += 1
            return function(*told, **named)

        return call

    monkeypatch.setattr(module, "sgd", counted("groups", step))
    monkeypatch.setattr(torch.nn.functional, "dropout", counted("masks", dropout))
    state = torch.random.get_rng_state()
    pace = probed_pace([config_of(depth=10, widen_factor=0.5, dropout=0.3)], 10, (8, 8, 1), 1)
    # A step has two groups of parameters, and a mask in each block of the three.
    assert 2 <= counts["groups"] / 2 == counts["masks"] / 3
    assert torch.equal(torch.random.get_rng_state(), state)
    assert 1 <= pace.waiting <= 30


def test_a_space_with_dropout_is_probed_with_it() -> None:
    told = {"model": {"widen_factor": {"choice": [1, 2]}, "dropout": {"uniform": [0.0, 0.4]}}}
    space = space_from_mapping({"name": "s", "dataset": {"name": "digits"}, **told})
    assert [config.dropout for config in ends_of(space, "fp32")] == [0.4, 0.4]
    plain = space_from_mapping({"name": "s", "dataset": {"name": "digits"}})
    assert [config.dropout for config in ends_of(plain, "fp32")] == [0.0]


def test_a_start_without_a_record_takes_longer_where_cores_are_busy(tmp_path: Path) -> None:
    assert time_to_start(tmp_path, waiting=3.0) == 3 * ASSUMED_SECONDS
