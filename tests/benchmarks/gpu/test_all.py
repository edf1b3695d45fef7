"""The program for a borrowed GPU, at its tiny size on a CPU."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gpu.all import TINY, WHOLE, measure, parts_of, table
from benchmarks.gpu.made_up_data import config_of, made_up_data, workload_of
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
    assert all(f"{network} eager bf16 512" in names for network in WHOLE.networks)
    assert all(
        f"{network} plain loop {how} 128" in names for network in ("16-2", "28-10") for how in ("fp32", "AMP")
    )
    assert {f"16-2 captured, {count} at once" for count in (1, 2, 4, 8, 16)} <= set(names)
    assert {"28-10 compiled bf16 128", "28-10 compiled and captured bf16 128"} <= set(names)
    assert [group for group, _ in parts].count("out_of_memory") == 1


def test_a_part_that_fails_costs_no_other_and_what_is_late_is_named() -> None:
    kept: list[dict[str, Any]] = []

    def failing() -> None:
        raise RuntimeError("CUDA out of memory")

    def slow() -> float:
        time.sleep(0.3)
        return 7.0

    parts = [("packing", "a", failing), ("packing", "b, 1 at once", slow), ("packing", "c", slow)]
    measure(iter(parts), time.monotonic() + 0.2, lambda found: kept.append(json.loads(json.dumps(found))))
    assert kept[0]["failed"].keys() == {"a"}
    assert kept[-1]["packing"] == {"b, 1 at once": 7.0}
    assert kept[-1]["left_out"] == ["c"]
    lines = "\n".join(table(kept[-1]))
    assert "failed: a: RuntimeError: CUDA out of memory" in lines
    assert "left out for want of time: c" in lines


@pytest.mark.slow
def test_the_whole_program_runs_tiny(tmp_path: Path) -> None:
    """Every part once, in a process of its own as on a GPU; the search at its end is a real one."""
    command = [sys.executable, "-m", "benchmarks.gpu.all", "--tiny", "--json", str(tmp_path / "gpu.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert (found["failed"], found["left_out"], found["size"]) == ({}, [], "tiny")
    assert all(min(each["images_per_second"]) > 0 for each in found["rates"].values())
    assert len(found["rates"]) == 2 + 2 + 1 + len(TINY.precisions)
    (packing,) = found["packing"].values()
    assert packing.keys() == {"10-1 eager", "10-1 captured"}
    assert all(rates.keys() == {str(count) for count in TINY.counts} for rates in packing.values())
    assert all(math.isfinite(rate) and rate > 0 for rates in packing.values() for rate in rates.values())
    (search,) = found["out_of_memory"].values()
    assert (search["status"], search["trials"]) == (0, {"completed": 2})
    assert "images/s" in done.stdout
