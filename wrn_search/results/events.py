"""Events: what happened in a search, one frozen value each; `event_lines.py` makes a line of one and reads it again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from wrn_search.epoch_metrics import EpochMetrics

KINDS = ("split", "joined")  # retrained on the search's training images; on those and the validation images


@dataclass(frozen=True)
class SearchStarted:
    """A search began; the first event of every record."""

    search: str  # the search's name
    search_id: str
    max_epochs: int
    chance_error: float  # percent: the error of always answering the most frequent validation class
    dataset: str
    split_hash: str = ""  # of the labels and of which images validate
    space: dict[str, Any] = field(default_factory=dict)  # after --set and defaults; empty in older records
    given: str = ""  # the space file as given
    versions: dict[str, Any] = field(default_factory=dict)  # of Python and the packages
    hardware: dict[str, Any] = field(default_factory=dict)  # of the driver's machine
    details: dict[str, Any] = field(default_factory=dict)  # all else that the manifest says


@dataclass(frozen=True)
class SearchResumed:
    """A later session goes on with the search; one for each `--resume`."""

    changed: dict[str, Any] = field(default_factory=dict)  # key of the space file -> its value from now on
    was: dict[str, Any] = field(default_factory=dict)  # the same keys -> their values until now
    space: dict[str, Any] = field(default_factory=dict)  # of this session, as in `SearchStarted`
    given: str = ""
    versions: dict[str, Any] = field(default_factory=dict)
    hardware: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Known:
    """What another search found of one configuration (`search.warm_start`): knowledge of the searcher, no result."""

    source: str  # search_id of the other search
    trial_id: str  # there, of the first repeat
    leaves: dict[str, Any]  # the configuration: all leaves of `model` and `training`
    full: bool  # whether the last of `curve` is its value at full epochs; else it was stopped early
    curve: dict[str, Any]  # epoch -> validation error in percent, mean of the repeats
    split_hash: str = ""  # of the other search; empty where an older version did not record it
    max_epochs: int = 0  # of a full training there; 0 where an older version did not record it


@dataclass(frozen=True)
class Chosen:
    """The finalists of a confirmation: named by validation, before any of them is retrained, and never again."""

    source: str  # search_id of the search that they come from, of several the first
    rule: str  # top | pareto | trials
    top: int  # how many at most; 0 is no limit, or they were named by their trials
    repeats: int  # fresh seeds of each finalist, for either kind of retraining
    epochs: int  # of a retraining
    configurations: int  # of the search that had reached full epochs
    finalists: dict[str, Any]  # place from 1 -> `Finalist.to_dict()` of the choice
    per_network: bool = False  # at most one configuration of each network; older versions took any
    sources: dict[str, Any] = field(
        default_factory=dict
    )  # search_id -> its `search` (label) and `results`; empty where older versions chose, from `source` alone
    winner: str = (
        ""  # `fresh_median`: how the winner is named, see `finalists_in_order`; older versions: the first
    )
    only: str = ""  # the one of `KINDS` that is retrained; empty: both

    @property
    def kinds(self) -> tuple[str, ...]:
        """What each finalist is retrained as, in the order of its configurations."""
        return (self.only,) if self.only else KINDS

    def finalist_at(self, configuration: int) -> tuple[int, str]:
        """(place of the finalist, from 1; which of `KINDS`) of a configuration of the confirmation."""
        place, kind = divmod(configuration, len(self.kinds))
        return place + 1, self.kinds[kind]


@dataclass(frozen=True)
class Proposed:
    """The searcher proposed a trial."""

    number: int  # row of the trial, from 0
    trial_id: str
    configuration: int  # index of the hyperparameters, shared by their repeats
    repeat: int  # from 0
    hparams: dict[str, Any]  # only what the searcher proposed
    config: dict[str, Any]  # `TrialConfig.to_dict()`
    num_params: int
    macs: int  # multiply-adds of one image
    anchor: bool = False  # drawn at random before any result, and never stopped (rule 5 of an honest search)


@dataclass(frozen=True)
class Started:
    """A trial is being trained; again after a resume or a second try."""

    number: int
    threads: int
    gpu_fraction: float


@dataclass(frozen=True)
class Reported:
    """A trial completed an epoch."""

    number: int
    metrics: EpochMetrics
    node: str
    device: str
    ended_ago: float = 0.0  # seconds from the epoch's end to this report: others were trained meanwhile


@dataclass(frozen=True)
class TestOpened:
    """A trial of a confirmation may read the test split, now and once; on record before a file is opened."""

    number: int


@dataclass(frozen=True)
class Tested:
    """What the test split said of a trial's network after its last epoch."""

    number: int
    test_loss: float
    test_error: float  # percent
    images: int  # that it was counted on
    # `images` of each class and how many of them got a `wrong` answer, by label; empty in older records
    by_class: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Paused:
    """A trial waits at a rung and has given its place back: for the other repeats of its configuration, or to go on."""

    number: int
    rung: int  # epochs
    reason: str = ""  # why it does not go on yet; empty where it waits for other repeats
    for_budget: bool = False  # the scheduler lets it go on, but what is left of `search.budget` does not


