"""`Space`: a whole space file, checked and frozen; its sections' keys are in `section_keys.py` and `sections/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Self

from pydantic import ConfigDict, Field, model_validator

from wrn_search.networks.architecture import Architecture
from wrn_search.objectives.objective_table import VAL_ERROR
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
from wrn_search.space.axes.network_leaves import SHAPE, TOLD, block_leaves, merged
from wrn_search.space.constraint_keys import ConstraintSettings
from wrn_search.space.dataset_section import DatasetSettings, JoinedSettings
from wrn_search.space.domains import Domain, Scalar, finite_values
from wrn_search.space.network_budgets import network_lattice, within_budgets
from wrn_search.space.rules.network_and_point_rules import CONFIDENCE
from wrn_search.space.section_keys import ModelSettings, default_of
from wrn_search.space.sections.resource_keys import ResourceSettings
from wrn_search.space.sections.search_keys import DEFAULT_TRIALS, MAX_TRIALS, SearchSettings
from wrn_search.space.sections.section import Section
from wrn_search.space.sections.training_keys import TrainingSettings
from wrn_search.space.sections.whole_search_keys import (
    Description,
    Name,
    Objectives,
    OnEnd,
    Protocol,
    Recipe,
    Trackers,
)
from wrn_search.space.trial_config import LEAVES, REAL_LEAVES, TrialConfig, captured, last_layer


class Space(Section):
    """A whole space file, checked and frozen."""

    # The reader fills in the name, so no key has to be there.
    model_config = ConfigDict(json_schema_extra=lambda schema: schema.update(required=[]))

    name: Name
    description: Description = ""
    recipe: Recipe = None
    protocol: Protocol = "search"
    dataset: DatasetSettings = Field(default_factory=lambda: DatasetSettings.model_validate({}))
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    constraints: ConstraintSettings = ConstraintSettings()
    objectives: Objectives = ("val_error",)
    search: SearchSettings = SearchSettings()
    resources: ResourceSettings = ResourceSettings()
    on_end: OnEnd = ()
    trackers: Trackers = ()

    @model_validator(mode="after")
    def _all_images_are_trained_on(self) -> Self:
        """With `protocol: test_each`, which has nothing to choose by."""
        if self.tests_each:
            self.__dict__["dataset"] = JoinedSettings.whole(self.dataset)
        return self

    @property
    def tests_each(self) -> bool:
        """Whether each network is trained on all training images and tested once."""
        return self.protocol == "test_each"

    @property
    def hyperparameters(self) -> dict[str, Domain]:
        """The leaves that are searched, in the order of the sections, with their domains."""
        return dict(self.axes.hyperparameters)

    @property
    def costs(self) -> tuple[str, ...]:
        """The objectives other than the validation error, in the order of the file."""
        return tuple(name for name in self.objectives if name != VAL_ERROR)

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
        """Whether the learning rate drops at set epochs; else it falls evenly, or stays for long."""
        return self.training.lr_schedule == "step" and bool(self.training.lr_drops)

    @property
    def longest_warm_up(self) -> int:
        """Epochs in which the learning rate of some trial may still rise."""
        epochs = finite_values(self.hyperparameters.get("warmup_epochs", self.training.warmup_epochs))
        return max(int(value) for value in epochs or (0,))

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
            hparams=axes.hparams,
            several_objectives=bool(self.costs),
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
        lattice = None
        if self.listed is None:
            lattice = network_lattice(self.leaves, self.constraints, self.dataset.facts)
        return axes_of(self.leaves, self.listed, lattice, self.search.points)

    @cached_property
    def listed(self) -> ListedNetworks | None:
        """The networks of `model.network` that meet the constraints; None without the key."""
        listed = listed_networks(self.model.network, self.model.family)
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
            precision: resolved: fp32, tf32, bf16 or fp16.
            compile: resolved, `on` or `off`.
        """
        assert hparams.keys() == self.hyperparameters.keys(), (hparams, self.hyperparameters)
        leaves = merged(self.leaves, self.axes.applied(hparams))
        leaves |= {
            name: default_of(name, leaves["optimizer"])
            for name, value in leaves.items()
            if value is None and name not in SHAPE
        }
        leaves |= block_leaves(leaves)
        # Not the whole numbers that an int domain proposes.
        leaves |= {name: float(leaves[name]) for name in REAL_LEAVES if leaves[name] is not None}
        leaves |= {
            "precision": precision,
            "linear_precision": last_layer(self.training.linear_precision, precision),
            "compile": compile,
            "cuda_graph": captured(self.training.cuda_graph),
        }
        return TrialConfig(**{name: leaves[name] for name in LEAVES}, dataset=self.dataset, seed=seed)

    def to_document(self) -> dict[str, Any]:
        """Plain YAML values with every default filled in; reading them gives this space again.

        Where `model.network` names the networks, the keys that it stands for are left out, but the family.
        """

        def plain(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: plain(item) for key, item in value.items()}
            return [plain(item) for item in value] if isinstance(value, list | tuple) else value

        document: dict[str, Any] = plain(self.model_dump())
        if self.tests_each:  # which holds no image out, whatever a file says
            del document["dataset"]["validation"]
        if self.model.network is not None:
            document["model"] = {k: v for k, v in document["model"].items() if k not in TOLD}
        return document
