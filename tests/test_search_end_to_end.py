"""Whole searches on real digits through the real command, read back as a user would."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml

import wrn_search
from wrn_search.file_system.holder import own_mark
from wrn_search.results.events import Reported, Started
from wrn_search.results.events_jsonl import read_events

ROOT = Path(__file__).resolve().parents[1]
COMMAND = [sys.executable, str(ROOT / "run_search.py")]
DEADLINE = 240  # seconds; a hang must not stop the tests

QUICK = {
    "name": "quick",
    "dataset": {"name": "digits"},
    "model": {
        "depth": {"choice": [10, 16]},
        "widen_factor": {"choice": [1, 2]},
        "dropout": {"uniform": [0.0, 0.3]},
        "init": {"choice": ["fan_in", "fan_out"]},
    },
    "training": {"epochs": 6, "batch_size": 128, "weight_decay": {"loguniform": [1e-5, 1e-3]}},
    "search": {"trials": 8, "reduction_factor": 2},
}
# Whose networks train in a quarter of the time, where nothing must be struck in the middle of an epoch.
SMALL = QUICK | {"model": QUICK["model"] | {"widen_factor": {"choice": [0.25, 0.5]}}}


@pytest.fixture(scope="module", autouse=True)
def _data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Prepared images of this module's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WRN_SEARCH_DATA", str(tmp_path_factory.mktemp("data")))
        yield


def _written(folder: Path, document: dict) -> Path:
    path = folder / "space.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def _run(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


def _started(*arguments: object, cwd: Path) -> subprocess.Popen[str]:
    """The command in a process group of its own, as a shell starts it."""
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _wait_for(search: subprocess.Popen[str], results: Path, kind: type, count: int = 1) -> None:
    """Until the record of a running search holds that many events of a kind."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end and search.poll() is None:
        if (results / "events.jsonl").exists():
            events = [event for _, event in read_events(results / "events.jsonl")]
            if sum(isinstance(event, kind) for event in events) >= count:
                return
        time.sleep(0.05)
    raise AssertionError(f"no {count} {kind.__name__} in {results}")


