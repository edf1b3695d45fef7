"""Tables of made-up curves for the tests of this room: the truth is known because it was put in."""

from __future__ import annotations

import math

import numpy as np

from wrn_search.curves.observed_curves import CurveTrial, ObservedCurves

EPOCHS = (18, 36, 48, 60)
PHI = np.array([1.0, 0.4, 0.12, 0.0])


def made_up(
    trials: int = 60,
    seed: int = 0,
    depth: float = 0.0,
    width: float = -0.37,
    learning_rate: tuple[float, float] | None = None,
    repeats: int = 1,
    images: int = 5_000,
    stop: bool = True,
) -> ObservedCurves:
    """A random search in which two of three are stopped at each rung.

    Args:
        depth, width: log-odds of a doubling at the end.
        learning_rate: log-odds of a factor of 10 at the end, and what is added early; left out if None.
    """
    generator = np.random.default_rng(seed)
    arrived: list[list[float]] = [[] for _ in EPOCHS]
    told = []
    for number in range(trials // repeats):
        setting: dict[str, float | str] = {
            "depth": float(generator.choice([16, 22, 28, 40])),
            "widen_factor": float(generator.choice([1, 2, 4, 8])),
            "dropout": float(generator.uniform(0, 0.5)),
        }
        end = -2.5 + depth * (math.log2(float(setting["depth"]) - 4) - 4)
        end += width * (math.log2(float(setting["widen_factor"])) - 1.5) + 0.4 * (
            float(setting["dropout"]) - 0.25
        )
        start = 1.2
        if learning_rate is not None:
            setting["learning_rate"] = float(10 ** generator.uniform(-2, 0))
            off = math.log10(float(setting["learning_rate"])) + 1
            end, start = end + learning_rate[0] * off, start + learning_rate[1] * off
        own = 0.08 * generator.standard_normal()
        for repeat in range(repeats):
            level = end + own + 0.08 * generator.standard_normal()
            z = level + PHI * (start + 0.2 * generator.standard_normal())
            z = z + 0.05 * (0.3 + 0.7 * PHI) * generator.standard_normal(len(PHI))
            wrong = generator.binomial(images, 1 / (1 + np.exp(-z))).astype(float)
            seen = len(EPOCHS)
            for index in range(len(EPOCHS) - 1 if stop else 0):
                arrived[index].append(wrong[index])
                if sum(each < wrong[index] for each in arrived[index]) >= max(1, len(arrived[index]) // 3):
                    seen = index + 1
                    break
            told.append(
                CurveTrial(
                    f"{number}.{repeat}",
                    str(number),
                    setting,
                    EPOCHS[:seen],
                    tuple(float(each) for each in wrong[:seen]),
                    "completed" if seen == len(EPOCHS) else "stopped",
                    repeat=repeat,
                )
            )
    return ObservedCurves(tuple(told), images, EPOCHS[-1], rungs=EPOCHS[:-1], chance_error=90.0)
