"""The program for a borrowed GPU, at its tiny size on a CPU."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gpu.all import TINY, WHOLE, measure, parts_of, table
from benchmarks.gpu.made_up_data import config_of, made_up_data, workload_of
from benchmarks.gpu.memory_of_ways import predicted_again
from benchmarks.gpu.rates_of_ways import measured_way
from wrn_search.memory.predicted_memory import trial_memory

ROOT = Path(__file__).resolve().parents[3]


def test_a_way_tells_rate_and_memory_and_all_ways_learn_the_same(tmp_path: Path) -> None:
    data = made_up_data(tmp_path / "images", 64, 32)
    eager, captured = (measured_way("10-1", way, "fp32", 16, data, 1, 1) for way in ("eager", "captured"))
    assert eager["final_loss"] == captured["final_loss"] > 0
    assert eager["seconds_for_50000"] == pytest.approx(50_000 / eager["images_per_second"][0])
    assert eager["measured_bytes"] > 0
    assert (
        eager["predicted_bytes"]
        == trial_memory(workload_of(config_of("10-1", 16, "fp32"), data)).allocated_bytes
    )


def test_all_that_was_asked_for_is_among_the_parts(tmp_path: Path) -> None:
    parts = [(group, name) for group, name, _ in parts_of(WHOLE, tmp_path, 16, 60.0)]
    names = [name for _, name in parts]
    assert len(set(names)) == len(names)
    assert all(
        f"{network} {way} bf16 128" in names for network in WHOLE.networks for way in ("eager", "captured")
    )
    assert all(
        f"{network} plain loop {how} 128" in names for network in ("16-2", "28-10") for how in ("fp32", "AMP")
    )
    assert "16-2 and 16-1, up to 16 at once" in names
    assert (WHOLE.batch_sizes, len(WHOLE.networks), WHOLE.counts) == ((128, 512), 8, (1, 2, 4, 8, 16))
    assert {"28-10 compiled bf16 128", "28-10 compiled and captured bf16 128"} <= set(names)
    assert [group for group, _ in parts].count("out_of_memory") == 1
    assert [group for group, _ in parts].count("memory") == 1


def test_a_part_that_fails_costs_no_other_and_what_is_late_is_named() -> None:
    kept: list[dict[str, Any]] = []

    def failing() -> None:
        raise RuntimeError("CUDA out of memory")

    def slow() -> dict[str, dict[int, float]]:
        time.sleep(0.3)
        return {"16-2 captured": {1: 7.0, 4: 21.0}}

    parts = [("packing", "a", failing), ("packing", "b", slow), ("packing", "c", slow)]
    measure(iter(parts), time.monotonic() + 0.2, lambda found: kept.append(json.loads(json.dumps(found))))
    assert kept[0]["failed"].keys() == {"a"}
    assert kept[-1]["packing"] == {"b": {"16-2 captured": {"1": 7.0, "4": 21.0}}}
    assert kept[-1]["left_out"] == ["c"]
    lines = "\n".join(table(kept[-1]))
    assert "failed: a: RuntimeError: CUDA out of memory" in lines
    assert "left out for want of time: c" in lines
    assert re.search(r"16-2 captured, 4 at once +21 +3.00 times one alone", lines)


@pytest.mark.slow
def test_the_whole_program_runs_tiny(tmp_path: Path) -> None:
    """Every part once, in a process of its own as on a GPU; the search at its end is a real one."""
    command = [sys.executable, "-m", "benchmarks.gpu.all", "--tiny", "--json", str(tmp_path / "gpu.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert (found["failed"], found["left_out"], found["size"]) == ({}, [], "tiny")
    assert all(min(each["images_per_second"]) > 0 for each in found["rates"].values())
    assert len(found["rates"]) == 2 + 2 + len(TINY.precisions)
    (packed,) = found["packing"].values()
    assert {name: list(rates) for name, rates in packed.items()} == {
        "10-1 captured": ["1", "2"],
        "10-1 eager": ["1", "2"],
    }
    assert all(math.isfinite(rate) and rate > 0 for rates in packed.values() for rate in rates.values())
    (memory,) = found["memory"].values()
    assert len(memory) == 4
    assert all(
        each["reserved"] > each["predicted"] > 0 for each in memory.values()
    )  # the whole process's, on a CPU
    (search,) = found["out_of_memory"].values()
    assert (search["status"], search["trials"]) == (0, {"completed": 2})
    assert "images/s" in done.stdout


def test_the_prediction_holds_what_a_real_gpu_reserved() -> None:
    """Of eight networks at batch 128 and 512 on an H200, eager and captured: never under, at most 15 % over."""
    measured = json.loads((ROOT / "benchmarks/results/nvidia-h200/gpu_memory.json").read_text())["memory"]
    again = predicted_again(measured)
    assert len(again) == 34
    assert {name.partition(" ")[0] for name in again} == set(WHOLE.networks)
    ratios = {name: each["predicted"] / each["reserved"] for name, each in again.items()}
    assert {name: ratio for name, ratio in ratios.items() if not 1 <= ratio <= 1.15} == {}
