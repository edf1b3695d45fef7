"""The keys of each section of a space file: its rule, its default and what it means.

Pydantic was chosen for the walk through the sections, defaults, frozen values and JSON Schema.
"""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wrn_search.networks.architecture import MAX_DEEPENING_FACTOR, MAX_DEPTH, MAX_WIDEN_FACTOR
from wrn_search.space.domains import Domain
from wrn_search.space.rules.key_rule import Leaf
from wrn_search.space.rules.keys_with_own_rules import (
    BLOCK,
    LR_DROPS,
)
from wrn_search.space.rules.network_and_point_rules import NETWORK
from wrn_search.space.rules.number_and_text_rules import one_of, real_number, whole_number


def _alone(leaf: Leaf, name: str) -> Leaf:
    """A leaf whose value all trials of a search share: only equal trainings are compared, at rungs and at the end."""
    how = f"a search for each value (--set training.{name}=...), and name all results to one report"
    return dataclasses.replace(
        leaf, instead=f"; trials of one search are compared at equal {name}: run {how}"
    )


class Section(BaseModel):
    """A section: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSettings(Section):
    """The network. Every key takes a value or a domain."""

    network: Annotated[
        str | Domain | None,
        NETWORK,
        Field(
            description="depth, widening factor and block in one, instead of those keys: WRN-16-2, WRN-40-2-B(3,1,3), "
            "{depth: 40, widen_factor: 2, block: B(3,1,3)}; {choice: [WRN-10-1.125, WRN-16-0.75]} compares them"
        ),
    ] = None
    depth: Annotated[
        int | Domain,
        whole_number(1, MAX_DEPTH, searchable=True),
        Field(description="3*l*N + 4 when all kernels are 3x3 (6*N + 4 for B(3,3)), else 6*N + 4"),
    ] = 16
    widen_factor: Annotated[
        float | Domain,
        real_number(1 / 16, MAX_WIDEN_FACTOR, searchable=True),
        Field(description="k: the groups have int(16 k), int(32 k) and int(64 k) channels"),
    ] = 1.0
    block: Annotated[
        str | Domain | None,
        BLOCK,
        Field(description="kernel sizes of a block's convolutions; default B(3,3)"),
    ] = None
    deepening_factor: Annotated[
        int | Domain | None,
        whole_number(1, MAX_DEEPENING_FACTOR, nullable=True, searchable=True),
        Field(description="l, 3x3 convolutions in a block; instead of `block`"),
    ] = None
    dropout: Annotated[
        float | Domain,
        real_number(0, 1, below=True, searchable=True),
        Field(description="probability between the convolutions of a block"),
    ] = 0.0
    init: Annotated[
        str | Domain,
        one_of("fan_in", "fan_out", searchable=True),
        Field(description="Kaiming normal initialisation of the convolutions by fan-in or fan-out"),
    ] = "fan_in"


class TrainingSettings(Section):
    """The training of one network. All keys take a domain but epochs, lr_schedule, lr_drops, precision, compile."""

    epochs: Annotated[
        int, _alone(whole_number(1, 100_000), "epochs"), Field(description="epochs of a full training")
    ] = 60
    batch_size: Annotated[
        int | Domain, whole_number(2, 65_536, searchable=True), Field(description="images a step")
    ] = 128
    learning_rate: Annotated[
        float | Domain, real_number(0, 100, above=True, searchable=True), Field(description="before any drop")
    ] = 0.1
    momentum: Annotated[
        float | Domain, real_number(0, 1, below=True, searchable=True), Field(description="Nesterov momentum")
    ] = 0.9
    weight_decay: Annotated[
        float | Domain,
        real_number(0, 10, searchable=True),
        Field(description="L2 penalty added to the gradient"),
    ] = 5e-4
    weight_decay_on: Annotated[
        str | Domain,
        one_of("all", "weights", searchable=True),
        Field(description="all parameters as in the paper, or convolution and linear weights only"),
    ] = "all"
    lr_schedule: Annotated[
        str,
        _alone(one_of("step", "cosine"), "lr_schedule"),
        Field(description="drops at lr_drops, or half a cosine"),
    ] = "step"
    lr_drops: Annotated[
        tuple[float, ...],
        _alone(LR_DROPS, "lr_drops"),
        Field(
            description="where the learning rate drops: fractions of `epochs`, or the epochs that are the first to run "
            "at each lower rate ([60, 120, 160] of 200 is [0.3, 0.6, 0.8])"
        ),
    ] = (0.3, 0.6, 0.8)
    lr_drop_factor: Annotated[
        float | Domain,
        real_number(0, 1, above=True, searchable=True),
        Field(description="factor of each drop"),
    ] = 0.2
    precision: Annotated[
        str,
        _alone(one_of("auto", "fp32", "bf16"), "precision"),
        Field(description="arithmetic; auto is bf16 where the hardware is fast at it"),
    ] = "auto"
    compile: Annotated[
        str,
        one_of("auto", "on", "off"),
        Field(description="torch.compile; auto is off where it gains nothing"),
    ] = "auto"

    @model_validator(mode="after")
    def _drops_as_fractions(self) -> Self:
        """Epochs that lie in the training become fractions of it: one form from here on."""
        drops = self.lr_drops
        if drops and isinstance(drops[0], int) and drops[-1] < self.epochs:
            self.__dict__["lr_drops"] = tuple(epoch / self.epochs for epoch in drops)
        return self


def searchable(*sections: type[Section]) -> dict[str, Leaf]:
    """The rules of all keys of these sections that can be searched."""
    fields = {name: field for section in sections for name, field in section.model_fields.items()}
    leaves = {
        name: next(part for part in field.metadata if isinstance(part, Leaf))
        for name, field in fields.items()
    }
    return {name: leaf for name, leaf in leaves.items() if leaf.searchable}


def default_of(name: str) -> Any:
    """Of a key of `model` or `training`: what a trial is trained with to which a searched key does not apply."""
    return {**ModelSettings.model_fields, **TrainingSettings.model_fields}[name].default
