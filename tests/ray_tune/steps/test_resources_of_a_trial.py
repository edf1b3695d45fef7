"""What a trial's process imports to begin: Tune's pickled trainable, and not what decides."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import ray.cloudpickle
from ray import tune

from wrn_search.ray_tune.steps.resources_of_a_trial import resources_of
from wrn_search.ray_tune.trainable import WideResNetTrainable

ROOT = Path(__file__).resolve().parents[3]
READ = """
import sys
import ray.cloudpickle
ray.cloudpickle.load(sys.stdin.buffer)
rooms = ("wrn_search.decisions.trial_lifecycle", "wrn_search.curves", "scipy", "optuna")
print(sorted(name for name in sys.modules if name.startswith(rooms)))
"""


def test_a_trial_process_imports_nothing_that_decides() -> None:
    """It would cost each of them most of a second."""
    told = ray.cloudpickle.dumps(tune.with_resources(WideResNetTrainable, resources_of))
    done = subprocess.run([sys.executable, "-c", READ], input=told, capture_output=True, cwd=ROOT, check=True)
    assert done.stdout.decode() == "[]\n"
