"""A process whose parent is killed, busy as in the middle of an epoch."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
TRIAL = """
import time
from wrn_search.ray_tune.end_with_parent import end_with_parent
end_with_parent()
end_with_parent()
print("training", flush=True)
while True:
    sum(range(10_000))
"""
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {TRIAL!r}])"


def test_a_busy_trial_process_ends_when_its_parent_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "training\n"
        (trial,) = psutil.Process(parent.pid).children()
        time.sleep(1.2)
        assert trial.is_running()  # it lives as long as its parent does
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    psutil.wait_procs([trial], timeout=60)
    assert not trial.is_running()
