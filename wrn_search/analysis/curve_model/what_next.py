"""Verdicts on each question, and the trainings that would decide what is undecided, at their measured pace."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

from wrn_search.analysis.curve_model.cells_of_the_space import Pair, architecture_of, network_of
from wrn_search.analysis.curve_model.model_values import EFFECT_MARGIN, EffectCurve, NextTraining, Verdict
from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.analysis.input_tables.shared_values import Value
from wrn_search.curves.curve_fit import CurveFit
from wrn_search.curves.effects import DEPTH_VS_WIDTH, Effect
from wrn_search.curves.next_trainings import next_trainings, trainings_to_decide
from wrn_search.curves.observed_curves import DEPTH, WIDTH
from wrn_search.curves.settings_of_cells import Setting, best_setting
from wrn_search.networks.parameters_and_macs import macs
from wrn_search.wording import short_count

COUNT = 12  # trainings of a plan, at most
_FIRST = (DEPTH_VS_WIDTH, "width", "depth")  # what the search is about; then the others in their order


def verdicts_of(
    fit: CurveFit, effects: Sequence[Effect], pairs: Sequence[Pair], curves: Sequence[EffectCurve]
) -> tuple[Verdict, ...]:
    """A verdict for each effect, with how many trainings an undecided one still needs.

    Where a slope says little since the best value lies between, as of a learning rate, the worst value tried is told
    against the best one.
    """
    bent = {curve.name: curve for curve in curves if not curve.categorical and curve.best is not None}
    whole = all(fit.observations.seen[:, -1])
    settings = _settings(fit, pairs)
    found = [
        Verdict(
            question=effect.question,
            unit=effect.unit,
            effect=effect.effect,
            low=effect.low,
            high=effect.high,
            kind="measured" if whole else "predicted",
            verdict=effect.verdict,
            trainings_to_decide=trainings_to_decide(fit, effect, EFFECT_MARGIN, settings),
        )
        for effect in effects
    ]
    return tuple(_of_span(each, bent[each.question]) if each.question in bent else each for each in found)


def _of_span(verdict: Verdict, curve: EffectCurve) -> Verdict:
    """The same, or that of the best and the worst value: where the best lies between, or where the slope is nothing."""
    best, worst, effect, low, high = curve.span
    first, last = float(curve.points[0][0]), float(curve.points[-1][0])
    between = first < (curve.best_low or first) and (curve.best_high or last) < last
    decided = verdict.verdict in ("helps", "hurts")
    if low <= 1 + EFFECT_MARGIN or (decided and not between):
        return verdict
    unit = f"from {short_count(float(best))} to {short_count(float(worst))}"
    return Verdict(verdict.question, unit, effect, low, high, verdict.kind, "hurts", 0)


def plan_of(
    fit: CurveFit,
    effects: Sequence[Effect],
    verdicts: Sequence[Verdict],
    material: Material,
    pairs: Sequence[Pair],
    seconds: Mapping[int, float],
) -> tuple[tuple[NextTraining, ...], str]:
    """(trainings for the first undecided question, the best for its cost first; why there are none)."""
    undecided = [each for each in verdicts if each.verdict == "undecided"]
    if not undecided:
        return (), "every question is decided" if verdicts else "nothing varies"
    order = {name: place for place, name in enumerate(_FIRST)}
    # one that a plan can decide before one that it cannot
    chosen = min(
        undecided, key=lambda each: (each.trainings_to_decide is None, order.get(each.question, len(order)))
    )
    effect = next(each for each in effects if each.question == chosen.question)
    cost = _hours(material, seconds)
    count = min(COUNT, chosen.trainings_to_decide or COUNT)
    settings = _settings(fit, pairs)
    planned = next_trainings(fit, effect, count, settings, cost or (lambda _: 1.0))
    names = fit.observations.design.axes
    found: dict[str, NextTraining] = {}
    for each in planned:
        pair = int(each.hyperparameters[DEPTH]), float(each.hyperparameters[WIDTH])
        network = network_of(material, pair)
        values: dict[str, Value] = {DEPTH: pair[0], WIDTH: pair[1]}
        values |= {name: each.hyperparameters[name] for name in names if name not in values}
        hours = each.cost if cost else None
        name, key = network[0] if network else "", repr(sorted(values.items()))
        before = found.pop(key, None)  # equal rows are one with a count, placed by its last seed
        seeds = 1 + (before.count if before else 0)
        found[key] = NextTraining(chosen.question, name, values, hours, each.low, each.high, seeds)
    return tuple(found.values()), ""


def _settings(fit: CurveFit, pairs: Sequence[Pair]) -> list[Setting]:
    return [best_setting(fit, (float(depth), width)) for depth, width in pairs]


def _hours(material: Material, seconds: Mapping[int, float]) -> Callable[[Setting], float] | None:
    """Hours of one training to the end, by the median seconds an epoch that a multiply-add took here."""
    counts = material.trials["macs"]
    paces = [each / int(counts[trial]) for trial, each in seconds.items() if counts[trial]]
    if not paces:
        return None
    pace = statistics.median(paces)
    shape, classes = material.dataset.image_shape or (32, 32, 3), material.dataset.num_classes or 10

    def hours(setting: Setting) -> float:
        network = architecture_of(material, (int(setting[DEPTH]), float(setting[WIDTH])))
        assert network is not None, setting  # cells without a network are no settings
        return pace * macs(network, classes, shape[2], shape[:2]) * material.max_epochs / 3600

    return hours
