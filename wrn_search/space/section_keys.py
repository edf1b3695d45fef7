"""The keys of `model`, and what can be searched of them and of `training`: rule, default and meaning of each."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from pydantic import Field

from wrn_search.networks.architecture import MAX_DEEPENING_FACTOR, MAX_DEPTH, MAX_WIDEN_FACTOR
from wrn_search.networks.families.family_table import DEFAULT_FAMILY, FAMILIES
from wrn_search.space.domains import Domain
from wrn_search.space.rules.key_rule import Leaf, off_at
from wrn_search.space.rules.keys_with_own_rules import BLOCK
from wrn_search.space.rules.network_and_point_rules import NETWORK
from wrn_search.space.rules.number_and_text_rules import one_of, real_number, whole_number
from wrn_search.space.rules.starting_file import NOTHING, RANDOM, frozen_groups, starting_file
from wrn_search.space.sections.recipes import rates_of
from wrn_search.space.sections.section import Section
from wrn_search.space.sections.training_keys import TrainingSettings

_MANY_FAMILIES = (
    "; families have no depths and blocks in common: name networks of several in model.network "
    "({choice: [WRN-40-4, ResNet-164]}) or search.points"
)


class ModelSettings(Section):
    """The network. Every key takes a value or a domain, but family, init_from and freeze."""

    family: Annotated[
        str,
        dataclasses.replace(one_of(*FAMILIES), instead=_MANY_FAMILIES),
        Field(
            description="; ".join(f"{name}: {family.what}" for name, family in FAMILIES.items())
            + ". A network that is named has its own"
        ),
    ] = DEFAULT_FAMILY
    network: Annotated[
        str | Domain | None,
        NETWORK,
        Field(
            description="family, depth, widening factor and block in one, instead of those keys: WRN-16-2, "
            "WRN-40-2-B(3,1,3), ResNet-164, WRN-18-1.5, WRN-50-2-bottleneck, {depth: 40, widen_factor: 2, block: "
            "B(3,1,3)}; {choice: [WRN-10-1.125, WRN-16-0.75]} compares them. WRN-34-2 is of family wrn, "
            "WRN-34-2-basic of imagenet_resnet, unless family says it"
        ),
    ] = None
    depth: Annotated[
        int | Domain,
        whole_number(1, MAX_DEPTH, searchable=True),
        Field(
            description="3*l*N + 4 when all kernels are 3x3 (6*N + 4 for B(3,3)), else 6*N + 4; preact_resnet: 6*N + 2 "
            "with block basic, 9*N + 2 with bottleneck; imagenet_resnet: 18, 34, 50, 101 or 152"
        ),
    ] = 16
    widen_factor: Annotated[
        float | Domain,
        real_number(1 / 16, MAX_WIDEN_FACTOR, searchable=True),
        Field(
            description="k: the groups have int(16 k), int(32 k) and int(64 k) channels; imagenet_resnet: k times "
            "ResNet's 64 to 512, with bottlenecks inside them only; preact_resnet: 1"
        ),
    ] = 1.0
    block: Annotated[
        str | Domain | None,
        BLOCK,
        Field(
            description="kernel sizes of a block's convolutions, default B(3,3); of the other families basic or "
            "bottleneck, default by depth: bottleneck above 110 (preact_resnet), above 34 (imagenet_resnet)"
        ),
    ] = None
    deepening_factor: Annotated[
        int | Domain | None,
        whole_number(1, MAX_DEEPENING_FACTOR, nullable=True, searchable=True),
        Field(description="l, 3x3 convolutions in a block; instead of `block`, with family wrn"),
    ] = None
    dropout: Annotated[
        float | Domain,
        off_at("0", real_number(0, 1, below=True, searchable=True)),
        Field(description="probability between the convolutions of a block; 0 with family imagenet_resnet"),
    ] = 0.0
    stochastic_depth: Annotated[
        float | Domain,
        off_at("0", real_number(0, 1, below=True, searchable=True)),
        Field(
            description="probability of leaving out the residual branch of the last block for a batch; it grows "
            "linearly from the first block to it (Huang et al., 2016)"
        ),
    ] = 0.0
    init: Annotated[
        str | Domain,
        one_of("fan_in", "fan_out", searchable=True),
        Field(description="Kaiming normal initialisation of the convolutions by fan-in or fan-out"),
    ] = "fan_in"
    bn_weight: Annotated[
        str | Domain,
        one_of("one", "uniform", searchable=True),
        Field(description="batch norm weights begin at 1, or drawn from U(0, 1) as in the authors' code"),
    ] = "one"
    linear_init: Annotated[
        str | Domain,
        one_of("kaiming", "uniform", searchable=True),
        Field(
            description="weights of the linear layer begin normal with deviation sqrt(2 / inputs), or uniform up to "
            "1 / sqrt(inputs) as in the authors' code"
        ),
    ] = "kaiming"
    init_from: Annotated[
        str,
        starting_file(),
        Field(
            description="random, or a file with the weights that each network begins with: one that `export` wrote, a "
            "trial's checkpoint, torchvision's or timm's of an ImageNet network, or of a known port of WRNs; a last "
            "layer of another size begins anew (docs/transfer.md)"
        ),
    ] = RANDOM
    freeze: Annotated[
        str,
        frozen_groups(),
        Field(
            description="groups that stay as init_from has them, a list of stem, group1, group2, group3 (and group4 of "
            "imagenet_resnet): neither stepped nor decayed, their batch norms with the statistics that they came with"
        ),
    ] = NOTHING


def of_points() -> dict[str, Leaf]:
    """The rules of all keys that a configuration in a list may tell: those that can be searched, and the family."""
    (family,) = (part for part in ModelSettings.model_fields["family"].metadata if isinstance(part, Leaf))
    return {**searchable(ModelSettings, TrainingSettings), "family": family}


def searchable(*sections: type[Section]) -> dict[str, Leaf]:
    """The rules of all keys of these sections that can be searched."""
    fields = {name: field for section in sections for name, field in section.model_fields.items()}
    leaves = {
        name: next(part for part in field.metadata if isinstance(part, Leaf))
        for name, field in fields.items()
    }
    return {name: leaf for name, leaf in leaves.items() if leaf.searchable}


def default_of(name: str, optimizer: str | None = None) -> Any:
    """Of a key of `model` or `training`: what a trial is trained with to which a searched key does not apply.

    With an optimiser its own rates, as they are where the file names it alone.
    """
    own = rates_of(optimizer)
    return own[name] if name in own else _FIELDS[name].default


_FIELDS = {**ModelSettings.model_fields, **TrainingSettings.model_fields}
