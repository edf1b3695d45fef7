"""Figure 4 of the paper on this machine: forward and backward of 32 images, thin and wide networks, by `speed`.

On a CPU by the time that the process computed, on one thread, so that other work on the machine does not count; on a
GPU by the wall clock.

    python -m benchmarks.figure4 [--networks WRN-40-4,ResNet-164] [--rounds 5] [--threads 1] [--json FILE]
"""

from __future__ import annotations

import argparse

from benchmarks.measuring import options, report
from wrn_search.cli import speed
from wrn_search.hardware.detected_cores_and_gpus import gpu_names
from wrn_search.speed.beside_figure4 import plain_values, speed_lines


def main() -> None:
    """Prints the table and keeps its values."""
    parser = options(__doc__, rounds=5)
    parser.add_argument("--networks", nargs="+", help="by name (default: the five of figure 4)")
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    command = argparse.ArgumentParser()
    speed.add_options(command)
    told = command.parse_args([])
    told.networks, told.rounds, told.threads = chosen.networks, chosen.rounds, chosen.threads
    told.clock = "wall" if gpu_names() else "cpu"
    timed, setting, where = speed.timed_as_told(told)
    report("figure4", speed_lines(timed, setting, where), plain_values(timed, setting, where), chosen.json)


if __name__ == "__main__":
    main()
