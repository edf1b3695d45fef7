"""Best so far: the lowest error at full epochs over the epochs that all trials together had spent by then."""

from __future__ import annotations

from dataclasses import dataclass

from wrn_search.analysis.input_tables.joined_tables import Material

MAX_STEPS = 1000


@dataclass(frozen=True)
class BestSoFar:
    """Where the lowest error fell."""

    steps: tuple[
        tuple[int, float, int], ...
    ]  # (epochs spent, lowest error in percent, trial); the last one at the end
    epochs: int  # spent by all trials that ended


def best_so_far_of(material: Material) -> BestSoFar:
    """Trials in the order of their ends; those still running are not counted, those that failed are."""
    rows = material.ended.dropna(subset=["finished_at"]).sort_values(["finished_at", "number"], kind="stable")
    spent, lowest = 0, float("inf")
    steps: list[tuple[int, float, int]] = []
    columns = ["epochs_done", "status", "val_error"]
    for place, done, status, error in rows[columns].itertuples(name=None):
        spent += int(done)
        if status == "completed" and error < lowest:
            lowest = float(error)
            steps.append((spent, lowest, int(place)))
    if steps and steps[-1][0] < spent:
        steps.append((spent, lowest, steps[-1][2]))
    return BestSoFar(tuple(steps[-MAX_STEPS:]), spent)
