"""Made tables where nothing can be learned: neither hyperparameters nor early epochs say anything of the end.

Ends are drawn without a look at the hyperparameters. Up to two thirds of the epochs a curve has none of its end in it,
beyond the last rung of our default; from there on it approaches its end. Before that it is

- `noise`: every epoch's place among the others is a fresh draw;
- `crossing`: one draw is kept from the first epoch on, so that early epochs agree with each other, and mislead.
"""

from __future__ import annotations

import numpy as np

from wrn_search.decisions.image_facts import DataFacts
from wrn_search.replay.curve_table import CurveTable, Floats, RecordedCurve
from wrn_search.replay.table_space import TableSpace
from wrn_search.seeds import derived_seed
from wrn_search.space.domains import LogUniform, Uniform
from wrn_search.space.space_file import space_from_mapping

KINDS = ("noise", "crossing")
EPOCHS = 54  # so that the rungs of our default stand at 1, 3, 9 and 27
CONFIGURATIONS = 600
_DOMAINS = {"rate": LogUniform(1e-4, 1.0), "share": Uniform(0.0, 1.0)}
_SAYS_NOTHING = 2 / 3  # of the epochs
_LOWEST, _SPREAD = 10.0, 40.0  # percent: of the ends, and of what stands for them before


def uninformative_table(kind: str, seed: int) -> CurveTable:
    """One of them; the seed draws all of it."""
    generator = np.random.default_rng(derived_seed(seed, "uninformative table", kind))
    training = {"epochs": EPOCHS, "lr_schedule": "cosine"}
    space = space_from_mapping({"name": kind, "dataset": {"name": "digits"}, "training": training})
    ends = _drawn(generator, 1)
    early = _drawn(generator, EPOCHS if kind == "noise" else 1)
    approach = np.clip((np.arange(1, EPOCHS + 1) / EPOCHS - _SAYS_NOTHING) / (1 - _SAYS_NOTHING), 0, 1)
    falling = 40 * (1 - np.arange(1, EPOCHS + 1) / EPOCHS)  # percent, the same for all
    errors = falling + (1 - approach) * early + approach * ends
    rates = 10 ** generator.uniform(-4, 0, CONFIGURATIONS)
    shares = generator.uniform(size=CONFIGURATIONS)
    return CurveTable(
        name=f"{kind}:{seed}",
        space=TableSpace.of(space, _DOMAINS),
        configurations=tuple(
            {"rate": float(rate), "share": float(share)} for rate, share in zip(rates, shares, strict=True)
        ),
        curves=tuple((RecordedCurve(each, np.ones(EPOCHS)),) for each in errors),
        facts=DataFacts(10, (32, 32, 3), 10_000, 100.0),
        in_seconds=False,
    )


def _drawn(generator: np.random.Generator, epochs: int) -> Floats:
    """(C, epochs) percent."""
    return _LOWEST + _SPREAD * generator.uniform(size=(CONFIGURATIONS, epochs))