@dataclass(frozen=True)
class Resumed:
    """A trial that waited at a rung goes on, because the scheduler says so."""

    number: int
    rung: int  # epochs


@dataclass(frozen=True)
class Stopped:
    """The scheduler ended a trial at a rung."""

    number: int
    rung: int  # epochs
    reason: str
    at_chance: bool = False  # for an error that cannot be told from guessing, whatever the others reached


@dataclass(frozen=True)
class Completed:
    """A trial reached its last epoch."""

    number: int


@dataclass(frozen=True)
class Diverged:
    """A trial's loss turned non-finite."""

    number: int
    epoch: int  # the epoch that was not completed
    error: str


@dataclass(frozen=True)
class Failed:
    """A trial ended by an exception or the death of its process."""

    number: int
    error: str
    out_of_memory: bool = False


@dataclass(frozen=True)
class Retried:
    """A trial was lost by a fault that can pass, such as the death of its process, and will be tried again.

    With a `gpu_fraction` it ran out of memory, and will be tried with a larger share of a GPU.
    """

    number: int
    reason: str
    gpu_fraction: float = 0.0  # the share that was too small
    memory_bytes: int = 0  # the memory that was too little; 0 where the GPU's is not known


@dataclass(frozen=True)
class Interrupted:
    """A trial ended with its session and can go on in the next."""

    number: int
    reason: str


@dataclass(frozen=True)
class Reopened:
    """A trial that had failed is tried again, because the user wants it (`--retry-failed`)."""

    number: int


@dataclass(frozen=True)
class Looked:
    """A look at whether the search's questions are answered (`search.stop_when`)."""

    configurations: int  # that had ended
    answers: dict[str, Any]  # question -> verdict, or name of a network; null while it is open


@dataclass(frozen=True)
class Exhausted:
    """A finite space has no more configurations."""

    configurations: int  # how many it had


@dataclass(frozen=True)
class SearchEnded:
    """A session of the search ended."""

    reason: str  # finished | exhausted | max_hours | budget | decided | interrupted | failed
    # epochs, hours, gpu_hours, network_passes -> what all sessions have spent; empty in older records
    spent: dict[str, Any] = field(default_factory=dict)


TrialEvent: TypeAlias = (  # of one that was proposed
    Started
    | Reported
    | TestOpened
    | Tested
    | Paused
    | Resumed
    | Stopped
    | Completed
    | Diverged
    | Failed
    | Retried
    | Interrupted
    | Reopened
)
Event: TypeAlias = (
    SearchStarted | SearchResumed | Known | Chosen | Proposed | TrialEvent | Looked | Exhausted | SearchEnded
)
TimedEvent: TypeAlias = tuple[float, Event]

EVENTS: dict[str, type[Event]] = {
    "search_started": SearchStarted,
    "search_resumed": SearchResumed,
    "known": Known,
    "chosen": Chosen,
    "proposed": Proposed,
    "started": Started,
    "reported": Reported,
    "test_opened": TestOpened,
    "tested": Tested,
    "paused": Paused,
    "resumed": Resumed,
    "stopped": Stopped,
    "completed": Completed,
    "diverged": Diverged,
    "failed": Failed,
    "retried": Retried,
    "interrupted": Interrupted,
    "reopened": Reopened,
    "looked": Looked,
    "exhausted": Exhausted,
    "search_ended": SearchEnded,
}
