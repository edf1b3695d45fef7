"""What trainings take of a real GPU, each in a process of its own, beside what is predicted."""

from __future__ import annotations

import itertools
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gpu.made_up_data import made_up_data
from benchmarks.gpu.memory_of_ways import STEPS, VALIDATION, memory_of

NETWORKS = ("16-1", "16-2", "16-8", "28-10")
BATCH_SIZES = (128, 512)
WAYS = ("eager", "captured")
CASES = list(itertools.product(NETWORKS, BATCH_SIZES, WAYS))
AT_ONCE = 4


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int, str], dict[str, Any]]:
    """Of all of them, some at a time: each counts what its own allocator holds."""
    folder: Path = tmp_path_factory.mktemp("images")
    for size in BATCH_SIZES:
        made_up_data(folder / str(size), STEPS * size, VALIDATION)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(AT_ONCE, mp_context=context, max_tasks_per_child=1) as pool:
        found = [pool.submit(memory_of, folder, *case, "bf16") for case in CASES]
        return {case: each.result() for case, each in zip(CASES, found, strict=True)}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_training_takes_no_more_than_predicted(memory: Any, case: tuple[str, int, str]) -> None:
    assert memory[case]["reserved"] <= memory[case]["predicted"]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_training_that_has_ended_leaves_its_images_and_no_more(
    memory: Any, case: tuple[str, int, str]
) -> None:
    assert memory[case]["left"] - memory[case]["data"] < 2**21
