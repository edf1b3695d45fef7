"""Parts of the findings by hand (see `made`): its law, curves, rungs, distributions, finalists and provenance."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log2

from wrn_search.analysis.confirmation import Confirm, Finalist
from wrn_search.analysis.early_stopping import Rung, Rungs
from wrn_search.analysis.error_distributions import Edf, EdfCurve
from wrn_search.analysis.input_tables.shared_values import (
    Trial,
)
from wrn_search.analysis.learning_curves import Curve, Curves
from wrn_search.analysis.provenance import Provenance
from wrn_search.analysis.statistics.errors_by_class import ClassError

DEPTHS, FACTORS = (10, 16, 22, 28, 40), (1.0, 2.0, 4.0, 8.0)
PLANNED = [(depth, factor) for depth in DEPTHS for factor in FACTORS if (depth, factor) != (40, 8.0)] * 3


def final_error(number: int) -> float:
    """The error of a made trial after its last epoch, percent."""
    depth, factor = PLANNED[number]
    params = 17_000 * (depth - 4) * factor**2
    return 4 + 30 * (params / 1e5) ** -0.35 + 0.4 * log2(depth / factor) + number * 7 % 11 / 10


def error_at(number: int, epoch: int) -> float:
    """Its error after an epoch, percent."""
    return final_error(number) + 50 * exp(-0.25 * epoch)


def curves(rows: tuple[Trial, ...]) -> Curves:
    trained = sorted(
        (trial for trial in rows if trial.epochs_done),
        key=lambda trial: (-trial.epochs_done, trial.val_error),
    )
    curves = []
    for trial in trained:
        epochs = tuple(range(1, trial.epochs_done + 1))
        errors = tuple(error_at(trial.number, epoch) for epoch in epochs)
        curves.append(Curve(trial.number, epochs, errors, tuple(0.8 * error for error in errors)))
    return Curves(tuple(curves), (9, 18, 24), len(curves), thinned=False)


def rungs() -> Rungs:
    rungs = (Rung(9, 50, 17, 0.71, 33), Rung(18, 33, 0, 0.88, 33), Rung(24, 33, 0, 0.97, 33))
    taus = tuple((epoch, 1 - exp(-0.2 * epoch)) for epoch in range(1, 31))
    return Rungs(rungs, 1180, 1710, 357, taus, 33, "Only trials that got to the end are compared.")


def edf(rows: tuple[Trial, ...], full: list[int]) -> Edf:
    ended = sum(trial.status != "running" for trial in rows)

    def curve(label: str, places: list[int], n: int) -> EdfCurve:
        errors = sorted(rows[place].val_error or 0.0 for place in places)
        return EdfCurve(label, tuple(errors), tuple((i + 1) / n for i in range(len(errors))), n, len(errors))

    small = [place for place in full if rows[place].num_params < 1e6]
    large = [place for place in full if rows[place].num_params >= 1e6]
    bands = (curve("below 1 M", small, len(small) + 12), curve("1 M and more", large, len(large) + 7))
    return Edf(curve("all", full, ended), bands, (curve("deeper", small, 28), curve("wider", large, 28)), "")


def confirm(rows: tuple[Trial, ...], best: int) -> Confirm:
    first = Finalist(
        network=rows[best].network,
        number=best,
        search_error=9.1,
        val_errors=(9.4, 9.6, 9.2, 9.9, 9.5),
        val_summary=(9.5, 9.2, 9.9),
        winners_curse=0.42,
        test_errors=(9.1, 9.3, 9.0, 9.4, 9.2),
        test_summary=(9.2, 9.0, 9.4),
        coverage=93.75,
        is_winner=True,
        classes=(
            ClassError.of("cat", 100, [20, 22, 18]),
            ClassError.of("dog", 0, [0, 0, 0]),
            ClassError.of("fox", 60, [0, 1, 0]),
        ),
    )
    second = replace(
        first,
        network="WRN-22-8",
        number=41,
        search_error=9.4,
        val_errors=(9.9, 9.8, 10.2),
        val_summary=(9.9, 9.8, 10.2),
        test_errors=(),
        test_summary=None,
        coverage=None,
        is_winner=False,
        classes=(),
    )
    return Confirm((first, second), 5, "")


def provenance() -> Provenance:
    return Provenance(
        search="made",
        path="results/made",
        search_id="0123456789abcdef",
        space_text="name: made\nmodel:\n  depth: {choice: [10, 16]}\n",
        resolved_text=None,
        versions={"python": "3.12.0", "torch": "2.14.1"},
        hardware={"hostname": "here", "cpu": "AMD EPYC", "cores": 2, "memory_bytes": 1 << 34, "gpus": []},
        git={"commit": "0" * 40, "dirty": True},
        command=("run_search.py", "made.yaml"),
        seed=0,
        created_at="2026-01-02T03:04:05+00:00",
        wall_hours=3.3,
        train_hours=3.2,
        devices=("cpu",),
        nodes=("here",),
        precision="fp32",
        threads=1,
    )
