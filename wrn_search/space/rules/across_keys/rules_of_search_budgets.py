"""Rules that tie `search.budget` to what a search trains: it must pay for one configuration, and contradict nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wrn_search.networks.parameters_and_macs import macs
from wrn_search.space.domains import LogUniform, Uniform, finite_values
from wrn_search.space.network_budgets import images_of
from wrn_search.space.rules.broken_rule import Broken, Path, got
from wrn_search.space.search_explanation import network_range
from wrn_search.space.sections.optimiser_keys import passes_of_a_step
from wrn_search.wording import short_count

if TYPE_CHECKING:
    from wrn_search.space.space import Space

_BUDGET: Path = ("search", "budget")


def budget_pays_for_one_configuration(space: Space) -> Iterator[Broken]:
    """A search whose budget lets no configuration come to its end has no answer."""
    budget, epochs, repeats = space.search.budget or {}, space.training.epochs, space.search.repeats
    reads: tuple[Path, ...] = (_BUDGET, ("search", "repeats"), ("training", "epochs"))
    one = f"{epochs} epochs (training.epochs)" + (f" x {repeats} (search.repeats)" if repeats > 1 else "")
    if "epochs" in budget and budget["epochs"] < epochs * repeats:
        text = f"epochs must pay for one configuration, {one}"
        yield Broken((*_BUDGET, "epochs"), f"{text}, {got(budget['epochs'])}", reads)
    size = _smallest_epoch(space)
    if "network_passes" in budget and size is not None:
        least = size * epochs * repeats
        if budget["network_passes"] < least:
            what = f"{one} of the smallest network are {short_count(least)} multiply-adds"
            text = f"network_passes must pay for one configuration, {what}"
            at = (*_BUDGET, "network_passes")
            yield Broken(
                at,
                f"{text}, {got(budget['network_passes'])}",
                (*reads, ("model",), ("dataset",), ("constraints",)),
            )


def _smallest_epoch(space: Space) -> int | None:
    """Multiply-adds of an epoch of the smallest network; None where only the files tell what the images are."""
    images, dataset = images_of(space.constraints, space.dataset.facts), space.dataset
    total = dataset.facts.train_images
    if images is None or (total is None and dataset.train_images is None):
        return None
    extra = dataset.facts.extra_images if dataset.extra else 0
    trained_on = dataset.train_images or (total or 0) + extra - int(dataset.validation)
    shape = images.height, images.width
    try:
        sizes = [macs(each, images.num_classes, images.channels, shape) for each in network_range(space)]
    except ValueError:  # a depth that does not exist, which another rule tells
        return None
    return trained_on * min(sizes) * least_passes(space)


def least_passes(space: Space) -> int:
    """How often an image passes the network in an epoch, at least: twice where all trials train with SAM."""
    asked = space.hyperparameters.get("sam", space.training.sam)
    values = (asked.low,) if isinstance(asked, Uniform | LogUniform) else finite_values(asked) or ()
    return min(passes_of_a_step(value) for value in values)


def budgets_do_not_contradict(space: Space) -> Iterator[Broken]:
    """What is said twice must be said alike; GPU-hours are spent on GPUs."""
    search, budget = space.search, space.search.budget or {}
    hours = budget.get("hours")
    if hours is not None and search.max_hours not in (None, hours):
        text = f"hours must not contradict search.max_hours: {search.max_hours:g}"
        reads: tuple[Path, ...] = (_BUDGET, ("search", "max_hours"))
        yield Broken((*_BUDGET, "hours"), f"{text}, {got(hours)}; give one of them", reads)
    if "gpu_hours" in budget and space.resources.gpus_per_trial == 0:
        text = (
            "gpu_hours need trials on GPUs, but got resources.gpus_per_trial: 0; give hours or network_passes"
        )
        reads = (_BUDGET, ("resources", "gpus_per_trial"))
        yield Broken((*_BUDGET, "gpu_hours"), text, reads)
