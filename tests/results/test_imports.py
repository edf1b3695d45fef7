"""What results/ loads: readers of results must not wait for torch, ray, TensorBoard or pandas."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import wrn_search.results

FOLDER = Path(wrn_search.results.__file__).parent
MODULES = tuple(
    ".".join(path.relative_to(FOLDER).with_suffix("").parts) for path in FOLDER.rglob("[a-z]*.py")
)
WRITE_RUNS = ("tensorboard_log", "tensorboard_view", "hparams_tab", "event_file", "record_framing")
LOADS_TENSORBOARD = tuple(f"tensorboard.{module}" for module in WRITE_RUNS)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_loads_nothing_heavy(module):
    heavy = {"torch", "torchvision", "ray", "optuna", "tensorflow", "tensorboard", "pandas"}
    allowed = {"tensorboard"} if module in LOADS_TENSORBOARD else set()
    code = f"import sys, wrn_search.results.{module}; print(*sorted({heavy!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == allowed
