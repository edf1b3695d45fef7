"""`Space`: a whole space file, checked and frozen; its sections' keys are in `section_keys.py` and `sections/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field

from wrn_search.networks.architecture import Architecture, block_name, parse_block
from wrn_search.schedulers.scheduler_table import SCHEDULERS
from wrn_search.searchers.searcher import Hparams, Prior, SearchedSpace
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.axes.axes_of_a_space import (
    AnyAxes,
    axes_of,
    listed_networks,
    points_on_axes,
    with_network,
)
from wrn_search.space.axes.listed_networks import ListedNetworks, leaves_of
from wrn_search.space.axes.listed_points import ListedPoints
from wrn_search.space.axes.network_leaves import SHAPE, merged
from wrn_search.space.constraint_keys import ConstraintSettings
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.domains import Domain, Scalar
from wrn_search.space.network_budgets import network_lattice, within_budgets
from wrn_search.space.rules.keys_with_own_rules import (
    NAME,
    OBJECTIVES,
)
from wrn_search.space.rules.network_and_point_rules import CONFIDENCE
from wrn_search.space.rules.number_and_text_rules import plain_text, text
from wrn_search.space.section_keys import ModelSettings, Section, TrainingSettings, default_of
from wrn_search.space.sections.resource_keys import ResourceSettings
from wrn_search.space.sections.search_keys import DEFAULT_TRIALS, MAX_TRIALS, SearchSettings
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
    constraints: ConstraintSettings = ConstraintSettings()
    objectives: Annotated[
        tuple[str, ...], OBJECTIVES, Field(description="what is minimised: the validation error, in percent")
    ] = ("val_error",)
    search: SearchSettings = SearchSettings()
    resources: ResourceSettings = ResourceSettings()

    @property
    def hyperparameters(self) -> dict[str, Domain]:
        """The leaves that are searched, in the order of the sections, with their domains."""
        return dict(self.axes.hyperparameters)

    @property
    def networks(self) -> Sequence[Architecture] | None:
        """All networks, where they are no product of depths, widths and blocks: listed ones, or those of points."""
        return self.axes.networks

    @property
    def trials(self) -> int:
        """Configurations to propose at most: `search.trials`, else a whole grid or list of points, else what a budget
        pays for at most, else 64."""
        trials = self._trials_asked_for
        if trials is None and self.search.budget is not None:
            epochs = self.search.budget.get("epochs")
            return MAX_TRIALS if epochs is None else min(MAX_TRIALS, int(epochs) // self.search.repeats)
        return DEFAULT_TRIALS if trials is None else trials

    @property
    def trials_at_least(self) -> int:
        """Configurations to expect at least, for what is a share of them; as `trials`, where that is asked for."""
        trials = self._trials_asked_for
        if trials is None and self.search.budget is not None and "epochs" in self.search.budget:
            whole = self.training.epochs * self.search.repeats
            return max(1, int(self.search.budget["epochs"]) // whole)
        return DEFAULT_TRIALS if trials is None else trials

    @property
    def _trials_asked_for(self) -> int | None:
        """`search.trials`, else a whole grid or list of points."""
        if self.search.trials is not None:
            return self.search.trials
        whole = SEARCHERS[self.search.searcher].needs_finite_space or isinstance(self.axes, ListedPoints)
        return self.size if whole else None

    @property
    def size(self) -> int | None:
        """Configurations in a finite space; None when a domain is continuous."""
        return self.axes.size

    @property
    def waits_at_rungs(self) -> bool:
        """Whether a configuration that does not go on at a rung waits there, and keeps its checkpoint."""
        kind = SCHEDULERS[self.search.scheduler]
        return kind.stops_trials and (kind.by_curves or (kind.lets_wait and self.search.promote))

    @property
    def has_drops(self) -> bool:
        """Whether the learning rate drops at set epochs; else it falls evenly or stays."""
        return self.training.lr_schedule == "step" and bool(self.training.lr_drops)

    @property
    def brackets(self) -> int | None:
        """As said; where nobody says it, scheduler asha has two where rungs begin early, and one after drops."""
        if self.search.brackets is not None or self.search.scheduler != "asha":
            return self.search.brackets
        return 2 if self.search.rungs == "schedule" and not self.has_drops else 1

    @property
    def searched(self) -> SearchedSpace:
        """What a searcher must know of this space."""
        axes = self.axes
        return SearchedSpace(
            axes.domains,
            axes.size,
            self.search.seed,
            axes.cell,
            self._points_tried_first(),
            axes.places,
            axes.canonical,
            axes.idle,
            self._prior(),
            self.training.epochs,
        )

    def hparams_at(self, point: Hparams) -> Hparams:
        """The hyperparameters that a point on the searcher's axes stands for."""
        return self.axes.hparams(point)

    def point_of(self, hparams: Hparams) -> Hparams | None:
        """The searcher's point for hyperparameters that lie in their domains; None where their network is no choice."""
        return self.axes.point(hparams)

    def shape_of(self, network: Architecture) -> Hparams:
        """The hyperparameters that make a network, as far as they are searched."""
        leaves = leaves_of(network) | {"deepening_factor": network.deepening_factor}
        return {name: leaves[name] for name in self.hyperparameters if name in leaves}

    def _points_tried_first(self) -> tuple[Hparams, ...]:
        """The points of the file on the searcher's axes; an axis that is left open is not in them."""
        return points_on_axes(self.axes, self.search.points)

    def _prior(self) -> Prior | None:
        """What the file believes to be good, on the searcher's axes."""
        if self.search.prior is None:
            return None
        believed = {name: value for name, value in self.search.prior.items() if name != CONFIDENCE}
        (values,) = points_on_axes(self.axes, [believed])
        return Prior(values, str(self.search.prior[CONFIDENCE]))

    # All are asked some times for each proposal, and a space never changes.
    @cached_property
    def axes(self) -> AnyAxes:
        """What the searcher draws on, and what a point there stands for."""
        lattice = network_lattice(self.leaves, self.constraints, self.dataset.facts)
        return axes_of(self.leaves, self.listed, lattice, self.search.points)

    @cached_property
    def listed(self) -> ListedNetworks | None:
        """The networks of `model.network` that meet the constraints; None without the key."""
        listed = listed_networks(self.model.network)
        return None if listed is None else within_budgets(listed, self.constraints, self.dataset.facts)

    @cached_property
    def leaves(self) -> dict[str, Scalar | Domain]:
        """Every leaf of `model` and `training` with its value or domain; `model.network` as what it stands for."""
        sections = (self.model, self.training)
        named = {name: getattr(section, name) for section in sections for name in type(section).model_fields}
        del named["network"]
        return with_network(named, self.listed)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """The space with other sections; what was derived from the old ones stays behind."""
        copy = super().model_copy(update=update, deep=deep)
        for derived in ("leaves", "listed", "axes"):
            copy.__dict__.pop(derived, None)
        return copy

    def trial_config(
        self, hparams: dict[str, Scalar], seed: int, *, precision: str, compile: str
    ) -> TrialConfig:
        """The one training that `hparams` describe within this space.

        Args:
            hparams: a value for each of `hyperparameters`, or null for one that does not apply: the key's default
                is what is trained with.
            seed: the trial's own seed.
            precision: resolved, `fp32` or `bf16`.
            compile: resolved, `on` or `off`.
        """
        assert hparams.keys() == self.hyperparameters.keys(), (hparams, self.hyperparameters)
        leaves = merged(self.leaves, self.axes.applied(hparams))
        leaves |= {
            name: default_of(name) for name, value in leaves.items() if value is None and name not in SHAPE
        }
        if leaves["deepening_factor"] is not None:
            leaves["block"] = block_name((3,) * leaves["deepening_factor"])
        elif leaves["block"] is None:
            leaves["block"] = "B(3,3)"
        leaves["deepening_factor"] = len(parse_block(leaves["block"]))
        leaves |= {name: float(leaves[name]) for name in REAL_LEAVES}  # an int domain proposes whole ones
        leaves |= {"precision": precision, "compile": compile}
        return TrialConfig(**{name: leaves[name] for name in LEAVES}, dataset=self.dataset, seed=seed)

    def to_document(self) -> dict[str, Any]:
        """Plain YAML values with every default filled in; reading them gives this space again.

        Where `model.network` names the networks, the keys that it stands for are left out.
        """

        def plain(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: plain(item) for key, item in value.items()}
            return [plain(item) for item in value] if isinstance(value, list | tuple) else value

        document: dict[str, Any] = plain(self.model_dump())
        if self.model.network is not None:
            document["model"] = {k: v for k, v in document["model"].items() if k not in SHAPE}
        return document
