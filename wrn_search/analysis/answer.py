"""The answer in three sentences, and what the design of the search cannot tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from wrn_search.analysis.depth_width_map import CellMap
from wrn_search.analysis.equal_parameters import Bought, IsoParams
from wrn_search.analysis.input_tables.configurations import Configuration, estimate_of
from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.analysis.input_tables.shared_values import Estimate, Trial
from wrn_search.analysis.statistics.limits_of_the_design import limits_of
from wrn_search.analysis.statistics.networks_not_told_apart import Comparison, compare
from wrn_search.wording import hardly_better_than_guessing, hparams, interval, percent, plural, points, size


@dataclass(frozen=True)
class Answer:
    """The answer in words and the values behind it."""

    sentences: tuple[
        str, ...
    ]  # three: the best; the smallest that cannot be told from it; depth against width
    best: Estimate | None
    smallest_equivalent: Estimate | None
    equivalents: tuple[
        Estimate, ...
    ]  # best of each network that cannot be told from the best, smallest first
    seed_deviation: float | None  # percent: pooled standard deviation over seeds; None without repeats
    seed_freedom: int  # degrees of freedom of it
    bought: Bought
    limits: tuple[str, ...]  # what the design of this search cannot tell, a sentence each


def answer_of(
    material: Material,
    trials: Sequence[Trial],
    configurations: Sequence[Configuration],
    fits: tuple[IsoParams, Bought],
    error_map: CellMap,
) -> Answer:
    """The answer of all searches together; without a trial at full epochs it says why there is none."""
    dataset, (iso_params, bought) = material.dataset, fits
    comparison = compare(configurations, dataset.validation_images, dataset.chance_error)
    deviation = comparison.seed_deviation if comparison else None
    best = estimate_of(comparison.best, material, deviation) if comparison else None
    equivalents = (
        tuple(estimate_of(c, material, deviation) for c in comparison.equivalents) if comparison else ()
    )
    smallest = equivalents[0] if equivalents else None
    sentences = (
        _best_sentence(material, trials, comparison, best),
        _smallest_sentence(material, comparison, best, smallest),
        _bought_sentence(iso_params, bought, error_map, trials),
    )
    return Answer(
        sentences=tuple(sentence for sentence in sentences if sentence),
        best=best,
        smallest_equivalent=smallest,
        equivalents=equivalents,
        seed_deviation=deviation,
        seed_freedom=comparison.seed_freedom if comparison else 0,
        bought=bought,
        limits=limits_of(material, comparison, iso_params),
    )


def _best_sentence(
    material: Material, trials: Sequence[Trial], comparison: Comparison | None, best: Estimate | None
) -> str:
    completed = len(material.completed)
    if best is None or comparison is None:
        counts = Counter(material.trials["status"])
        told = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
        epochs = plural(material.max_epochs, "epoch")
        return f"No trial was trained to its last epoch ({epochs}): {told}. So no network is called best."
    trial = trials[best.trial]
    searched = hparams(trial.hparams, without=("depth", "widen_factor", "block", "deepening_factor"))
    error = (
        f"a median validation error of {percent(best.val_error)} over {plural(best.ended, 'seed')} "
        f"({best.lowest:.2f} to {best.highest:.2f})"
        if best.n > 1
        else f"a validation error of {percent(best.val_error)} with one seed"
    )
    among = f"of {plural(completed, 'trial')} at full epochs ({material.max_epochs}), {len(trials):,} in all"
    if comparison.chosen_by_repeats:
        among += f", chosen from the {plural(comparison.candidates, 'configuration')} with repeats"
    warning = hardly_better_than_guessing(best.val_error, material.dataset.chance_error)
    return (
        f"The best network is {best.network}{f' with {searched}' if searched else ''}: {error} "
        f"(trial {trial.name}; {among}). {warning}"
    ).strip()


def _smallest_sentence(
    material: Material, comparison: Comparison | None, best: Estimate | None, smallest: Estimate | None
) -> str:
    if best is None or comparison is None or smallest is None:
        return ""
    images = material.dataset.validation_images
    if not comparison.tested:
        return (
            "Which smaller networks cannot be told from it is not known: neither the number of validation images nor "
            "repeats are on record."
        )
    parts = [f"the binomial error of {images:,} validation images"] if images else []
    if comparison.seed_deviation is not None:
        parts.append(f"a pooled deviation of {comparison.seed_deviation:.2f} points over seeds")
    basis = " and ".join(parts)
    if smallest.network == best.network:
        return f"No smaller network comes so close that it could not be told from it at 95 %, by {basis}."
    share = 100 * smallest.num_params / best.num_params
    return (
        f"The smallest network that cannot be told from it at 95 %, by {basis}, is {smallest.network} with "
        f"{percent(smallest.val_error)}: {size(smallest.num_params)}, {share:.0f} % of the best one's."
    )


def _bought_sentence(
    iso_params: IsoParams, bought: Bought, error_map: CellMap, trials: Sequence[Trial]
) -> str:
    by_depth, by_width = bought.depth_per_doubling, bought.width_per_doubling
    if by_depth is None or by_width is None or iso_params.slope is None:
        return _neighbours_sentence(error_map, trials, bought.why_no_fit)
    slope = points(iso_params.slope)
    if iso_params.interval is None:
        slope += " (no interval is given, see below)"
    else:
        slope += f" ({interval(iso_params.interval)}: {_verdict(iso_params)})"
    unit = "configuration" if iso_params.interval else "network"
    return (
        f"Each doubling of the parameters changed the error by {points(by_depth)} when spent on depth and by "
        f"{points(by_width)} when spent on width; at equal parameters, doubling depth:width changed it by {slope}, "
        f"fitted over {plural(bought.n, unit)}."
    )


def _verdict(iso_params: IsoParams) -> str:
    """What an interval of the slope says: error that rises with depth:width speaks for width."""
    if not iso_params.found or iso_params.slope is None:
        return "depth and width cannot be told apart"
    return f"{'width' if iso_params.slope > 0 else 'depth'} is worth more"


def _neighbours_sentence(error_map: CellMap, trials: Sequence[Trial], why: str) -> str:
    """Without a fit: what the next depth and the next width changed, cell against neighbouring cell."""
    by_depth = _steps(error_map, trials, along_depth=True)
    by_width = _steps(error_map, trials, along_depth=False)
    told = [
        f"the next {name} changed the lowest error by {points(change)} on average ({plural(n, 'pair')} of cells, "
        f"{factor:.1f} times the parameters)"
        for name, steps in (("depth", by_depth), ("widening factor", by_width))
        if steps
        for change, factor, n in [steps]
    ]
    start = f"What depth and width buy at equal parameters cannot be fitted: {why}"
    return f"{start}; {' and '.join(told)}." if told else f"{start}."


def _steps(
    error_map: CellMap, trials: Sequence[Trial], *, along_depth: bool
) -> tuple[float, float, int] | None:
    """(mean change of error, geometric mean growth of parameters, n) from each cell to the next in one direction."""
    lines: dict[float, list[tuple[float, float, int]]] = {}
    for cell in error_map.cells:
        if cell.value is not None and cell.trial is not None:
            key, place = (cell.widen_factor, cell.depth) if along_depth else (cell.depth, cell.widen_factor)
            lines.setdefault(key, []).append((place, cell.value, trials[cell.trial].num_params))
    pairs = [
        (after[1] - before[1], after[2] / before[2])
        for line in lines.values()
        for before, after in zip(sorted(line), sorted(line)[1:], strict=False)
    ]
    if not pairs:
        return None
    growth = 1.0
    for _, factor in pairs:
        growth *= factor ** (1 / len(pairs))
    return sum(change for change, _ in pairs) / len(pairs), growth, len(pairs)
