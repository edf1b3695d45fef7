"""A against B: the planted better network is named, a planted tie is not decided, and n stands beside the best of n."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.analysis.planted import Plan, plant
from wrn_search.analysis.all_findings import Findings, findings_of
from wrn_search.analysis.curve_model.listed_networks_compared import contest_lines

pytestmark = pytest.mark.usefixtures("few_draws")

A, B = "WRN-10-1.125", "WRN-16-0.75"


def planted(path: Path, error: Any, networks: Any = (A, B), trials: int = 24) -> Findings:
    plan = Plan(
        model={"network": list(networks), "dropout": {"uniform": [0.0, 0.5]}},
        training={"epochs": 10, "weight_decay": {"loguniform": [1e-5, 1e-2]}},
        search={"searcher": "random", "scheduler": "none", "trials": trials},
        error=error,
        noise=0.4,
    )
    return findings_of(plant(path / "planted", plan))


def test_the_better_one_is_named_though_each_has_its_own_best_dropout(tmp_path: Path) -> None:
    def error(leaves: Any, num_params: int) -> float:
        if leaves["depth"] == 10:
            return 6.0 + 8 * abs(leaves["dropout"] - 0.1)
        return 9.0 + 8 * abs(leaves["dropout"] - 0.1)

    findings = planted(tmp_path, error)

    (contest,) = findings.model.contests
    assert (contest.better.network, contest.other.network, contest.verdict) == (A, B, "better")
    assert contest.low <= 3.0 <= contest.high
    assert contest.better.trials + contest.other.trials == 24
    (line,) = contest_lines(findings.model, 10)
    assert line.sentence.startswith(f"{A} against {B}: ")
    assert line.sentence.endswith(f": {A} is better.")
    assert line in findings.answer.lines


def test_a_tie_is_not_decided(tmp_path: Path) -> None:
    findings = planted(tmp_path, lambda leaves, _: 8.0 + 4 * leaves["dropout"])

    (contest,) = findings.model.contests
    assert contest.low <= 0 <= contest.high
    assert contest.verdict in ("undecided", "no difference")


def test_blocks_of_one_depth_and_width_are_told_apart(tmp_path: Path) -> None:
    three, long = "WRN-22-1", "WRN-22-1-B(3,3,3)"
    findings = planted(
        tmp_path, lambda leaves, _: 6.0 if leaves["block"] == "B(3,3)" else 10.0, (three, long), trials=30
    )

    (contest,) = findings.model.contests
    assert (contest.better.network, contest.other.network, contest.verdict) == (three, long, "better")


@pytest.mark.parametrize("networks", [[A], [f"WRN-10-{k}" for k in range(1, 9)]])
def test_one_network_or_many_are_no_contest(tmp_path: Path, networks: list[str]) -> None:
    findings = planted(tmp_path, lambda leaves, _: 8.0 + 4 * leaves["dropout"], networks, trials=16)

    assert findings.model.contests == ()


def test_of_three_the_best_meets_each_other(tmp_path: Path) -> None:
    findings = planted(
        tmp_path,
        lambda leaves, _: {10: 6.0, 16: 9.0, 22: 12.0}[leaves["depth"]],
        (A, B, "WRN-22-0.5"),
        trials=30,
    )

    assert [(each.better.network, each.other.network) for each in findings.model.contests] == [
        (A, B),
        (A, "WRN-22-0.5"),
    ]


def test_a_network_is_told_with_nothing_that_does_not_apply_to_it(tmp_path: Path) -> None:
    """Dropout helps the wide one, to which alone it applies; the narrow one is told as it was trained."""
    plan = Plan(
        model={
            "network": ["WRN-16-1", "WRN-16-4"],
            "dropout": {"uniform": [0.0, 0.5], "when": {"widen_factor": {"min": 4}}},
        },
        training={"epochs": 10, "weight_decay": {"loguniform": [1e-5, 1e-2]}},
        search={"searcher": "random", "scheduler": "none", "trials": 30},
        error=lambda leaves, _: 14.0 - 8 * leaves["dropout"] - leaves["widen_factor"],
        noise=0.2,
    )

    findings = findings_of(plant(tmp_path / "planted", plan))

    (contest,) = findings.model.contests
    assert (contest.better.network, contest.other.network) == ("WRN-16-4", "WRN-16-1")
    assert contest.other.at["dropout"] == 0.0
    assert float(contest.better.at["dropout"]) > 0.3
    assert contest.other.low <= 13.0 <= contest.other.high
    narrow = next(cell for cell in findings.model.cells if cell.widen_factor == 1)
    assert narrow.at["dropout"] == 0.0
