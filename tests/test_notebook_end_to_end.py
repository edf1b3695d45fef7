"""Searches from a notebook: the user's process, its environment and the Ray that runs in it stay the user's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = """
import json, logging, os, signal, sys
sys.path.insert(0, sys.argv[2])  # the package is not installed where processes of Ray would look
import wrn_search
space = {
    "name": "notebook",
    "dataset": {"name": "digits"},
    "model": {"depth": 10, "widen_factor": 0.25},
    "training": {"epochs": 1, "batch_size": 256},
    "search": {"searcher": "random", "scheduler": "none", "trials": 1},
    "resources": {"concurrent": 1, "cpus_per_trial": 1},
}

def searched(name):
    kept = dict(os.environ), signal.getsignal(signal.SIGTERM), sys.stdout
    result = wrn_search.run(space, results=sys.argv[1] + "/" + name, quiet=True)
    told[name] = {
        "trials": [trial.status for trial in result.state.trials.values()],
        "changed": sorted(
            name for name in {*os.environ, *kept[0]}
            if os.environ.get(name) != kept[0].get(name) and not name.startswith("KMP_")  # torch's import
        ),
        "same": kept[1:] == (signal.getsignal(signal.SIGTERM), sys.stdout),
    }

told = {}
searched("private")
import ray
ray.init(address="local", num_cpus=2, include_dashboard=False, logging_level=logging.ERROR)
mine = ray.put("mine")
searched("own")
told["mine"] = ray.get(mine)
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory):
    """What the notebook saw of both searches; all that was printed on stdout."""
    folder = tmp_path_factory.mktemp("notebook")
    given = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RAY_", "TUNE_", "PYTHONPATH"))
    }
    done = subprocess.run(
        [sys.executable, "-c", NOTEBOOK, str(folder), str(ROOT)],
        cwd=folder,
        env=given | {"WRN_SEARCH_DATA": str(folder / "data"), "TUNE_WARN_THRESHOLD_S": "7"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1  # nothing but our own line
    return json.loads(done.stdout)


def test_a_search_ends_with_the_process_as_it_was(told) -> None:
    assert told["private"] == {"trials": ["completed"], "changed": [], "same": True}


def test_a_ray_of_the_user_s_is_used_and_goes_on(told) -> None:
    assert told["own"] == {"trials": ["completed"], "changed": [], "same": True}
    assert told["mine"] == "mine"
