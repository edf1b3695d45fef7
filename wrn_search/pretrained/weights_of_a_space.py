"""The file of `model.init_from` before a search: pinned by its digest, and held against every network of the space."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from wrn_search.datasets.dataset import DatasetFacts
from wrn_search.errors import InputError
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.network_names import exact_name
from wrn_search.pretrained.starting_weights import StartingWeights, starting_weights
from wrn_search.pretrained.weights_file import KEY
from wrn_search.space.axes.network_leaves import blocks_of, family_of
from wrn_search.space.domains import finite_values
from wrn_search.space.rules.starting_file import RANDOM, pinned, told_file
from wrn_search.space.space import Space

_SHOWN = 5  # networks


def with_known_weights(space: Space) -> Space:
    """The space with the absolute path and the digest of its file, which fits all its networks; else as it is.

    Raises:
        InputError: see `starting_weights`; or a network of the space does not fit.
    """
    if space.model.init_from == RANDOM:
        return space
    path, digest = told_file(space.model.init_from)
    absolute = str(Path(path).absolute())
    start = starting_weights(absolute if digest is None else pinned(absolute, digest))
    check_fits(space, start)
    model = space.model.model_copy(update={"init_from": start.pinned})
    return space.model_copy(update={"model": model})


def check_fits(space: Space, start: StartingWeights, facts: DatasetFacts | None = None) -> None:
    """Every network of the space must have the file's weights, as far as the last layer.

    `facts`: of the images, where their files were looked at.

    Raises:
        InputError: one has not, or there are too many to say; with what fits.
    """
    rule = f"must fit all networks of the space, but is of {start.network}"
    how = f"set model.network: {start.network}"
    check_channels(start, (facts or space.dataset.facts).image_shape)
    networks = networks_of(space)
    if networks is None:
        raise InputError.of(KEY, f"{rule}, and the space has any number of others between; {how}")
    unlike = [network for network in networks if network.layout != start.architecture.layout]
    if not unlike:
        return
    fits = [exact_name(network) for network in networks if network not in unlike]
    more = f" and {len(unlike) - _SHOWN} more" if len(unlike) > _SHOWN else ""
    names = ", ".join(map(exact_name, unlike[:_SHOWN]))
    told = f"of the space only {', '.join(fits[:_SHOWN])} fits" if fits else "none of the space fits"
    raise InputError.of(KEY, f"{rule}: {names}{more} would begin with other weights ({told}); {how}")


def check_channels(start: StartingWeights, image_shape: tuple[int, int, int] | None) -> None:
    """The weights of the first layer are for images of (H, W, C), where these are known.

    Raises:
        InputError: they are for images of other channels.
    """
    if image_shape is not None and image_shape[2] != start.in_channels:
        rule = f"must be of a network for images of {image_shape[2]} channels"
        raise InputError.of(KEY, f"{rule}, but is of one for {start.in_channels}")


def networks_of(space: Space) -> list[Architecture] | None:
    """Each network of a space once; None where an interval holds too many to name."""
    if space.networks is not None:
        return list(dict.fromkeys(space.networks))
    leaves = space.leaves
    depths, widths = finite_values(leaves["depth"]), finite_values(leaves["widen_factor"])
    if depths is None or widths is None:
        return None
    told = itertools.product(depths, widths, blocks_of(leaves))
    found = []
    for depth, width, kernels in told:
        try:
            found.append(Architecture(int(depth), float(width), kernels, family_of(leaves)))
        except ValueError:  # a block that some depths do not have
            continue
    return list(dict.fromkeys(found))


def about_weights(start: StartingWeights, space: Space, facts: DatasetFacts) -> dict[str, Any]:
    """What a person should know of the file, as plain values; `head`, `frozen` and `preprocessing` are sentences."""
    classes = facts.num_classes
    if start.num_classes is None:
        head = "has no last layer: it begins anew"
    elif classes is None:
        head = (
            f"has {start.num_classes} classes: the last layer begins anew if the images have another number"
        )
    else:
        anew = f"those of the images are {classes}: the last layer begins anew"
        head = f"has {start.num_classes} classes" + (
            ", as the images: its last layer is taken over" if start.num_classes == classes else f", {anew}"
        )
    theirs = start.preprocessing or "not known"
    same = theirs.partition(" ")[0] == space.dataset.preprocessing
    return {
        "path": str(start.path),
        "sha256": start.digest,
        "source": start.source,
        "network": start.network,
        "num_classes": start.num_classes,
        "head": head,
        "frozen": space.model.freeze,
        "preprocessing": f"its images were prepared: {theirs}; those of this search: {space.dataset.preprocessing}"
        + ("" if same else ", another preprocessing: what the first layers see differs"),
    }
