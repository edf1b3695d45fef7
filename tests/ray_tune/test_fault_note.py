"""What is told of a trial whose process a fault ended: the note of a real process that really died of it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.decisions.playing import conductor_of, new_record, space_of
from wrn_search.ray_tune.fault_note import left_behind, told_fault
from wrn_search.ray_tune.tune_adapter import ConductorScheduler, ConductorSearcher

_ENDINGS = {
    "segmentation fault": "ctypes.string_at(0)",
    "aborted": "os.abort()",
    "killed": "os.kill(os.getpid(), signal.SIGKILL)",
    "well": "pass",
}


def _process(note: Path, ending: str, log: Path | None = None) -> int:
    """The exit status of a process that writes its notes to `note`, a word to its log, and comes to such an end."""
    code = (
        "import ctypes, os, signal, sys\n"
        "from pathlib import Path\n"
        "from wrn_search.ray_tune.fault_note import begin_note\n"
        "begin_note(Path(sys.argv[1]).with_suffix('.of_the_trial_before'))\n"
        "begin_note(Path(sys.argv[1]))\n"
        "print('what a library in C says', file=sys.stderr, flush=True)\n"
        f"{_ENDINGS[ending]}\n"
    )
    with (log or Path(os.devnull)).open("w") as stderr:
        return subprocess.run([sys.executable, "-c", code, str(note)], stderr=stderr, check=False).returncode


@pytest.mark.parametrize("ending", ["segmentation fault", "aborted"])
def test_a_fault_is_told_by_its_name_and_place(tmp_path: Path, ending: str) -> None:
    note = tmp_path / "faults" / "trial.fault"
    assert _process(note, ending) < 0

    told = told_fault(note)
    assert told is not None
    assert told.startswith(f"the trial's process ended by a fault: {ending} (")


@pytest.mark.parametrize("ending", ["killed", "well"])
def test_other_ends_leave_no_fault(tmp_path: Path, ending: str) -> None:
    _process(tmp_path / "trial.fault", ending)
    assert told_fault(tmp_path / "trial.fault") is None
    assert told_fault(tmp_path / "no such file") is None


def test_the_error_of_a_trial_names_the_fault_and_blames_no_out_of_memory_killer(tmp_path: Path) -> None:
    space = space_of(search={"trials": 1, "searcher": "random", "scheduler": "none", "retries": 0})
    record = new_record(tmp_path / "events.jsonl", space)
    conductor = conductor_of(space, record)
    config = ConductorSearcher(conductor, tmp_path).suggest("ray1")
    assert isinstance(config, dict)
    _process(Path(config["fault_note"]), "segmentation fault")
    report = tmp_path / "error.txt"
    report.write_text(
        "Some common causes include: the process was killed by the OOM killer due to high memory usage"
    )

    trial = SimpleNamespace(config=config, error_file=str(report), trial_id="ray1")
    ConductorScheduler(conductor).on_trial_error(None, trial)

    error = conductor.state.trials[0].error
    assert error is not None
    assert "segmentation fault" in error
    assert "OOM" not in error


@pytest.mark.parametrize("ending", ["segmentation fault", "aborted", "killed"])
@pytest.mark.parametrize("report", ["Failure # 1\nconnection error code 2", None])
def test_the_log_of_a_dead_process_is_in_the_file_that_the_error_of_its_trial_names(
    tmp_path: Path, ending: str, report: str | None
) -> None:
    """Ray's own folder, where the log lies, may be gone by the time when somebody asks."""
    space = space_of(search={"trials": 1, "searcher": "random", "scheduler": "none", "retries": 1})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    checkpoints = tmp_path / "checkpoints"
    checkpoints.mkdir()
    log = tmp_path / "ray" / "worker-1.err"
    log.parent.mkdir()
    error_file = tmp_path / "error.txt"
    if report is not None:
        error_file.write_text(report)
    for tries in (1, 2):
        config = ConductorSearcher(conductor, checkpoints, tmp_path / "faults").suggest(f"ray{tries}")
        assert isinstance(config, dict)
        _process(Path(config["fault_note"]), ending, log)
        trial = SimpleNamespace(config=config, error_file=str(error_file), trial_id=f"ray{tries}")
        ConductorScheduler(conductor, checkpoints).on_trial_error(None, trial)
    log.unlink()

    error = conductor.state.trials[0].error
    assert error is not None
    reason, named = error.split("\n")
    assert reason.endswith(" (tried 2 times)")
    written = (tmp_path / named.removeprefix("all of it: ")).read_text()
    assert named == f"all of it: logs/{config['trial_id']}.txt"
    assert written.count("what a library in C says") == 2
    assert f"the process's log on {socket.gethostname()}, {log}" in written
    assert ("Fatal Python error" in written) == (ending != "killed")
    assert report is None or report in written


def test_a_note_without_a_log_and_none_at_all(tmp_path: Path) -> None:
    note = tmp_path / "trial.fault"
    assert left_behind(note) == ""
    _process(note, "killed")  # its stderr leads to no file
    assert left_behind(note).startswith("Process: ")
    note.write_text(f"Process: 7 on elsewhere, node , log {tmp_path / 'worker.err'}\n")
    assert "no machine that can be asked" in left_behind(note)
