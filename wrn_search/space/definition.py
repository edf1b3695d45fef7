"""The space file's sections: every key, its rule, its default and what it means. `Space` is the checked whole.

Pydantic was chosen for the walk through the sections, defaults, frozen values and JSON Schema.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from wrn_search.space.architecture import (
    MAX_DEEPENING_FACTOR,
    MAX_DEPTH,
    MAX_WIDEN_FACTOR,
    block_name,
    parse_block,
)
from wrn_search.space.datasets import DatasetSettings
from wrn_search.space.domains import Choice, Domain, IntRange, Scalar, is_domain
from wrn_search.space.key_leaves import (
    BLOCK,
    GPU_SHARE,
    LR_DROPS,
    NAME,
    OBJECTIVES,
    RUNGS,
    WARM_START,
    auto_or_count,
)
from wrn_search.space.trial_config import LEAVES, REAL_LEAVES, TrialConfig
from wrn_search.space.values import one_of, plain_text, real_number, text, whole_number

DEFAULT_TRIALS = 64
MAX_TRIALS = 1_000_000


class Section(BaseModel):
    """A section: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSettings(Section):
    """The network. Every key takes a value or a domain."""

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

    epochs: Annotated[int, whole_number(1, 100_000), Field(description="epochs of a full training")] = 60
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
        str, one_of("step", "cosine"), Field(description="drops at lr_drops, or half a cosine")
    ] = "step"
    lr_drops: Annotated[
        tuple[float, ...],
        LR_DROPS,
        Field(description="fractions of `epochs` at which the learning rate drops"),
    ] = (0.3, 0.6, 0.8)
    lr_drop_factor: Annotated[
        float | Domain,
        real_number(0, 1, above=True, searchable=True),
        Field(description="factor of each drop"),
    ] = 0.2
    precision: Annotated[
        str,
        one_of("auto", "fp32", "bf16"),
        Field(description="arithmetic; auto is bf16 where the hardware is fast at it"),
    ] = "auto"
    compile: Annotated[
        str,
        one_of("auto", "on", "off"),
        Field(description="torch.compile; auto is off where it gains nothing"),
    ] = "auto"


class SearchSettings(Section):
    """What the search itself is told."""

    searcher: Annotated[
        str,
        one_of("random", "grid", "tpe"),
        Field(description="proposes configurations; tpe learns from results"),
    ] = "tpe"
    scheduler: Annotated[
        str, one_of("none", "asha"), Field(description="decides at each rung which trials go on")
    ] = "asha"
    rungs: Annotated[
        str | tuple[int, ...],
        RUNGS,
        Field(
            description="epochs at which trials are compared: after each learning-rate drop, geometric, or a list"
        ),
    ] = "schedule"
    grace_period: Annotated[
        int, whole_number(1, 100_000), Field(description="first rung of `geometric`, in epochs")
    ] = 3
    reduction_factor: Annotated[
        int, whole_number(2, 1000), Field(description="eta: at a rung the best one in eta goes on")
    ] = 3
    trials: Annotated[
        int | None,
        whole_number(1, MAX_TRIALS, nullable=True),
        Field(description="configurations; null is the whole grid for searcher grid, else 64"),
    ] = None
    repeats: Annotated[
        int, whole_number(1, 1000), Field(description="seeds per configuration; rows = trials * repeats")
    ] = 1
    warm_start: Annotated[
        tuple[str, ...],
        WARM_START,
        Field(
            description="results directories of other searches that the searcher learns from before it begins"
        ),
    ] = ()
    max_hours: Annotated[
        float | None,
        real_number(0, 100_000, above=True, nullable=True),
        Field(description="wall hours after which no epoch is begun"),
    ] = None
    retries: Annotated[
        int,
        whole_number(0, 1000),
        Field(description="further tries of a trial whose process dies or whose checkpoint is damaged"),
    ] = 2
    trial_timeout: Annotated[
        float | None,
        real_number(0, 10_000_000, above=True, nullable=True),
        Field(description="seconds that one epoch may take, validation included; then the process is ended"),
    ] = None
    max_failed_share: Annotated[
        float,
        real_number(0, 1),
        Field(description="the search ends when 10 trials have ended and more than this share has failed"),
    ] = 0.5
    keep_checkpoints: Annotated[
        int,
        whole_number(1, 1_000_000),
        Field(description="checkpoints of so many best completed trials stay, to export and to go on from"),
    ] = 3
    seed: Annotated[
        int, whole_number(0, 2**31 - 1), Field(description="every other seed is derived from it")
    ] = 0


