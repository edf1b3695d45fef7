"""Small tables of curves, made up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wrn_search.decisions.image_facts import DataFacts
from wrn_search.replay.curve_table import CurveTable, RecordedCurve
from wrn_search.replay.table_space import TableSpace
from wrn_search.space.domains import Choice, IntRange, LogUniform, Uniform
from wrn_search.space.space_file import space_from_mapping

MakeCurve = Callable[[int, int], RecordedCurve]  # (configuration, epochs) -> its curve
DOMAINS = {
    "layers": IntRange(1, 5),
    "rate": LogUniform(1e-4, 1.0),
    "share": Uniform(0.0, 1.0),
    "kind": Choice(("a", "b")),
}


def falling(configuration: int, epochs: int) -> RecordedCurve:
    """Errors that fall towards an end that depends on the configuration; rankings change on the way."""
    end = 10.0 + (configuration * 37) % 53
    steps = np.arange(epochs)
    return RecordedCurve(end + 6 / (1 + steps) * ((configuration * 11) % 7), np.ones(epochs))


def level(configuration: int, epochs: int) -> RecordedCurve:
    """As good after one epoch as at the end, no two alike."""
    return RecordedCurve(np.full(epochs, 10.0 + (configuration * 37) % 53), np.ones(epochs))


def equal(configuration: int, epochs: int) -> RecordedCurve:
    """All alike."""
    return RecordedCurve(np.full(epochs, 50.0), np.ones(epochs))


def diverged_at_once(configuration: int, epochs: int) -> RecordedCurve:
    """No epoch is ever over."""
    return RecordedCurve(np.array([]), np.ones(1), diverged=True)


def half_diverged(configuration: int, epochs: int) -> RecordedCurve:
    """Every other one diverges half-way."""
    whole = falling(configuration, epochs)
    if configuration % 2:
        return whole
    return RecordedCurve(whole.errors[: epochs // 2], whole.seconds, diverged=True)


def made_table(configurations: int, epochs: int, curve: MakeCurve = falling) -> CurveTable:
    """A table of so many configurations, spread over all four kinds of domains."""
    training = {"epochs": epochs, "lr_schedule": "cosine"}
    space = space_from_mapping({"name": "made", "dataset": {"name": "digits"}, "training": training})
    generator = np.random.default_rng(0)
    return CurveTable(
        name="made",
        space=TableSpace.of(space, DOMAINS),
        configurations=tuple(
            {
                "layers": 1 + place % 5,
                "rate": float(10 ** generator.uniform(-4, 0)),
                "share": float(generator.uniform()),
                "kind": "ab"[place % 2],
            }
            for place in range(configurations)
        ),
        curves=tuple((curve(place, epochs),) for place in range(configurations)),
        facts=DataFacts(10, (32, 32, 3), 10_000, 90.0),
        in_seconds=False,
    )
