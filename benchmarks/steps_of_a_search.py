"""What a step of Ray for each epoch costs the quickstart, beside steps of several epochs: seconds and CPU seconds.

Whole searches by the command, in turns; WRN_SEARCH_STEP_SECONDS=0 makes each epoch a step, as it was before. CPU
seconds are those of the command, which is the driver, and of what it waited for; not of the processes of trials.

    python -m benchmarks.steps_of_a_search [--rounds 3] [--space FILE] [--set KEY=VALUE]...
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks.measuring import in_turns, options, report
from wrn_search.ray_tune.steps.epochs_of_a_step import SECONDS
from wrn_search.results.events import Reported
from wrn_search.results.events_jsonl import read_events
from wrn_search.results.results_directory import ResultsDirectory

ROOT = Path(__file__).resolve().parents[1]
SIDES = {"a step an epoch": "0", "several epochs a step": "1"}


def search(space: str, settings: list[str], step_seconds: str) -> dict[str, float]:
    """What one search took: wall and CPU seconds, epochs, steps."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(ROOT / "run_search.py"), space, "--results", f"{folder}/r", "--quiet"]
        command += [word for each in settings for word in ("--set", each)]
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, env=os.environ | {SECONDS: step_seconds}, check=True, capture_output=True)
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        reports = [
            event
            for _, event in read_events(ResultsDirectory(Path(folder) / "r").events)
            if isinstance(event, Reported)
        ]
    return {
        "wall": wall,
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "epochs": len(reports),
        "steps": sum(not each.ended_ago for each in reports),
    }


def main() -> None:
    """Prints medians, and the ratio of both sides round by round."""
    parser = options(__doc__, rounds=3)
    parser.add_argument("--space", default="search_spaces/digits_quickstart.yaml")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    chosen = parser.parse_args()
    kept: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}

    def once(side: str) -> float:
        kept[side].append(search(chosen.space, chosen.settings, SIDES[side]))
        return kept[side][-1]["wall"]

    in_turns({side: partial(once, side) for side in SIDES}, chosen.rounds)
    lines = [f"{Path(chosen.space).stem}, {chosen.rounds} rounds, in turns; medians"]
    for side, runs in kept.items():
        told = {name: statistics.median(each[name] for each in runs) for name in runs[0]}
        lines.append(
            f"  {side:<24}{told['wall']:8.1f} s{told['cpu']:9.1f} CPU-s"
            f"{told['epochs']:7.0f} epochs{told['steps']:7.0f} steps"
        )
    first, second = kept.values()
    for name in ("wall", "cpu"):
        ratios = [b[name] / a[name] for a, b in zip(first, second, strict=True)]
        lines.append(
            f"  {name}, second over first: {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
        )
    report("steps_of_a_search", lines, {"runs": kept}, chosen.json)


if __name__ == "__main__":
    main()