class ResourceSettings(Section):
    """What a trial gets, and how many run at once."""

    gpus_per_trial: Annotated[
        str | float,
        GPU_SHARE,
        Field(
            description="auto is the smallest share of a GPU that holds the trial by prediction, 0 without a GPU"
        ),
    ] = "auto"
    cpus_per_trial: Annotated[
        str | int, auto_or_count(4096), Field(description="also the trial's threads")
    ] = "auto"
    concurrent: Annotated[str | int, auto_or_count(100_000), Field(description="trials at once")] = "auto"


class Space(Section):
    """A whole space file, checked and frozen."""

    # The reader fills in the name, so no key has to be there.
    model_config = ConfigDict(json_schema_extra=lambda schema: schema.update(required=[]))

    name: Annotated[
        str,
        NAME,
        Field(description="the results go to results/<name>; default: the file's name"),
    ]
    description: Annotated[
        str,
        text(
            "must be text of at most 10000 characters, none of them a control character",
            lambda value: len(value) <= 10_000 and plain_text(value, also="\n\t"),
        ),
        Field(description="what it asks"),
    ] = ""
    dataset: DatasetSettings = Field(default_factory=lambda: DatasetSettings.model_validate({}))
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    objectives: Annotated[tuple[str, ...], OBJECTIVES] = ("val_error",)
    search: SearchSettings = SearchSettings()
    resources: ResourceSettings = ResourceSettings()

    @property
    def hyperparameters(self) -> dict[str, Domain]:
        """The leaves that are searched, in the order of the sections, with their domains."""
        return {name: value for name, value in self._leaves().items() if is_domain(value)}

    @property
    def trials(self) -> int:
        """Configurations to propose at most: `search.trials`, else the whole grid, else 64."""
        if self.search.trials is not None:
            return self.search.trials
        size = self.size
        return size if self.search.searcher == "grid" and size is not None else DEFAULT_TRIALS

    @property
    def size(self) -> int | None:
        """Configurations in a finite space; None when a domain is continuous."""
        size = 1
        for domain in self.hyperparameters.values():
            match domain:
                case Choice():
                    size *= len(domain.options)
                case IntRange():
                    size *= len(domain.values)
                case _:
                    return None
        return size

    def _leaves(self) -> dict[str, Scalar | Domain]:
        sections = (self.model, self.training)
        return {name: getattr(section, name) for section in sections for name in type(section).model_fields}

    def trial_config(
        self, hparams: dict[str, Scalar], seed: int, *, precision: str, compile: str
    ) -> TrialConfig:
        """The one training that `hparams` describe within this space.

        Args:
            hparams: a value for each of `hyperparameters`.
            seed: the trial's own seed.
            precision: resolved, `fp32` or `bf16`.
            compile: resolved, `on` or `off`.
        """
        assert set(hparams) == set(self.hyperparameters), (hparams, self.hyperparameters)
        leaves: dict[str, Any] = self._leaves() | hparams
        if leaves["deepening_factor"] is not None:
            leaves["block"] = block_name((3,) * leaves["deepening_factor"])
        elif leaves["block"] is None:
            leaves["block"] = "B(3,3)"
        leaves["deepening_factor"] = len(parse_block(leaves["block"]))
        leaves |= {name: float(leaves[name]) for name in REAL_LEAVES}  # an int domain proposes whole ones
        leaves |= {"precision": precision, "compile": compile}
        return TrialConfig(**{name: leaves[name] for name in LEAVES}, dataset=self.dataset, seed=seed)

    def to_document(self) -> dict[str, Any]:
        """Plain YAML values with every default filled in; reading them gives this space again."""

        def plain(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: plain(item) for key, item in value.items()}
            return [plain(item) for item in value] if isinstance(value, list | tuple) else value

        document: dict[str, Any] = plain(self.model_dump())
        return document
