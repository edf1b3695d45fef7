"""A against B: a few networks that a space lists, each at its own best setting of everything else.

What each measured is told beside it: the best of n trials grows better with n, and adaptive searches give n unequally.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from wrn_search.analysis.curve_model.model_values import Contest, CurveModel, Margin, NetworkStanding
from wrn_search.analysis.curve_model.verdict_lines import Line, margin_words
from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.curves.curve_fit import CurveFit
from wrn_search.curves.design_columns import Array
from wrn_search.curves.ends.ends_of_cells import expected_errors
from wrn_search.curves.observed_curves import DEPTH, WIDTH
from wrn_search.curves.settings_of_cells import best_setting, end_draws
from wrn_search.networks.architecture import Architecture
from wrn_search.wording import hparams, percent, plural, two_significant

MOST = 6  # networks that are compared one by one; more are a space, which the cells tell
_BLOCK = ("block", "deepening_factor", "family")


def listed(material: Material) -> tuple[Architecture, ...]:
    """The networks that all spaces list, where they are few; else none."""
    found: dict[Architecture, None] = {}
    for source in material.sources:
        networks = source.space.networks if source.space else None
        if networks is None or len(networks) > MOST:
            return ()
        found |= dict.fromkeys(networks)
    return tuple(found) if 2 <= len(found) <= MOST else ()


def contests_of(fit: CurveFit, material: Material, margin: Margin) -> tuple[Contest, ...]:
    """The network with the lowest expected error against each of the others.

    Intervals are those of the model's draws, 95 % for all contests together (Bonferroni).
    """
    networks = [each for each in listed(material) if each.name in set(material.trials["network"])]
    if len(networks) < 2:
        return ()
    settings = [_best(fit, network) for network in networks]
    errors = expected_errors(fit, end_draws(fit, settings))  # (S, M) percent
    standings = [
        _standing(fit, material, network, setting, errors[:, column])
        for column, (network, setting) in enumerate(zip(networks, settings, strict=True))
    ]
    best = int(errors.mean(0).argmin())
    tail = 0.025 / (len(networks) - 1)
    points = margin.of(standings[best].expected)
    found = []
    for column, standing in enumerate(standings):
        if column == best:
            continue
        apart = errors[:, column] - errors[:, best]
        low, high = (float(each) for each in np.quantile(apart, [tail, 1 - tail]))
        verdict = (
            "better" if low > 0 else "no difference" if -points <= low <= high <= points else "undecided"
        )
        found.append(Contest(standings[best], standing, float(apart.mean()), low, high, verdict))
    return tuple(found)


def _best(fit: CurveFit, network: Architecture) -> Mapping[str, float | str]:
    """The setting at which the network's expected error is lowest, within the values seen."""
    axes = fit.observations.design.axes
    own: dict[str, float | str] = {
        "block": network.block,
        "deepening_factor": network.deepening_factor,
        "family": network.family,
    }
    fixed = {name: value for name, value in own.items() if name in axes}
    return best_setting(fit, (network.depth, network.widen_factor), fixed)


def _standing(
    fit: CurveFit,
    material: Material,
    network: Architecture,
    setting: Mapping[str, float | str],
    errors: Array,
) -> NetworkStanding:
    rows = material.trials[material.trials["network"] == network.name]
    full = rows[rows["status"] == "completed"]
    names = [name for name in fit.observations.design.axes if name not in (DEPTH, WIDTH, *_BLOCK)]
    low, high = np.quantile(errors, [0.025, 0.975])
    return NetworkStanding(
        network=network.name,
        trials=len(rows),
        ended=len(full),
        lowest=float(full["val_error"].min()) if len(full) else None,
        at={name: setting[name] for name in names},
        expected=float(errors.mean()),
        low=float(low),
        high=float(high),
    )


def contest_lines(model: CurveModel, last_epoch: int) -> list[Line]:
    """A line for each contest."""
    when = "" if model.at_end or model.epoch is None else f" after epoch {model.epoch} of {last_epoch}"
    return [_line(contest, model.margin, when) for contest in model.contests]


def _line(contest: Contest, margin: Margin, when: str) -> Line:
    one, other = contest.better, contest.other
    low, high = two_significant(contest.low), two_significant(contest.high)
    text = (
        f"{_measured(one)} against {_measured(other)}; each at its own best settings it is expected to reach{when} "
        f"{_expected(one)} against {_expected(other)}, {two_significant(contest.difference)} points more "
        f"({low} to {high})"
    )
    within = margin_words(margin, one.expected)
    verdicts: Sequence[tuple[str, str]] = (
        ("better", f"{one.network} is better"),
        ("no difference", f"no difference beyond {within}"),
        ("undecided", "undecided"),
    )
    return Line(f"{one.network} against {other.network}", text, dict(verdicts)[contest.verdict])


def _measured(standing: NetworkStanding) -> str:
    of = f"best of {plural(standing.ended, 'whole training')}"
    if standing.lowest is None:
        return f"none of {plural(standing.trials, 'trial')} trained to its end"
    return f"{percent(standing.lowest)} ({of}, {plural(standing.trials, 'trial')})"


def _expected(standing: NetworkStanding) -> str:
    interval = f"{two_significant(standing.low)} to {two_significant(standing.high)}"
    at = f" with {hparams(standing.at)}" if standing.at else ""
    return f"{two_significant(standing.expected)} % ({interval}){at}"
