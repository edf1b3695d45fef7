"""The answer in lines: what each hyperparameter does, the winner, the smallest network as good, how sure that is."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from wrn_search.analysis.curve_model.best_when_retrained import best_of
from wrn_search.analysis.curve_model.listed_networks_compared import contest_lines
from wrn_search.analysis.curve_model.model_values import CurveModel
from wrn_search.analysis.curve_model.verdict_lines import (
    Line,
    audit_lines,
    divergence_lines,
    expectation,
    network_lines,
    question_lines,
)
from wrn_search.analysis.equal_parameters import Bought, IsoParams
from wrn_search.analysis.input_tables.configurations import Configuration, estimate_of
from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.analysis.input_tables.shared_values import Estimate, Trial
from wrn_search.analysis.statistics.limits_of_the_design import Edge, edges_of, limits_of
from wrn_search.analysis.statistics.networks_not_told_apart import Comparison, compare
from wrn_search.wording import hardly_better_than_guessing, hparams, percent, plural, size


@dataclass(frozen=True)
class Answer:
    """The answer in words and the values behind it."""

    lines: tuple[Line, ...]  # depth, width, depth against width, the others; the winner; the smallest as good
    best: Estimate | None
    smallest_equivalent: Estimate | None
    # The best of each network that is as good within the margin, smallest first; without a model of each that cannot
    # be told from the best by what was measured.
    equivalents: tuple[Estimate, ...]
    seed_deviation: float | None  # percent: pooled standard deviation over seeds; None without repeats
    seed_freedom: int  # degrees of freedom of it
    bought: Bought
    limits: tuple[str, ...]  # what the design of this search cannot tell, a sentence each
    edges: tuple[
        Edge, ...
    ] = ()  # of those limits the hyperparameters that are best at an end of what was tried

    @property
    def sentences(self) -> tuple[str, ...]:
        """The lines as texts."""
        return tuple(line.sentence for line in self.lines)


def answer_of(
    material: Material,
    trials: Sequence[Trial],
    configurations: Sequence[Configuration],
    fits: tuple[IsoParams, Bought],
    model: CurveModel,
) -> Answer:
    """The answer of all searches together; without a trial at full epochs it says why no network is best."""
    dataset, (iso_params, bought) = material.dataset, fits
    winner = model.winner
    expected = {winner.configuration: winner.expected} if winner else {}
    chosen = best_of(configurations, dataset.chance_error, expected)
    comparison = compare(configurations, chosen, dataset.validation_images, dataset.chance_error)
    deviation = comparison.seed_deviation if comparison else None
    best = estimate_of(comparison.best, material, deviation) if comparison else None
    equal = () if comparison is None else _as_good(configurations, comparison, model, dataset.chance_error)
    equivalents = tuple(estimate_of(c, material, deviation) for c in equal)
    smallest = equivalents[0] if equivalents else None
    edges = edges_of(material, comparison, model)
    lines = (
        *contest_lines(model, material.max_epochs),
        *question_lines(model),
        _best_line(material, trials, best, model),
        *(network_lines(model) or _smallest_lines(material, comparison, best, smallest, configurations)),
        *(divergence_lines(model) or _diverged_lines(material)),
        *audit_lines(model),
    )
    return Answer(
        lines=lines,
        best=best,
        smallest_equivalent=smallest,
        equivalents=equivalents,
        seed_deviation=deviation,
        seed_freedom=comparison.seed_freedom if comparison else 0,
        bought=bought,
        limits=limits_of(material, comparison, iso_params, edges),
        edges=edges,
    )


def _as_good(
    configurations: Sequence[Configuration], comparison: Comparison, model: CurveModel, chance: float | None
) -> Sequence[Configuration]:
    """What the verdict calls as good, so that no second rule says otherwise; the smallest network first."""
    if not (model.at_end and model.cells):
        return comparison.equivalents
    good = {(cell.depth, cell.widen_factor) for cell in model.cells if cell.standing == "as good"}
    found = {comparison.best.network: comparison.best}
    for each in sorted(configurations, key=lambda c: (statistics.median(c.values(chance)), c.number)):
        if (each.depth, each.widen_factor) in good and each.num_params <= comparison.best.num_params:
            found.setdefault(each.network, each)
    return sorted(found.values(), key=lambda c: (c.num_params, c.number))


def _diverged_lines(material: Material) -> list[Line]:
    """Without a model that tells rates: how many trainings diverged, and where the largest share did."""
    rows = material.trials[~material.trials["status"].isin(("running", "interrupted"))]
    cells = [
        (int((each["status"] == "diverged").sum()), len(each), int(depth), float(width))
        for (depth, width), each in rows.groupby(["depth", "widen_factor"])
    ]
    failed = sum(count for count, *_ in cells)
    if not failed:
        return []
    count, n, depth, width = max(cells, key=lambda cell: (cell[0] / cell[1], cell[1]))
    text = (
        f"{failed} of {plural(len(rows), 'training')} diverged; the most at depth {depth}, widening factor {width:g}: "
        f"{count} of {n}"
    )
    return [Line("Divergence", text)]


def _best_line(material: Material, trials: Sequence[Trial], best: Estimate | None, model: CurveModel) -> Line:
    if best is None:
        counts = Counter(material.trials["status"])
        told = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
        epochs = plural(material.max_epochs, "epoch")
        text = f"no trial was trained to its last epoch ({epochs}): {told}. So no network is called best"
        return Line("Winner", text)
    trial = trials[best.trial]
    searched = hparams(
        trial.hparams, without=("family", "depth", "widen_factor", "block", "deepening_factor")
    )
    if model.winner is not None:
        error = expectation(model.winner)
    elif best.n > 1:
        error = f"measured {percent(best.val_error)}, the median of {plural(best.ended, 'seed')} "
        error += f"({best.lowest:.2f} to {best.highest:.2f})"
    else:
        error = f"measured {percent(best.val_error)} with one seed, the lowest of {len(material.completed):,}"
    text = (
        f"{best.network}{f' with {searched}' if searched else ''}: {error} (trial {trial.name}; "
        f"{len(material.completed):,} of {plural(len(trials), 'trial')} reached full epochs, {material.max_epochs})"
    )
    warning = hardly_better_than_guessing(best.val_error, material.dataset.chance_error)
    return Line("Winner", f"{text}. {warning}".rstrip(". ") if warning else text)


def _smallest_lines(
    material: Material,
    comparison: Comparison | None,
    best: Estimate | None,
    smallest: Estimate | None,
    configurations: Sequence[Configuration],
) -> list[Line]:
    """Without a model: of the networks that were trained to their end."""
    head = "Smallest not told apart"
    if best is None or comparison is None or smallest is None:
        return []
    if not comparison.tested:
        text = "not known: neither the number of validation images nor repeats are on record"
        return [Line(head, text)]
    smaller = {c.network for c in configurations if c.num_params < best.num_params}
    basis = _basis(material, comparison)
    if not smaller:
        return [Line(head, f"no network smaller than {best.network} was trained to its end")]
    if smallest.network == best.network:
        networks = plural(len(smaller), "smaller network")
        text = f"none of the {networks} trained to their end comes so close, by {basis}"
        return [Line(head, text)]
    share = 100 * smallest.num_params / best.num_params
    text = (
        f"{smallest.network} with {percent(smallest.val_error)}, by {basis}: {size(smallest.num_params)}, "
        f"{share:.0f} % of the best one's; {plural(len(smaller), 'smaller network')} reached the end"
    )
    return [Line(head, text)]


def _basis(material: Material, comparison: Comparison) -> str:
    images = material.dataset.validation_images
    parts = [f"counting on {images:,} validation images"] if images else []
    if comparison.seed_deviation is not None:
        parts.append(f"a pooled deviation of {comparison.seed_deviation:.2f} points over seeds")
    else:
        parts.append("no seeds (each was trained once, so differences look surer than they are)")
    return " and ".join(parts)
