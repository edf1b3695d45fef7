"""How one trial stands: what was proposed, what it reported, how it ended."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.results.events import Paused, Reported, Started, Tested
from wrn_search.seconds_alone import those_that_count
from wrn_search.space.sections.optimiser_keys import passes_of_a_step
from wrn_search.space.trial_config import TrialConfig

FINAL = frozenset({"completed", "stopped", "diverged", "failed"})
STATUSES = FINAL | {"running", "interrupted"}
WAITS_AT_A_RUNG = "waits at epoch"  # so begins the `error` of a trial that does
COUNTS_AS_CHANCE = (  # a line of the `error` of a trial that ran out of memory
    "in its configuration's result it counts with the error of chance: a convention, not a measurement"
)


# Slots, as a dict of so many fields would be most of the memory that a trial takes.
@dataclass(slots=True)
class TrialState:
    """One trial: what was proposed, what it reported, how it stands."""

    number: int
    trial_id: str
    configuration: int
    repeat: int
    hparams: dict[str, Any]
    config: dict[str, Any]
    num_params: int
    macs: int
    anchor: bool = False  # never stopped by a scheduler
    status: str = "running"  # one of STATUSES; running from its proposal on
    reports: list[tuple[float, EpochMetrics]] = field(
        default_factory=list
    )  # (time, metrics), each epoch once
    error: str | None = None  # why it diverged, failed or was interrupted
    out_of_memory: bool = False  # why it failed
    retries: int = 0  # faults that passed, running out of a GPU's memory not counted
    above_share: float = 0.0  # of a GPU: this and smaller ones were too small
    above_bytes: int = 0  # of memory: so much was too little
    out_of_memory_tries: int = 0  # that ended so, and a larger share was tried
    rung: int | None = None  # epochs at which the scheduler stopped it
    at_chance: bool = False  # why it was stopped: its error could not be told from guessing
    node: str | None = None
    device: str | None = None
    threads: int | None = None
    alone: set[int] = field(default_factory=set)  # epochs during which no other trial shared its device
    gpu_fraction: float | None = None
    is_paused: bool = False  # rests at a rung, by the scheduler; it is taken up again or ends with the search
    rests_no_more: str | None = None  # why it rested, when its search ended for good and it counts as stopped
    started_at: float | None = None  # Unix seconds of the first start
    finished_at: float | None = None  # Unix seconds; None while it runs
    test_opened: list[float] = field(default_factory=list)  # Unix seconds of each reading of the test split
    tested: Tested | None = None  # in a confirmation, what the test split said
    # multiply-adds of one training image, in all forward passes that a step takes; the backward ones follow
    training_macs: int = field(init=False, repr=False)
    _epochs: set[int] = field(default_factory=set, repr=False)
    # `trial_config`, once it was asked for
    _trial_config: TrialConfig | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.training_macs = self.macs * passes_of_a_step(self.config.get("sam"))

    @property
    def trial_config(self) -> TrialConfig:
        """`config`, which never changes, as the trainings of this version read it."""
        if self._trial_config is None:
            self._trial_config = TrialConfig.from_dict(self.config)
        return self._trial_config

    @property
    def epochs_done(self) -> int:
        """Epochs on record."""
        return len(self.reports)

    @property
    def last(self) -> EpochMetrics | None:
        """Metrics of the last epoch on record."""
        return self.reports[-1][1] if self.reports else None

    @property
    def best_val_error(self) -> float | None:
        """The lowest validation error on record, in percent."""
        errors = (metrics.val_error for _, metrics in self.reports)
        return min((error for error in errors if error is not None), default=None)

    @property
    def seconds_alone(self) -> float:
        """Of training, in epochs during which no other trial shared its device."""
        return sum(metrics.seconds for _, metrics in self.reports if metrics.epoch in self.alone)

    @property
    def seconds_per_epoch(self) -> float | None:
        """Median wall seconds of training an epoch, by `those_that_count`; None before the first."""
        told = those_that_count(
            (metrics.seconds, metrics.epoch in self.alone) for _, metrics in self.reports
        )[0]
        return statistics.median(told) if told else None

    @property
    def inference_ms(self) -> float | None:
        """Milliseconds of a forward pass of 1 image; None where it was not measured."""
        return self._median_of("inference_ms")

    @property
    def inference_ms_64(self) -> float | None:
        """Milliseconds of a forward pass of 64 images; None where it was not measured."""
        return self._median_of("inference_ms_64")

    @property
    def energy_kwh(self) -> float | None:
        """Of a full training: the mean of its epochs, times all of its schedule; None where it was not measured.

        Counters rise in steps, which even out over epochs; what never rose is not known.
        """
        told = [metrics.energy_kwh for _, metrics in self.reports if metrics.energy_kwh is not None]
        return statistics.fmean(told) * int(self.config["epochs"]) if any(told) else None

    def _median_of(self, name: str) -> float | None:
        values = [value for _, metrics in self.reports if (value := getattr(metrics, name)) is not None]
        return statistics.median(values) if values else None

    def cost(self, objective: str) -> float | None:
        """What an objective other than the error is, see `OBJECTIVE_TABLE`; None while nobody knows."""
        value: float | None = getattr(self, objective)
        return value

    def value_of(self, name: str) -> Any:
        """The trial's value of a hyperparameter, which another session's space may have fixed; None if none applies."""
        return self.hparams.get(name, self.config.get(name))

    def leaves_out(self, name: str) -> bool:
        """Whether a hyperparameter does not apply to this trial, by its conditions; it is trained with the default."""
        return name in self.hparams and self.hparams[name] is None

    def start(self, time: float, event: Started) -> None:
        """The trial is running, for the first time or again."""
        self.status, self.error, self.rung, self.finished_at = "running", None, None, None
        self.out_of_memory = self.is_paused = False
        self.threads, self.gpu_fraction = event.threads, event.gpu_fraction
        self.started_at = time if self.started_at is None else self.started_at

    def report(self, time: float, event: Reported) -> bool:
        """Whether that is one epoch more. One that a resumed trial runs again is passed over: its first row stands."""
        self.node, self.device, metrics = event.node, event.device, event.metrics
        if metrics.epoch in self._epochs:
            return False
        self._epochs.add(metrics.epoch)
        self.reports.append((time, metrics))
        return True

    def pause(self, time: float, event: Paused) -> None:
        """It waits at a rung: for the other repeats of its configuration, or until the scheduler lets it go on."""
        self.is_paused = bool(event.reason)
        whom = f": {event.reason}" if event.reason else " for the other repeats of its configuration"
        self.end(time, "interrupted", error=f"{WAITS_AT_A_RUNG} {event.rung}{whom}")

    def end_rest(self) -> None:
        """Its search has spent its budget: whoever rests at a rung was stopped there, unless there will be more."""
        if self.status == "interrupted" and self.last is not None:
            self.rests_no_more, self.error = self.error or "", None
            self.status, self.rung = "stopped", self.last.epoch

    def rest_again(self) -> None:
        """Its search goes on with a larger budget."""
        if self.rests_no_more is not None:
            self.status, self.error = "interrupted", self.rests_no_more or None
            self.rests_no_more = self.rung = None

    def end(
        self,
        time: float,
        status: str,
        *,
        error: str | None = None,
        out_of_memory: bool = False,
        rung: int | None = None,
    ) -> None:
        """The trial has ended, unless it already had: an interrupt changes nothing that is finished."""
        if self.status not in FINAL:
            self.is_paused &= status == "interrupted"
            self.status, self.error, self.rung, self.finished_at = status, error, rung, time
            self.out_of_memory = out_of_memory

    def reopen(self) -> None:
        """A failed trial is tried again as if for the first time: what was wrong has been mended. Its epochs stand."""
        if self.status == "failed":
            self.status, self.error, self.finished_at = "interrupted", None, None
            self.out_of_memory, self.retries, self.above_share, self.above_bytes = False, 0, 0.0, 0


def costs_of(repeats: Sequence[TrialState], objectives: Sequence[str]) -> tuple[float | None, ...]:
    """Of each objective the median of the repeats; None where nobody knows it."""
    if not objectives:
        return ()
    known = [[cost for each in repeats if (cost := each.cost(name)) is not None] for name in objectives]
    return tuple(statistics.median(values) if values else None for values in known)