def _trial_processes(search: subprocess.Popen[str]) -> list[psutil.Process]:
    """The processes of a running search that train."""
    below = psutil.Process(search.pid).children(recursive=True)
    return [process for process in below if "Trainable" in " ".join(process.cmdline())]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A finished search: its results directory and what the command printed."""
    folder = tmp_path_factory.mktemp("finished")
    done = _run(_written(folder, SMALL), cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "results" / "quick", done


def test_the_tables_hold_every_trial_and_epoch_once(finished) -> None:
    results, _ = finished
    trials, epochs = wrn_search.read(results)
    assert trials["number"].tolist() == list(range(8))
    assert set(trials["status"]) == {"completed", "stopped"}
    assert not epochs.duplicated(["trial_id", "epoch"]).any()
    assert (
        epochs.groupby("trial_id")["epoch"].max().to_dict()
        == trials.set_index("trial_id")["epochs_done"].to_dict()
    )
    assert trials["test_error"].isna().all()
    assert (trials["search"] == "quick").all()
    assert (trials.loc[trials["status"] == "completed", "epochs_done"] == 6).all()
    # The learning rate that was used: 0.1, then a fifth of it from each of the epochs 2, 4 and 5 on.
    first = epochs[epochs["trial_id"] == trials.query("status == 'completed'")["trial_id"].iloc[0]]
    assert first.sort_values("epoch")["learning_rate"].tolist() == pytest.approx(
        [0.1, 0.02, 0.02, 0.004, 8e-4, 8e-4]
    )
    assert (epochs["images_per_second"] * epochs["seconds"]).round().eq(1197 - 1197 % 128).all()
    assert trials["peak_memory_bytes"].gt(10**8).all()


def test_stops_fall_on_rungs_and_early_epochs_are_no_results(finished) -> None:
    results, done = finished
    trials, _ = wrn_search.read(results)
    assert set(trials.loc[trials["status"] == "stopped", "epochs_done"]) <= {2, 4, 5}
    best = trials[trials["status"] == "completed"]["val_error"].min()
    assert f"validation error {best:.2f} %" in done.stdout
    epochs_done = trials["epochs_done"].sum()
    assert f"Trained {epochs_done} of 48 planned epochs" in done.stdout


def test_stdout_is_the_result_and_stderr_the_progress(finished) -> None:
    _, done = finished
    assert done.stdout.startswith("quick: 8 trials on digits (")
    lines = done.stdout.splitlines()
    verdict = lines[lines.index("Results: results/quick") + 1 : -1]
    assert any(line.startswith("Winner: ") for line in verdict)
    assert verdict[-1].startswith("How sure: ")
    assert lines[-1] == "Report: results/quick/report.html"
    assert re.search(r"trials 8/8 .* epochs (\d+)/\1 \| best ", done.stderr)
    told = (done.stdout + done.stderr).replace("waiting for Ray\n", "")
    assert "ray" not in told.lower().replace("array", "")
    assert "Traceback" not in done.stderr


def test_the_results_directory_is_what_the_design_says(finished) -> None:
    results, _ = finished
    assert {path.name for path in results.iterdir()} == {
        "events.jsonl",
        "search.yaml",
        "resolved.yaml",
        "manifest.json",
        "trials.parquet",
        "epochs",
        "report.html",
        "verdict.json",
        "tensorboard",
        "checkpoints",
        "ray",
    }
    assert [path.name for path in (results / "epochs").iterdir()] == ["part-000000.parquet"]
    trials, _ = wrn_search.read(results)
    best = trials[trials["status"] == "completed"].sort_values(["val_error", "num_params", "number"]).head(3)
    kept = {path.stem for path in (results / "checkpoints").iterdir()}
    assert kept == set(best["trial_id"])
    assert yaml.safe_load((results / "search.yaml").read_text()) == SMALL
    assert yaml.safe_load((results / "resolved.yaml").read_text())["training"]["lr_drops"] == [0.3, 0.6, 0.8]
    manifest = json.loads((results / "manifest.json").read_text())
    assert manifest["dataset"]["train_images"] == 1197
    assert len(manifest["split_hash"]) == 16
    assert manifest["versions"]["ray"]


def test_tensorboard_shows_every_trial(finished) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    results, _ = finished
    trials, epochs = wrn_search.read(results)
    runs = sorted(path.name for path in (results / "tensorboard").iterdir() if path.is_dir())
    assert len(runs) == 8
    assert all(
        re.fullmatch(r"00\d_WRN-1[06]-0\.(25|5)_p0\.\d\d_wd[\d.e-]+_fan_(in|out)", run) for run in runs
    )
    for number, run in enumerate(runs):
        board = EventAccumulator(str(results / "tensorboard" / run)).Reload()
        own = epochs[epochs["trial_id"] == trials["trial_id"][number]].sort_values("epoch")
        points = board.Scalars("val_error")
        assert [point.step for point in points] == own["epoch"].tolist()
        assert [point.value for point in points] == pytest.approx(own["val_error"].tolist(), rel=1e-6)


@pytest.mark.slow
def test_results_are_never_overwritten_and_a_finished_search_is_shown_again(finished) -> None:
    results, done = finished
    folder = results.parents[1]
    before = (results / "events.jsonl").read_bytes()
    again = _run("space.yaml", cwd=folder)
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr.startswith(
        "--results: results are never overwritten, but results/quick exists and holds a search"
    )
    assert "--resume" in again.stderr
    resumed = _run("space.yaml", "--resume", cwd=folder)
    assert (resumed.returncode, resumed.stdout) == (0, done.stdout)
    other = _run("space.yaml", "--resume", "--set", "training.epochs=7", cwd=folder)
    assert other.returncode == 2
    assert "training.epochs: must stay what it was when a search is resumed" in other.stderr
    assert (results / "events.jsonl").read_bytes() == before


@pytest.mark.slow
@pytest.mark.exhaustive  # tests/faults has each interruption alone, of smaller networks
def test_the_same_search_one_trial_at_a_time_gives_the_same_curves_broken_or_not(tmp_path) -> None:
    """Ctrl-C, then SIGTERM, then kill -9, each in the middle of a session, then to the end; against an unbroken one."""
    document = QUICK | {
        "search": {"trials": 5, "rungs": [3], "reduction_factor": 2},
        "resources": {"concurrent": 1},
    }
    space = _written(tmp_path, document)
    whole = _run(space, "--results", "whole", "--quiet", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr

    first = _started(space, "--results", "broken", cwd=tmp_path)
    _wait_for(first, tmp_path / "broken", Reported, 3)
    os.killpg(first.pid, signal.SIGINT)
    _, errors = first.communicate(timeout=DEADLINE)
    assert first.returncode == 130, errors
    assert "interrupted: go on with the same command and --resume" in errors
    assert "Traceback" not in errors
    trials, _ = wrn_search.read(tmp_path / "broken")
    assert trials["status"].iloc[-1] == "interrupted"

    second = _started(space, "--results", "broken", "--resume", cwd=tmp_path)
    _wait_for(second, tmp_path / "broken", Reported, 7)
    second.terminate()
    _, errors = second.communicate(timeout=DEADLINE)
    assert second.returncode == 130, errors
    assert "SIGTERM received" not in errors

    third = _started(space, "--results", "broken", "--resume", cwd=tmp_path)
    _wait_for(third, tmp_path / "broken", Reported, 10)
    third.kill()
    third.communicate(timeout=DEADLINE)
    last = _run(space, "--results", "broken", "--resume", "--quiet", cwd=tmp_path)
    assert last.returncode == 0, last.stderr

    tables = [wrn_search.read(tmp_path / name) for name in ("whole", "broken")]
    kept = ["trial_id", "status", "epochs_done", "val_error", "val_loss", "train_loss", "dropout", "seed"]
    for (whole_trials, whole_epochs), (trials, epochs) in [tables]:
        assert trials[kept].equals(whole_trials[kept])
        metrics = ["trial_id", "epoch", "train_loss", "train_error", "val_loss", "val_error", "learning_rate"]
        assert epochs[metrics].equals(whole_epochs[metrics])


@pytest.mark.slow
def test_a_killed_trial_process_is_made_up_for_until_the_tries_are_over(tmp_path) -> None:
    document = QUICK | {
        "search": {"trials": 2, "scheduler": "none", "retries": 1},
        "resources": {"concurrent": 1},
    }
    search = _started(_written(tmp_path, document), "--results", "out", cwd=tmp_path)
    for reports in (2, 4):
        _wait_for(search, tmp_path / "out", Reported, reports)
        (trial,) = _trial_processes(search)
        trial.kill()
    _, errors = search.communicate(timeout=DEADLINE)
    assert search.returncode == 0, errors
    assert "Traceback" not in errors
    trials, epochs = wrn_search.read(tmp_path / "out")
    assert trials["status"].tolist() == ["failed", "completed"]
    reason, named = trials["error"].iloc[0].split("\n")
    assert reason.startswith("the trial's process ended: ")
    assert reason.endswith("(tried 2 times)")
    log = (tmp_path / "out" / named.removeprefix("all of it: ")).read_text()
    assert log.count("the process's log on ") == 2
    assert not epochs.duplicated(["trial_id", "epoch"]).any()

    extended = _run("space.yaml", "--results", "out", "--resume", "--trials", "3", cwd=tmp_path)
    assert extended.returncode == 0, extended.stderr
    more, _ = wrn_search.read(tmp_path / "out")
    assert more["status"].tolist() == ["failed", "completed", "completed"]
    assert more["trial_id"].tolist()[:2] == trials["trial_id"].tolist()


@pytest.mark.slow
@pytest.mark.exhaustive  # beside tests/faults/test_storage.py
def test_a_full_disk_stops_the_search_and_makes_no_failed_trials(tmp_path, monkeypatch) -> None:
    """Links to /dev/full in the place of all that any process might write next to checkpoints stand for the disk."""
    monkeypatch.setenv("WRN_SEARCH_CHECKPOINT_SECONDS", "0")  # so that one is there after the first epoch
    document = QUICK | {"search": {"trials": 4, "scheduler": "none"}, "resources": {"concurrent": 1}}
    space = _written(tmp_path, document)
    search = _started(space, "--results", "out", "--quiet", cwd=tmp_path)
    _wait_for(search, tmp_path / "out", Reported, 2)
    (checkpoint,) = (tmp_path / "out" / "checkpoints").glob("*.pt")
    host = own_mark().rpartition("-")[0]
    for pid in (path.name for path in Path("/proc").iterdir() if path.name.isdecimal()):
        for name in (f"{checkpoint.name}.{host}-{pid}.partial", f".probe-{host}-{pid}"):
            link = checkpoint.with_name(name)
            while not link.is_symlink():
                with contextlib.suppress(FileExistsError):  # it is just being written
                    link.symlink_to("/dev/full")
    _, errors = search.communicate(timeout=DEADLINE)
    assert search.returncode == 1, errors
    assert errors == (
        f"the search failed: a checkpoint could not be written: No space left on device ({checkpoint}); "
        "what is on record stays: go on with --resume\n"
    )
    trials, epochs = wrn_search.read(tmp_path / "out")
    assert trials["status"].tolist() == ["interrupted"]
    assert trials["epochs_done"].iloc[0] == len(epochs) >= 2

    resumed = _run(space, "--results", "out", "--resume", "--quiet", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    trials, epochs = wrn_search.read(tmp_path / "out")
    assert trials["status"].tolist() == ["completed"] * 4
    assert len(epochs) == 24


@pytest.mark.slow
def test_the_hours_end_a_search_with_what_it_has(tmp_path) -> None:
    document = QUICK | {"search": {"trials": 50, "max_hours": 0.002}}
    done = _run(_written(tmp_path, document), "--results", "out", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    trials, _ = wrn_search.read(tmp_path / "out")
    assert len(trials) < 50
    assert set(trials["status"]) <= {"completed", "stopped", "interrupted"}
    assert "interrupted" in done.stdout


@pytest.mark.slow
def test_trials_share_simulated_gpus_in_the_ray_that_a_notebook_started(tmp_path) -> None:
    """Two trials at once on one simulated GPU by halves, four cores; without a real one they train on the CPU."""
    program = f"""
