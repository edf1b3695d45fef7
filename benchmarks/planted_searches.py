"""Searches on made-up curves whose truth is known: real TPE, ASHA that stops, realistic noise.

The flagship space: depth 16 to 40, k 1 to 10, dropout, weight decay; 60 epochs, rungs after the drops.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import optuna

from wrn_search.curves.observed_curves import CurveTrial, ObservedCurves
from wrn_search.schedulers.asha import goes_on

RUNGS, EPOCHS = (18, 36, 48), 60
DEPTHS, WIDTHS = (16.0, 22.0, 28.0, 40.0), (1.0, 2.0, 4.0, 8.0, 10.0)
PHI = np.array([1.0, 0.4, 0.12, 0.0])  # truth at the rungs and the end


@dataclass(frozen=True)
class Truth:
    """Log-odds at the end and early.

    Attributes:
        depth, width: for a doubling, at the end.
        early_depth, early_width: added before the last drop: large networks start slowly.
        end, start, epochs: deviations of u, v and of the noise of epochs.
    """

    depth: float = 0.0
    width: float = 0.0
    early_depth: float = 0.1
    early_width: float = 0.0
    end: float = 0.12
    start: float = 0.25
    epochs: float = 0.08
    cell: float = 0.04
    images: int = 5_000

    @property
    def depth_vs_width(self) -> float:
        """What a doubling of parameters does by depth, less what it does by width."""
        return self.depth - self.width / 2


def searched(truth: Truth, trials: int, seed: int, anchors: float = 0.0, eta: int = 3) -> ObservedCurves:
    """One search: TPE proposes, each trial is stopped at a rung unless it is among the best third so far."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    generator = np.random.default_rng(seed)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, multivariate=True))
    cells = {(d, k): truth.cell * generator.standard_normal() for d in DEPTHS for k in WIDTHS}
    arrived: dict[int, list[float]] = {rung: [] for rung in RUNGS}
    exempt = set(generator.choice(trials, round(anchors * trials), replace=False).tolist())
    told = []
    for number in range(trials):
        trial = study.ask()
        setting: dict[str, float | str] = {
            "depth": trial.suggest_categorical("depth", DEPTHS),
            "widen_factor": trial.suggest_categorical("widen_factor", WIDTHS),
            "dropout": trial.suggest_float("dropout", 0.0, 0.5),
            "weight_decay": trial.suggest_float("weight_decay", 1e-5, 5e-3, log=True),
        }
        wrong = _curve(truth, setting, cells, generator)
        seen = len(PHI)
        for index, rung in enumerate(RUNGS):
            error = float(wrong[index])
            trial.report(error, rung)
            arrived[rung].append(error)
            better = sum(each < error for each in arrived[rung])
            if number not in exempt and not goes_on(better, len(arrived[rung]), eta):
                seen = index + 1
                break
        ended = seen == len(PHI)
        study.tell(
            trial,
            float(wrong[-1]) if ended else None,
            optuna.trial.TrialState.COMPLETE if ended else optuna.trial.TrialState.PRUNED,
        )
        told.append(
            CurveTrial(
                str(number),
                str(number),
                setting,
                (*RUNGS, EPOCHS)[:seen],
                tuple(float(each) for each in wrong[:seen]),
                "completed" if ended else "stopped",
                anchor=number in exempt,
            )
        )
    return ObservedCurves(tuple(told), truth.images, EPOCHS, rungs=RUNGS, chance_error=90.0)


def _curve(
    truth: Truth,
    setting: dict[str, float | str],
    cells: dict[tuple[float, float], float],
    generator: np.random.Generator,
) -> np.ndarray:
    """Wrong images at the rungs and the end."""
    depth, width = float(setting["depth"]), float(setting["widen_factor"])
    blocks, doublings = math.log2(depth - 4) - 4.2, math.log2(width) - 1.86
    decay = math.log10(float(setting["weight_decay"])) + 3.5
    dropout = float(setting["dropout"])
    end = -2.7 + truth.depth * blocks + truth.width * doublings + cells[depth, width]
    end += 0.5 * (dropout - 0.25) + 0.1 * decay**2
    start = 1.2 + truth.early_depth * blocks + truth.early_width * doublings + 0.6 * dropout - 0.15 * decay
    z = (
        end
        + truth.end * generator.standard_normal()
        + PHI * (start + truth.start * generator.standard_normal())
    )
    z = z + truth.epochs * (0.3 + 0.7 * PHI) * generator.standard_normal(len(PHI))
    return generator.binomial(truth.images, 1 / (1 + np.exp(-z)))
