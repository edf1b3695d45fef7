"""The keys of `training`: rule, default and meaning of each."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from wrn_search.space.domains import Domain
from wrn_search.space.rules.key_rule import off_at
from wrn_search.space.rules.keys_with_own_rules import LR_DROPS
from wrn_search.space.rules.number_and_text_rules import one_of, real_number, whole_number
from wrn_search.space.sections.loss_and_mixing_keys import LossAndMixing
from wrn_search.space.sections.optimiser_keys import SCHEDULES, OptimiserSettings
from wrn_search.space.sections.section import Section, alone


class RecipeOfThePaper(Section):
    """What the paper's authors set, and how it is computed."""

    epochs: Annotated[
        int, alone(whole_number(1, 100_000), "epochs"), Field(description="epochs of a full training")
    ] = 60
    batch_size: Annotated[
        int | Domain, whole_number(2, 65_536, searchable=True), Field(description="images a step")
    ] = 128
    learning_rate: Annotated[
        float | Domain, real_number(0, 100, above=True, searchable=True), Field(description="before any drop")
    ] = 0.1
    momentum: Annotated[
        float | Domain,
        real_number(0, 1, below=True, searchable=True),
        Field(description="of sgd; Nesterov's, unless nesterov is false"),
    ] = 0.9
    weight_decay: Annotated[
        float | Domain,
        off_at("0", real_number(0, 10, searchable=True)),
        Field(description="L2 penalty added to the gradient; with adamw decoupled from it"),
    ] = 5e-4
    weight_decay_on: Annotated[
        str | Domain,
        one_of("all", "weights", searchable=True),
        Field(description="all parameters as in the paper, or convolution and linear weights only"),
    ] = "all"
    lr_schedule: Annotated[
        str,
        alone(one_of(*SCHEDULES), "lr_schedule"),
        Field(
            description="drops at lr_drops; half a cosine; onecycle: a rise to learning_rate, a longer fall; linear: "
            "a line to 0; wsd: constant, then a line to 0 over the share lr_cooldown of the epochs (docs/recipes.md)"
        ),
    ] = "step"
    lr_drops: Annotated[
        tuple[float, ...],
        alone(LR_DROPS, "lr_drops"),
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
    momentum_at_drops: Annotated[
        str | Domain,
        one_of("keep", "restart", searchable=True),
        Field(
            description="at each drop of the step schedule the momentum is kept, or restarted at 0 as in the authors' "
            "code"
        ),
    ] = "keep"
    last_batch: Annotated[
        str | Domain,
        one_of("drop", "keep", searchable=True),
        Field(
            description="what is left of the training images behind the last whole batch of an epoch is dropped, or "
            "kept as a smaller batch"
        ),
    ] = "drop"
    precision: Annotated[
        str,
        alone(one_of("auto", "fp32", "tf32", "bf16", "fp16"), "precision"),
        Field(
            description="arithmetic; auto is bf16 where the hardware is fast at it, else fp32; tf32 needs GPUs of CUDA "
            "capability 8.0; fp16 scales the loss, for GPUs without bf16"
        ),
    ] = "auto"
    linear_precision: Annotated[
        str,
        alone(one_of("auto", "same", "fp32"), "linear_precision"),
        Field(
            description="the last, linear layer computes in `precision`, or in fp32, so that fewer classes tie: bf16 "
            "gives some images two highest scores; auto is fp32 (searches on record from before keep what they had)"
        ),
    ] = "auto"
    compile: Annotated[
        str,
        one_of("auto", "on", "off"),
        Field(description="torch.compile; auto is off where it gains nothing"),
    ] = "auto"
    cuda_graph: Annotated[
        str,
        alone(one_of("auto", "on", "off"), "cuda_graph"),
        Field(
            description="a step is captured once on the GPU and replayed; on needs GPUs; auto is on where "
            "GPUs train and nothing forbids it"
        ),
    ] = "auto"

    @model_validator(mode="after")
    def _drops_as_fractions(self) -> Self:
        """Epochs that lie in the training become fractions of it: one form from here on."""
        drops = self.lr_drops
        if drops and isinstance(drops[0], int) and drops[-1] < self.epochs:
            self.__dict__["lr_drops"] = tuple(epoch / self.epochs for epoch in drops)
        return self


class TrainingSettings(
    LossAndMixing, OptimiserSettings, RecipeOfThePaper
):  # the keys of the last base come first
    """The training of one network. A key takes a domain unless all trials of a search must share its value."""
