"""What a search would do, told before anything runs: pure arithmetic over a space."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from wrn_search.datasets.dataset import DatasetFacts
from wrn_search.networks.architecture import Architecture, block_name
from wrn_search.networks.parameters_and_macs import macs, num_params
from wrn_search.schedulers.hyperband import brackets_of
from wrn_search.searchers.anchors import anchor_share, anchors_of
from wrn_search.searchers.draws_around_a_prior import around_prior
from wrn_search.searchers.samplers.unit_axes import without_order
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.axes.network_leaves import family_of
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.domains import Domain, LogUniform, Scalar, Uniform, finite_values
from wrn_search.space.explained.shared_rates import shared_rates
from wrn_search.space.sections.crop_padding import CROPPING
from wrn_search.space.space import Space

# Above this many networks the smallest and largest are taken from the ends of each domain.
_MAX_NETWORKS = 20_000
_MOST_NAMES = 1000  # of listed networks that are told


def explanation(space: Space, rungs: tuple[int, ...], facts: DatasetFacts | None = None) -> dict[str, Any]:
    """What the search would do, as plain values for `check --json`.

    Args:
        space: the search.
        rungs: its rungs in epochs (`rungs_of`).
        facts: of its images, where a look at the files told more than the data set's name.
    """
    facts = facts or space.dataset.facts
    rows = space.trials * space.search.repeats
    if space.size is not None:
        rows = min(rows, space.size * space.search.repeats)
    budget = space.search.budget or {}
    most_epochs = min(rows * space.training.epochs, int(budget.get("epochs", rows * space.training.epochs)))
    by_budget = (
        bool(budget) and space.search.trials is None and (space.size is None or space.size > space.trials)
    )
    return {
        "name": space.name,
        "description": space.description,
        "recipe": space.recipe,
        "protocol": space.protocol,
        "dataset": space.dataset.model_dump() | _padding(space.dataset, facts),
        "validation_images": space.dataset.held_out(facts),
        "classes": dict(facts.class_counts),
        "hyperparameters": {name: domain.to_document() for name, domain in space.hyperparameters.items()},
        "shared_rates": shared_rates(space),
        "constraints": {
            k: v for k, v in space.constraints.model_dump().items() if v is not None and k != "predicted"
        },
        "configurations_in_space": space.size,
        "networks": _networks(space, facts),
        "objectives": list(space.objectives),
        "searcher": space.search.searcher,
        "drawn_alone": without_order(space.axes.domains)
        if SEARCHERS[space.search.searcher].needs_order
        else [],
        "scheduler": space.search.scheduler,
        "rungs": list(rungs),
        "promote": bool(rungs) and space.waits_at_rungs,
        "reduction_factor": space.search.reduction_factor,
        "brackets": _brackets(space, rungs),
        "one_passes": _one_passes(space, rungs),
        "min_samples": space.search.min_samples,
        "points": len(space.search.points),
        "prior": space.search.prior,
        "around_prior": around_prior(space.searched.prior, space.trials_at_least),
        "anchors": _anchors(space, rungs),
        "stop_when": space.search.stop_when,
        "trials": space.trials,
        "repeats": space.search.repeats,
        "rows": rows,
        "max_epochs": space.training.epochs,
        "most_epochs": most_epochs,
        "budget": space.search.budget,
        "trials_by_budget": by_budget,  # how many there will be is not known: `trials` are the most
    }


def network_range(space: Space) -> tuple[Architecture, Architecture]:
    """The networks of the space with the fewest and the most parameters."""
    if space.networks is not None:
        return min(space.axes.extremes, key=num_params), max(space.axes.extremes, key=num_params)
    blocks: list[str | None] = [None]  # the family's own
    leaves: Mapping[str, Any] = space.leaves
    if leaves["deepening_factor"] is not None:
        blocks = [block_name((3,) * int(n)) for n in finite_values(leaves["deepening_factor"]) or ()]
    elif leaves["block"] is not None:
        blocks = [str(each) for each in finite_values(leaves["block"]) or ()]
    depths, widths = _values(leaves["depth"]), _values(leaves["widen_factor"])
    if len(depths) * len(widths) * len(blocks) > _MAX_NETWORKS:
        depths, widths = [min(depths), max(depths)], [min(widths), max(widths)]
    networks = [
        Architecture.of(int(depth), float(width), block, family_of(leaves))
        for depth, width, block in itertools.product(depths, widths, blocks)
    ]
    return min(networks, key=num_params), max(networks, key=num_params)


def _values(value: Scalar | Domain) -> list[Scalar]:
    values = finite_values(value)
    if values is None:
        assert isinstance(value, Uniform | LogUniform)
        return [value.low, value.high]
    return list(values)


def _padding(dataset: DatasetSettings, facts: DatasetFacts) -> dict[str, int]:
    """Pixels of the crop, where a look at the files told the size of the images."""
    if facts.image_shape is None or dataset.augmentation not in CROPPING:
        return {}
    return {"crop_padding": dataset.padding_of(facts.image_shape)}


def _networks(space: Space, facts: DatasetFacts) -> dict[str, Any]:
    smallest, largest = network_range(space)
    ends = {"smallest": _network(facts, smallest), "largest": _network(facts, largest)}
    if space.networks is None:
        return ends
    names = [each.name for each in itertools.islice(space.networks, _MOST_NAMES)]
    return ends | {"count": len(space.networks), "names": names}


def _anchors(space: Space, rungs: tuple[int, ...]) -> int:
    search = space.search
    share = anchor_share(
        search.anchors, search.anchor_epochs, rungs, search.reduction_factor, space.training.epochs
    )
    return anchors_of(share, max(0, space.trials - len(search.points)))


def _network(facts: DatasetFacts, architecture: Architecture) -> dict[str, Any]:
    if facts.num_classes is None or facts.image_shape is None:  # only the files can tell
        return {"name": architecture.name, "num_params": None, "macs": None}
    height, width, channels = facts.image_shape
    return {
        "name": architecture.name,
        "num_params": num_params(architecture, facts.num_classes, channels),
        "macs": macs(architecture, facts.num_classes, channels, (height, width)),
    }


def _brackets(space: Space, rungs: tuple[int, ...]) -> list[dict[str, Any]]:
    """Of scheduler hyperband."""
    if not rungs or space.search.scheduler != "hyperband":
        return []
    found = brackets_of(rungs, space.search.reduction_factor, space.search.brackets)
    return [{"rungs": list(each.rungs), "share": each.share} for each in found]


def _one_passes(space: Space, rungs: tuple[int, ...]) -> int | None:
    """Of so many configurations of scheduler asha one passes over a first rung at least."""
    if space.search.scheduler != "asha" or len(rungs) < 2 or (space.brackets or 1) < 2:
        return None
    return space.search.reduction_factor + 1
