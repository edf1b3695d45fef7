"""A row of the paper's table with what was trained of it: n, median, range, and the difference from what is printed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from statistics import median

from wrn_search.analysis.input_tables.configurations import binomial_variance
from wrn_search.analysis.input_tables.shared_values import Interval
from wrn_search.analysis.paper_tables.claim_verdicts import Differences
from wrn_search.analysis.paper_tables.paper_comparison import RECIPES, recipe_differences
from wrn_search.analysis.paper_tables.paper_values import TableRow
from wrn_search.analysis.paper_tables.predicted_differences import PredictedDifferences
from wrn_search.analysis.paper_tables.side_of_a_table import Side, key_of
from wrn_search.analysis.paper_tables.trained_networks import Trained
from wrn_search.paper.published_tables import MEDIAN_OF_5, Published

TEST_IMAGES = {
    "cifar10": 10_000,
    "cifar100": 10_000,
    "svhn": 26_032,
    "imagenet": 50_000,
}  # ImageNet: validation
_TOLD_BY_THE_TABLE = (
    "error:",
    "statistic:",
    "dropout:",
)  # differences of recipe that need no words beside it


def row_of(side: Side, theirs: Published) -> TableRow:
    """One row."""
    key, ours = key_of(theirs), side.keys.get(key_of(theirs))
    told = TableRow(theirs.network, theirs.dropout, theirs.error, theirs.statistic)
    if ours is None:
        return told
    errors: Differences = side.tested if ours.test else side.validated
    told = replace(
        told,
        error=ours.best_kind,
        trials=ours.of_network if errors.kind == "predicted" else ours.trials,
        diverged=ours.diverged,
        our_dropout=_other_dropout(side, errors, ours, theirs),
        seconds=median(ours.seconds) if ours.seconds else None,
        num_params=ours.num_params,
        differences=tuple(_of_recipe(side, theirs, ours)),
    )
    if key not in errors:
        return replace(told, why_no_interval="none has reached its end")
    values = ours.errors(ours.best_kind)
    low, high = errors.range(key) if isinstance(errors, PredictedDifferences) else (min(values), max(values))
    told = replace(
        told,
        n=errors.count(key),
        median=errors.middle(key),
        lowest=low,
        highest=high,
        kind=errors.kind,
    )
    if side.group.dataset is None:
        return told
    interval = _from_printed(side, errors, theirs, ours)
    return replace(
        told,
        difference=errors.middle(key) - theirs.error,
        low=interval[0] if interval else None,
        high=interval[1] if interval else None,
        why_no_interval="" if interval else errors.why_no_interval,
    )


def _from_printed(side: Side, errors: Differences, theirs: Published, ours: Trained) -> Interval | None:
    """Interval of ours minus the paper's; errors on other images than its test images were counted on others."""
    further = 0.0
    if not ours.test:
        images = side.group.material.dataset.validation_images
        counted = binomial_variance(errors.middle(key_of(theirs)), images)
        further = (counted or 0.0) + (binomial_variance(theirs.error, TEST_IMAGES[side.column]) or 0.0)
    seeds = 5 if theirs.statistic == MEDIAN_OF_5 else 1
    return errors.interval_to(key_of(theirs), theirs.error, seeds, further)


def _other_dropout(side: Side, errors: Differences, ours: Trained, theirs: Published) -> float | None:
    """What ours had where it is not the row's; a model is asked at the row's."""
    if theirs.dropout is None or abs(ours.dropout - theirs.dropout) < 1e-9:
        return None
    asked = errors.kind == "predicted" and side.is_between(theirs.dropout)
    return None if asked else ours.dropout


def _of_recipe(side: Side, theirs: Published, ours: Trained) -> Iterator[str]:
    if theirs.dataset not in RECIPES:
        return
    material = side.group.material
    for text in recipe_differences(theirs, material.trials.loc[ours.trial], material, ours.ended):
        if not text.startswith(_TOLD_BY_THE_TABLE):
            yield text
