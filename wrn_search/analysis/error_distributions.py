"""Error distributions: the share of all ended trials with an error of at most e, and at equal complexity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.wording import short_count

if TYPE_CHECKING:
    import pandas as pd

MAX_BANDS = 4
LEAST_IN_A_BAND = 8  # ended trials
MAX_STEPS = 500  # of one curve


@dataclass(frozen=True)
class EdfCurve:
    """Share of trials with an error of at most e: a step function."""

    label: str
    errors: tuple[float, ...]  # rising
    shares: tuple[float, ...]  # of all trials that ended, so the last may be below 1
    n: int  # trials that ended
    reached: int  # of them with a full-epoch error


@dataclass(frozen=True)
class Edf:
    """Error distribution of all ended trials, and at equal complexity.

    `halves`: in each band of parameters the deeper and the wider half, weighted so that both have the same share of
    each band (Radosavovic et al., "On Network Design Spaces", arXiv 1905.13214, section 3.3).
    """

    all: EdfCurve
    bands: tuple[EdfCurve, ...]  # by parameters, as evenly many trials each as networks of equal size allow
    halves: tuple[EdfCurve, ...]  # deeper and wider; empty if they cannot be told apart
    note: str


def edf_of(material: Material) -> Edf:
    """Trials without an error at full epochs count in every denominator and never reach any error."""
    ended = material.ended
    error = np.where(ended["status"] == "completed", ended["val_error"], np.inf).astype(np.float64)
    band = complexity_bands(ended["num_params"].to_numpy())
    bands = []
    for number in np.unique(band):
        inside = band == number
        weights = ended["num_params"][inside]
        low, high = short_count(weights.min()), short_count(weights.max())
        label = f"{low} parameters" if low == high else f"{low} to {high} parameters"
        bands.append(edf_curve(label, error[inside]))
    halves = _halves(ended, error, band)
    return Edf(
        all=edf_curve("all trials that ended", error),
        bands=tuple(bands) if len(bands) > 1 else (),
        halves=halves,
        note=_note(len(ended), int(np.isinf(error).sum()), bool(halves)),
    )


def edf_curve(label: str, error: NDArray[np.float64], weight: NDArray[np.float64] | None = None) -> EdfCurve:
    """The step function of errors, (n,), infinite for a trial that has none; weights sum to 1, equal by default."""
    weight = np.full(len(error), 1 / max(1, len(error))) if weight is None else weight
    finite = np.isfinite(error)
    values, place = np.unique(error[finite], return_inverse=True)
    shares = np.cumsum(np.bincount(place, weights=weight[finite], minlength=len(values)))
    if len(values) > MAX_STEPS:
        kept = np.unique(np.linspace(0, len(values) - 1, MAX_STEPS).round().astype(int))
        values, shares = values[kept], shares[kept]
    return EdfCurve(
        label=label,
        errors=tuple(values.tolist()),
        shares=tuple(np.minimum(shares, 1.0).tolist()),
        n=len(error),
        reached=int(finite.sum()),
    )


def complexity_bands(num_params: NDArray[np.int64]) -> NDArray[np.int64]:
    """Band of each trial, (n,): at most `MAX_BANDS`, none with fewer than `LEAST_IN_A_BAND`; equal networks share one.

    From the smallest network on a band takes in the next size until it is as near as it gets to its share of the trials
    that are left; what is left over at the end joins the last.
    """
    sizes, place, counts = np.unique(num_params, return_inverse=True, return_counts=True)
    band = np.zeros(len(sizes), dtype=np.int64)
    left, number, inside = len(num_params), 0, 0
    for size, count in enumerate(counts):
        band[size] = number
        inside += int(count)
        share = left / (MAX_BANDS - number)
        with_next = inside + int(counts[size + 1]) if size + 1 < len(sizes) else inside
        near = with_next - share >= share - inside
        if near and min(inside, left - inside) >= LEAST_IN_A_BAND and number < MAX_BANDS - 1:
            left, number, inside = left - inside, number + 1, 0
    return band[place]


def _halves(ended: pd.DataFrame, error: NDArray[np.float64], band: NDArray[np.int64]) -> tuple[EdfCurve, ...]:
    """The deeper and the wider trials of each band, each band weighing the same in both."""
    ratio = (ended["depth"] / ended["widen_factor"]).to_numpy()
    side = np.zeros(len(ended))  # 1 deeper, -1 wider than the middle of its band
    for number in np.unique(band):
        inside = band == number
        own = np.sign(ratio - np.median(ratio[inside])) * inside
        if (own > 0).any() and (own < 0).any():
            side += own
    if not side.any():
        return ()
    compared = {number: int((side[band == number] != 0).sum()) for number in np.unique(band)}
    total = sum(compared.values())
    curves = []
    for label, sign in (("deeper half of each band", 1), ("wider half of each band", -1)):
        chosen = side == sign
        in_band = {number: int((chosen & (band == number)).sum()) for number in compared}
        weight = np.array([compared[number] / total / in_band[number] for number in band[chosen]])
        curves.append(edf_curve(label, error[chosen], weight))
    return tuple(curves)


def _note(ended: int, without: int, halves: bool) -> str:
    said = f"{ended} trials ended"
    said += (
        f", {without} of them without an error at full epochs: they count, so the curve ends below 1."
        if without
        else "."
    )
    return (
        said
        if halves
        else f"{said} Deeper and wider trials of equal size cannot be set apart in this search."
    )
