"""The keys of `training` of today's optimisers and schedules, all off by default: rule, default and meaning of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from wrn_search.space.domains import Domain
from wrn_search.space.rules.key_rule import off_at
from wrn_search.space.rules.number_and_text_rules import one_of, real_number, true_or_false, whole_number
from wrn_search.space.sections.section import Section, alone

SCHEDULES = ("step", "cosine", "onecycle", "linear", "wsd")
OPTIMISERS = ("sgd", "adamw")
# Keys that one optimiser alone has.
OWN_OPTIMISER = {"momentum": "sgd", "nesterov": "sgd", "beta1": "adamw", "beta2": "adamw"}


def passes_of_a_step(sam: Any) -> int:
    """How often a batch passes the network, forward and backward: SAM climbs before it steps."""
    return 2 if sam else 1


def with_off_as_number(leaves: Mapping[str, Any]) -> dict[str, Any]:
    """Leaves with a `clip_norm` that is off as domains write it: 0 for null."""
    return {**leaves, "clip_norm": 0.0} if leaves.get("clip_norm", 0.0) is None else dict(leaves)


class OptimiserSettings(Section):
    """How steps are taken, where that is not the paper's way."""

    optimizer: Annotated[
        str | Domain,
        one_of(*OPTIMISERS, searchable=True),
        Field(
            description="sgd, or adamw (Loshchilov & Hutter, 2019), with which learning_rate is 0.001 and weight_decay "
            "0.01 unless the file says otherwise"
        ),
    ] = "sgd"
    nesterov: Annotated[
        bool | Domain,
        true_or_false(searchable=True),
        Field(description="of sgd: false is classical momentum (Polyak, 1964)"),
    ] = True
    beta1: Annotated[
        float | Domain,
        real_number(0, 1, below=True, searchable=True),
        Field(description="of adamw: decay of its mean of gradients"),
    ] = 0.9
    beta2: Annotated[
        float | Domain,
        real_number(0, 1, below=True, searchable=True),
        Field(description="of adamw: decay of its mean of squared gradients"),
    ] = 0.999
    lr_by: Annotated[
        str | Domain,
        one_of("epoch", "step", searchable=True),
        Field(
            description="the learning rate is constant through an epoch, or changes with every step of the optimiser; "
            "the drops of `step` stay at the beginnings of epochs"
        ),
    ] = "epoch"
    lr_cooldown: Annotated[
        float,
        alone(real_number(0, 1, above=True, below=True), "lr_cooldown"),
        Field(description="of wsd: the last share of the epochs, in which the learning rate falls to 0"),
    ] = 0.2
    warmup_epochs: Annotated[
        int | Domain,
        off_at("0", whole_number(0, 100_000, searchable=True)),
        Field(
            description="the learning rate rises in equal parts over so many first epochs (Goyal et al., 2017); "
            "cosine, linear and wsd begin after them, drops stay where they are"
        ),
    ] = 0
    clip_norm: Annotated[
        float | Domain | None,
        off_at("0", real_number(0, 1e9, nullable=True, searchable=True)),
        Field(
            description="gradients whose norm, of all parameters together, is larger are scaled down to it (Pascanu et "
            "al., 2013); null, or 0 as in {choice: [0, 1.0]}, for none"
        ),
    ] = None
    ema: Annotated[
        float | Domain,
        off_at("0", real_number(0, 1, below=True, searchable=True)),
        Field(
            description="decay a step of an exponential moving average of the weights, whose validation error is "
            "recorded as ema_val_error beside val_error; 0 for none"
        ),
    ] = 0.0
    sam: Annotated[
        float | Domain,
        off_at("0", real_number(0, 100, searchable=True)),
        Field(
            description="rho of sharpness-aware minimisation (Foret et al., 2021), two passes a step; 0 for none"
        ),
    ] = 0.0
    gradient_accumulation: Annotated[
        int | Domain,
        off_at("1", whole_number(1, 65_536, searchable=True)),
        Field(
            description="micro-batches in which a batch passes the network, one after the other: less memory; batch "
            "norms see micro-batches"
        ),
    ] = 1

    @model_validator(mode="after")
    def _no_clipping_has_one_spelling(self) -> Self:
        """0, which is off in a domain, is null where it stands alone."""
        if self.clip_norm == 0:
            self.__dict__["clip_norm"] = None
        return self
