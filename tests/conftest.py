"""Which tests share a process when they run in several: the tests of a file, and of the quick ones all that start Ray.

Two Rays on two cores would only wait for each other, and tests that look at processes or free memory would see both.
Faults and the slow tests of whole searches mostly wait, for a moment to strike or for Ray to notice: there each test
goes to whichever process is free.
"""

from __future__ import annotations

import os
import secrets
import signal
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

# Examples take longer on a busy machine: no test of values is one of time.
settings.register_profile("busy machine", deadline=None)
settings.load_profile("busy machine")

# Processes of tests share the cores, where threads that wait for each other spin: 20 decisions among 3,000 curves
# (tests/curve_process) took 16 s of a core by two threads beside other work, and 1.8 s by one. A trial sets its own.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A Ray of a test that finds no token would write one into the developer's home, where it locks his own cluster out.
os.environ.setdefault("RAY_AUTH_MODE", "token")
os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))

START_RAY = (
    "tests/cluster/test_cluster_token.py",
    "tests/ray_tune/test_loopback.py",
    "tests/ray_tune/test_private_ray.py",
    "tests/ray_tune/test_this_process.py",
    "tests/ray_tune/test_token_in_the_home.py",
    "tests/session/test_ray_that_does_not_start.py",
    "tests/session/test_resume.py",
    "tests/session/test_retry_failed.py",
    "tests/test_extending.py",
    "tests/test_golden_results.py",
    "tests/winner/test_end_to_end.py",
)


EACH_ALONE = (
    "tests/faults/",
    "tests/test_search_end_to_end.py",
    "tests/test_confirm_end_to_end.py",
    "tests/test_examples_end_to_end.py",
)
# Of the tests that take minutes the longest come first: else one process would be left alone with one of them.
LONGEST = (
    "tests/cli/test_commands_of_the_pages.py",
    "tests/test_your_data_end_to_end.py",
    "tests/faults/test_random_kills.py",
    "tests/memory/test_predicted_activations.py",
    "tests/test_extending.py",
    "tests/test_imagenet_end_to_end.py",
    "tests/benchmarks/gpu/test_all.py",
    "tests/test_examples_end_to_end.py",
    "tests/test_todays_recipe_end_to_end.py",
    "tests/cluster/test_ray_up.py",
    "tests/cluster/test_slurm_and_by_hand.py",
)


def pytest_configure() -> None:
    """A shell's background job ignores SIGINT, and so would every search of a test: Ctrl-C would stop nothing."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """Tests of a file go to one process; of the quick ones those of all files that start Ray to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if _are_quick(self.config):
            return "Ray" if _starts_ray(file) else file
        if not file.startswith(EACH_ALONE):
            return file
        return "a finished search, which they share" if "a_finished_search" in nodeid else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Whatever `--dist` says."""
    config.option.loadscopereorder = _are_quick(config)  # the long ones are in order
    return ByFile(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Those that take the longest come first; of the quick ones these are those that start Ray."""
    for item in items:
        marks = {mark.name for mark in item.iter_markers()}
        assert "exhaustive" not in marks or marks & {"slow", "faults"}, (
            f"not among the quick ones: {item.nodeid}"
        )

    def place(item: pytest.Item) -> int:
        file = item.nodeid.partition("::")[0]
        if not _are_quick(config) and file in LONGEST:
            return LONGEST.index(file)
        return len(LONGEST) + (not _starts_ray(file))

    items.sort(key=place)


def _are_quick(config: pytest.Config) -> bool:
    return "not slow" in str(config.getoption("markexpr"))


def _starts_ray(file: str) -> bool:
    return file in START_RAY or file.endswith("_end_to_end.py")