import os, ray, wrn_search
from pathlib import Path
ray.init(address="local", num_cpus=4, num_gpus=1, include_dashboard=False, log_to_driver=False)
space = {QUICK | {"search": {"trials": 4, "scheduler": "none", "searcher": "random"}, "training": {"epochs": 2}}!r}
space["resources"] = {{"gpus_per_trial": 0.5}}
results = {str(tmp_path / "out")!r}
try:
    wrn_search.run(space, results=results, quiet=True)
except ValueError as undeclared:
    print(undeclared)
print(Path(results).exists())
os.environ["WRN_SEARCH_SIMULATED_GPUS"] = "1"
result = wrn_search.run(space, results=results, quiet=True)
assert ray.is_initialized(), "the notebook's Ray lives on"
print(result.reason)
"""
    environment = {name: value for name, value in os.environ.items() if name != "WRN_SEARCH_SIMULATED_GPUS"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, timeout=DEADLINE, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    undeclared, exists, reason = done.stdout.splitlines()
    assert undeclared.startswith("--address: torch must see the GPUs that Ray was told of")
    assert (exists, reason) == ("False", "finished")
    trials, _ = wrn_search.read(tmp_path / "out")
    assert set(trials["gpu_fraction"]) == {0.5}
    assert set(trials["threads"]) == {2}
    assert set(trials["device"]) == {"cpu"}
    running = most = 0
    for _, event in read_events(tmp_path / "out" / "events.jsonl"):
        running += isinstance(event, Started)
        running -= type(event).__name__ == "Completed"
        most = max(most, running)
    assert most == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resources": {"gpus_per_trial": 0.5}}, "resources.gpus_per_trial: a GPU must be there, but got "),
        (
            {"resources": {"cpus_per_trial": 4000}},
            "resources.cpus_per_trial: one machine must be able to hold",
        ),
        ({"dataset": {"name": "digits", "validation": 1490}}, "dataset.validation: "),
        ({"dataset": {"name": "parquet", "root": "nowhere"}}, "dataset.root: "),
    ],
)
def test_bad_requests_leave_nothing_behind(tmp_path, changes, message) -> None:
    done = _run(_written(tmp_path, QUICK | changes), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["space.yaml"]


def test_a_dry_run_prints_the_plan_and_writes_nothing(tmp_path) -> None:
    done = _run(_written(tmp_path, QUICK), "--dry-run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "trials are compared after epochs 2, 4, 5" in done.stdout
    assert "Dry run: nothing was started or written." in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["space.yaml"]


@pytest.mark.slow
def test_a_finished_search_mends_its_tables(finished, tmp_path) -> None:
    """Junk, or nothing, where tables were: `--resume` writes them anew from the record."""
    results, _ = finished
    whole, whole_epochs = wrn_search.read(results)
    for damage in ("junk", "gone"):
        shutil.copytree(results, tmp_path / damage)
        shutil.copy(results.parents[1] / "space.yaml", tmp_path)
        for path in [tmp_path / damage / "trials.parquet", *(tmp_path / damage / "epochs").iterdir()]:
            path.write_bytes(b"junk") if damage == "junk" else path.unlink()
        done = _run("space.yaml", "--results", damage, "--resume", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        trials, epochs = wrn_search.read(tmp_path / damage)
        assert trials.equals(whole)
        assert len(epochs) == len(whole_epochs)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:99999", "nowhere.invalid:6379"])
def test_an_address_where_no_cluster_answers_is_told_at_once(tmp_path, address) -> None:
    done = _run(_written(tmp_path, QUICK), "--address", address, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"--address: a Ray cluster must answer at {address} ")
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["space.yaml"]


@pytest.mark.slow
@pytest.mark.parametrize(("redirection", "status"), [(">&-", 0), ("> /dev/full", 1)])
def test_an_output_that_takes_nothing_is_no_traceback(tmp_path, redirection, status) -> None:
    _written(tmp_path, QUICK)
    command = f"{shlex.join(COMMAND)} space.yaml --dry-run {redirection}"
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == status
    assert len(done.stderr.splitlines()) == status, done.stderr


def test_ray_client_is_refused(tmp_path) -> None:
    done = _run(_written(tmp_path, QUICK), "--address", "ray://127.0.0.1:1", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "--address: must be HOST:PORT of a cluster's head node or auto, but got Ray Client's"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "redirection", ["2> >(head -c1 > /dev/null)", pytest.param("2>&-", marks=pytest.mark.exhaustive)]
)
def test_a_search_goes_on_when_nobody_watches(tmp_path, redirection) -> None:
    """stderr is a pipe whose reader has gone, or closed."""
    document = QUICK | {"search": {"trials": 1, "scheduler": "none"}, "training": {"epochs": 2}}
    command = f"{shlex.join(COMMAND)} {_written(tmp_path, document)} --results out {redirection}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, stdout=subprocess.PIPE, timeout=DEADLINE, check=False
    )
    assert done.returncode == 0
    trials, _ = wrn_search.read(tmp_path / "out")
    assert trials["epochs_done"].tolist() == [2]
