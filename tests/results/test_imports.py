"""What results/ loads: readers of results must not wait for torch, ray, TensorBoard or pandas."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import wrn_search.results

MODULES = tuple(path.stem for path in Path(wrn_search.results.__file__).parent.glob("[a-z]*.py"))


@pytest.mark.parametrize("module", MODULES)
def test_a_module_loads_nothing_heavy(module):
    heavy = {"torch", "torchvision", "ray", "optuna", "tensorflow", "tensorboard", "pandas"}
    allowed = {"tensorboard"} if module.startswith("tensorboard") else set()
    code = f"import sys, wrn_search.results.{module}; print(*sorted({heavy!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == allowed
