"""`Space`: a whole space file, checked and frozen; its sections' keys are in `section_keys.py`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field

from wrn_search.networks.architecture import (
    block_name,
    parse_block,
)
from wrn_search.searchers.searcher import SearchedSpace
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.domains import Choice, Domain, IntRange, Scalar, is_domain
from wrn_search.space.rules.keys_with_own_rules import (
    NAME,
    OBJECTIVES,
)
from wrn_search.space.rules.number_and_text_rules import plain_text, text
from wrn_search.space.section_keys import (
    DEFAULT_TRIALS,
    ModelSettings,
    ResourceSettings,
    SearchSettings,
    Section,
    TrainingSettings,
)
from wrn_search.space.trial_config import LEAVES, REAL_LEAVES, TrialConfig


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
        Field(description="what the search asks, what it costs, what to expect"),
    ] = ""
    dataset: DatasetSettings = Field(default_factory=lambda: DatasetSettings.model_validate({}))
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    objectives: Annotated[
        tuple[str, ...], OBJECTIVES, Field(description="what is minimised: the validation error, in percent")
    ] = ("val_error",)
    search: SearchSettings = SearchSettings()
    resources: ResourceSettings = ResourceSettings()

    @property
    def hyperparameters(self) -> dict[str, Domain]:
        """The leaves that are searched, in the order of the sections, with their domains."""
        return dict(self._domains)

    @property
    def trials(self) -> int:
        """Configurations to propose at most: `search.trials`, else the whole grid, else 64."""
        if self.search.trials is not None:
            return self.search.trials
        size = self.size
        whole_grid = SEARCHERS[self.search.searcher].needs_finite_space
        return size if whole_grid and size is not None else DEFAULT_TRIALS

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

    @property
    def searched(self) -> SearchedSpace:
        """What a searcher must know of this space."""
        return SearchedSpace(self.hyperparameters, self.size, self.search.seed)

    # Both are asked some times for each proposal, and a space never changes.
    @cached_property
    def _leaves(self) -> dict[str, Scalar | Domain]:
        sections = (self.model, self.training)
        return {name: getattr(section, name) for section in sections for name in type(section).model_fields}

    @cached_property
    def _domains(self) -> dict[str, Domain]:
        return {name: value for name, value in self._leaves.items() if is_domain(value)}

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """The space with other sections; what was derived from the old ones stays behind."""
        copy = super().model_copy(update=update, deep=deep)
        for derived in ("_leaves", "_domains"):
            copy.__dict__.pop(derived, None)
        return copy

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
        assert hparams.keys() == self.hyperparameters.keys(), (hparams, self.hyperparameters)
        leaves: dict[str, Any] = self._leaves | hparams
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
