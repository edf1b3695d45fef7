"""What stands behind an answer as frozen plain values (see `quantities`): counts, failures, the paper, provenance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from wrn_search.analysis.quantities import Estimate


@dataclass(frozen=True)
class Reason:
    """Trials that ended badly for one reason."""

    status: str  # failed | diverged | interrupted
    reason: str  # first line of the error, to be escaped
    count: int
    trials: tuple[int, ...]


@dataclass(frozen=True)
class Counts:
    """Every trial counted once; the denominators of the page."""

    trials: int
    by_status: dict[str, int]  # all six statuses
    configurations: int
    networks: int  # distinct depth, widening factor and block
    ended: int
    epochs_done: int
    train_hours: float


@dataclass(frozen=True)
class PaperRow:
    """One network of ours beside the paper's."""

    network: str
    table: str  # `table 4`
    dropout: bool | None  # of the paper's row; None where it has none to tell
    paper_error: float  # test error, percent
    statistic: str  # `median of 5`, ...
    ours: Estimate
    our_test_error: float | None  # median of `confirm`'s retrained ones, percent; None without
    differences: tuple[str, ...]  # each difference of recipe, in words


@dataclass(frozen=True)
class Paper:
    """Our networks that stand in the paper's tables."""

    rows: tuple[PaperRow, ...]
    note: str  # why there are none, or how to read them


@dataclass(frozen=True)
class Finalist:
    """A configuration that `confirm` retrained with fresh seeds. Tuples are (median, lowest, highest), percent."""

    network: str
    number: int | None  # of the search's trial
    search_error: float | None  # what the search had seen: the mean of its repeats
    val_errors: tuple[float, ...]  # fresh seeds, the search's own split
    val_summary: tuple[float, float, float] | None
    winners_curse: float | None  # median of `val_errors` minus `search_error`
    test_errors: tuple[float, ...]  # retrained on train and validation
    test_summary: tuple[float, float, float] | None
    coverage: float | None  # percent: how surely the range covers the median, 100 (1 - 2^(1-n))
    is_winner: bool  # named by validation
    trial: int | None = None  # place of the search's trial in `Findings.trials`
    not_completed: int = (
        0  # retrainings that diverged, failed or have not ended: in no error above, but counted
    )


@dataclass(frozen=True)
class Confirm:
    """What `confirm` found, all its finalists."""

    finalists: tuple[Finalist, ...]  # the one that validation named first
    test_reads: int | None  # how often test files were read, by the manifest
    note: str


@dataclass(frozen=True)
class Provenance:
    """What made one search."""

    search: str
    path: str
    search_id: str | None
    space_text: str | None  # the space file as given; to be escaped
    resolved_text: str | None
    versions: dict[str, str | None]
    hardware: dict[str, Any]
    git: dict[str, Any] | None
    command: tuple[str, ...]
    seed: int | None
    created_at: str | None
    wall_hours: float | None  # from the first start of a trial to the last end
    train_hours: float
    devices: tuple[str, ...]
    nodes: tuple[str, ...]
    precision: str | None
    threads: int | None
    missing: tuple[str, ...] = field(
        default=()
    )  # files that are not there or cannot be read, with the reason
