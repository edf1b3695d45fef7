"""What a comparison with the paper's tables says, as frozen plain values: errors in percent, differences in points.

Differences are ours minus the paper's, or that of which a claim speaks minus what it is held against. Intervals are
95 %; a value that cannot be had is None, and a text beside it says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wrn_search.analysis.paper_tables.trained_networks import ErrorKind
from wrn_search.analysis.statistics.rank_agreement import RankAgreement

Verdict = Literal["supported", "contradicted", "undecided"]
Standing = Literal["lower", "higher", "no difference", "undecided"]


@dataclass(frozen=True)
class TableRow:
    """One row of the paper's table, and what was trained of it.

    Attributes:
        network, dropout: the row's.
        paper_error: test error, percent; `paper_statistic` says of how many runs.
        error: whether ours are test or validation errors; None where it was not trained.
        n: trainings with an error at their end, those that diverged (`diverged`) counting with that of chance; of
            `trials` on record.
        median, lowest, highest: of ours; predicted: the expected error and its interval.
        kind: `measured`, or `predicted` by the curve model.
        our_dropout: where it is another than the row's.
        difference, low, high: ours minus the paper's; None on other images than the paper's.
        why_no_interval: empty where there is one, or nothing to have one.
        seconds: median of an epoch of ours.
    """

    network: str
    dropout: float | None
    paper_error: float
    paper_statistic: str
    error: ErrorKind | None = None
    n: int = 0
    trials: int = 0
    diverged: int = 0
    median: float | None = None
    lowest: float | None = None
    highest: float | None = None
    kind: str | None = None
    our_dropout: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    why_no_interval: str = ""
    seconds: float | None = None
    num_params: int | None = None
    differences: tuple[str, ...] = ()  # of recipe, in words, ours first


@dataclass(frozen=True)
class PairCompared:
    """Two networks of ours, of which a claim speaks.

    Attributes:
        one, other: as they are told: `WRN-28-10`, `WRN-28-10 dropout 0.3`.
        quantity: `error`: points that the first one lies above the other; `speed`: how many times as fast it trains.
        claimed: `lower`, `not lower`, `close`, `no worse`, or `faster` by `factor`.
        value, low, high: of the quantity.
        n, other_n: trainings.
        paper: the same of the paper's own numbers, where it prints both.
        standing: what the interval says of it.
        holds: whether that is what is claimed; None where it is undecided.
        why_no_interval: empty where there is one.
    """

    one: str
    other: str
    quantity: Literal["error", "speed"]
    claimed: str
    factor: float | None
    value: float
    low: float | None
    high: float | None
    kind: str  # measured | predicted
    n: int
    other_n: int
    paper: float | None
    standing: str
    holds: bool | None
    why_no_interval: str = ""


@dataclass(frozen=True)
class ClaimVerdict:
    """A claim of the paper, and what these data say of it."""

    key: str
    claim: str
    where: str
    verdict: Verdict
    comparisons: tuple[PairCompared, ...]
    not_compared: tuple[str, ...]  # pairs of the paper's table of which one was not trained: `A against B`
    without_ends: tuple[str, ...] = ()  # pairs that were trained, but of one no error at the end is known


@dataclass(frozen=True)
class TableBeside:
    """One table of the paper beside ours.

    Attributes:
        table, title: the paper's.
        dataset: of the column: cifar10 | cifar100 | svhn | imagenet.
        images: the data set that ours were trained on; `own_images` where it is none of the paper's: then ranks and
            claims are compared, not errors.
        results: directories; `searches` their names.
        error: which errors ranks and claims are told of: those that all rows have.
        kind: `measured`, or `predicted` where trainings were stopped early.
        epochs: of the full schedule; the paper's are `paper_epochs`.
        error_images: ours are counted on so many; None where it is not known.
        margin: points within which errors are no different; None takes 5 % of the lower one.
        rows: all of the paper's.
        rank: of those that were trained.
        claims: those that these data can speak to.
        notes: a sentence each.
    """

    table: int
    title: str
    dataset: str
    images: str
    own_images: bool
    results: tuple[str, ...]
    searches: tuple[str, ...]
    error: ErrorKind
    kind: str
    epochs: int
    paper_epochs: int | None
    error_images: int | None
    margin: float | None
    devices: tuple[str, ...]
    rows: tuple[TableRow, ...]
    rank: RankAgreement
    claims: tuple[ClaimVerdict, ...]
    notes: tuple[str, ...] = ()
