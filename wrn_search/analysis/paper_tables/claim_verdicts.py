"""Verdicts on the paper's claims: supported, contradicted, or undecided at this n.

A claim holds for all of its pairs of networks. It is supported where every interval says so: an intersection of
statements, each told at 95 %, needs no correction (Berger, Technometrics 24, 1982). It is contradicted where one pair
says the opposite, at 95 % for all pairs together (Bonferroni), as that one was found among them. Two networks that both
hardly learned are alike because of that, and say nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from wrn_search.analysis.input_tables.shared_values import Interval
from wrn_search.analysis.paper_tables.measured_differences import MeasuredDifferences
from wrn_search.analysis.paper_tables.paper_values import ClaimVerdict, PairCompared, Verdict
from wrn_search.analysis.paper_tables.predicted_differences import PredictedDifferences
from wrn_search.analysis.paper_tables.trained_networks import Key
from wrn_search.paper.claim_parts import Entry, Kind, Pair, Part
from wrn_search.paper.claims import Claim
from wrn_search.wording import hardly_learned

Differences = MeasuredDifferences | PredictedDifferences
MARGIN_SHARE = 0.05  # of the lower error


@dataclass(frozen=True)
class Evidence:
    """What claims are judged by.

    Attributes:
        errors: percent.
        log_seconds: natural logarithms of seconds an epoch.
        key: an entry of a claim -> its key; None where it was not trained.
        trained: (network, dropout) at hand.
        paper_errors: of a key -> what the paper prints.
        paper_times: of a network; ratios alone count.
        margin: points within which two errors are no different; None takes `MARGIN_SHARE` of the lower one.
        chance_error: of always answering the most frequent class, percent; None where it is not known.
    """

    errors: Differences
    log_seconds: MeasuredDifferences
    key: Callable[[Entry], Key | None]
    trained: Sequence[Key]
    paper_errors: Mapping[Key, float]
    paper_times: Mapping[str, float]
    margin: float | None
    chance_error: float | None = None


def verdict_on(claim: Claim, evidence: Evidence) -> ClaimVerdict | None:
    """None where these data cannot speak to the claim: no pair of it was trained."""
    found = [(part, list(_trained(part, evidence))) for part in claim.parts]
    known = [
        (part, [pair for pair in pairs if all(key in _values(part, evidence) for key in pair)])
        for part, pairs in found
    ]
    if not any(pairs for _, pairs in found):
        return None
    statements = sum(len(pairs) for _, pairs in known)
    compared = tuple(_compared(part, pair, evidence, statements) for part, pairs in known for pair in pairs)
    holds = [each.holds for each in compared]
    verdict: Verdict = "undecided"
    if False in holds:
        verdict = "contradicted"
    elif all(holds) and all(pairs for _, pairs in known):
        verdict = "supported"
    waiting = tuple(
        f"{_named(pair, 0)} against {_named(pair, 1)}"
        for (part, pairs), (_, told) in zip(found, known, strict=True)
        for pair in pairs
        if pair not in told and part.kind != "faster"
    )
    missing = tuple(dict.fromkeys(each for each in _missing(claim, evidence) if each not in waiting))
    return ClaimVerdict(claim.key, claim.says, claim.where, verdict, compared, missing, waiting)


def _values(part: Part, evidence: Evidence) -> Differences:
    return evidence.log_seconds if part.kind == "faster" else evidence.errors


def _trained(part: Part, evidence: Evidence) -> Iterator[tuple[Key, Key]]:
    """Pairs of which both were trained, also where no error at the end is known yet."""
    for pair in part.pairs(evidence.trained):
        one, other = (evidence.key(entry) for entry in pair)
        if one is not None and other is not None:
            yield one, other


def _missing(claim: Claim, evidence: Evidence) -> Iterator[str]:
    """Pairs of the paper's table of which one side has no value here."""
    for part in claim.parts:
        for pair in part.all_pairs:
            keys = [evidence.key(entry) for entry in pair]
            if any(key is None or key not in _values(part, evidence) for key in keys):
                yield f"{_named(pair, 0)} against {_named(pair, 1)}"


def _named(pair: Pair, place: int) -> str:
    (network, dropout), other = pair[place], pair[1 - place]
    return network if dropout == other[1] else f"{network} {_dropout_words(dropout or 0.0)}"


def _dropout_words(dropout: float) -> str:
    return f"with dropout {dropout:g}" if dropout else "without dropout"


def _compared(part: Part, pair: tuple[Key, Key], evidence: Evidence, statements: int) -> PairCompared:
    told = _speed if part.kind == "faster" else _error
    return told(part, pair, evidence, statements)


def _error(part: Part, pair: tuple[Key, Key], evidence: Evidence, statements: int) -> PairCompared:
    one, other = pair
    errors, theirs = evidence.errors, evidence.paper_errors
    alone, together = errors.interval(one, other), errors.interval(one, other, statements)
    lower = min(errors.middle(one), errors.middle(other))
    margin = MARGIN_SHARE * lower if evidence.margin is None else evidence.margin
    is_told = not hardly_learned(lower, evidence.chance_error)
    return PairCompared(
        one=_named(pair, 0),
        other=_named(pair, 1),
        quantity="error",
        claimed=part.kind,
        factor=None,
        value=errors.difference(one, other),
        low=alone[0] if alone else None,
        high=alone[1] if alone else None,
        kind=errors.kind,
        n=errors.count(one),
        other_n=errors.count(other),
        paper=theirs[one] - theirs[other] if one in theirs and other in theirs else None,
        standing=standing(alone, margin) if is_told else "undecided",
        holds=holds(part.kind, alone, together, margin) if is_told else None,
        why_no_interval="" if alone else errors.why_no_interval,
    )


def _speed(part: Part, pair: tuple[Key, Key], evidence: Evidence, statements: int) -> PairCompared:
    one, other = pair
    seconds, theirs = evidence.log_seconds, evidence.paper_times
    alone, together = seconds.interval(other, one), seconds.interval(other, one, statements)
    ratio = theirs[other[0]] / theirs[one[0]] if one[0] in theirs and other[0] in theirs else None
    fixed = tuple(math.exp(end) for end in alone) if alone else None
    return PairCompared(
        one=_named(pair, 0),
        other=_named(pair, 1),
        quantity="speed",
        claimed=part.kind,
        factor=part.factor,
        value=math.exp(seconds.difference(other, one)),
        low=fixed[0] if fixed else None,
        high=fixed[1] if fixed else None,
        kind=seconds.kind,
        n=seconds.count(one),
        other_n=seconds.count(other),
        paper=ratio,
        standing="undecided"
        if not alone
        else "faster"
        if alone[0] > 0
        else "slower"
        if alone[1] < 0
        else "undecided",
        holds=_is_faster(alone, together, math.log(part.factor)),
        why_no_interval="" if alone else seconds.why_no_interval,
    )


def standing(interval: Interval | None, margin: float) -> str:
    """Where the first error stands: lower, higher, no difference (within the margin), undecided."""
    if interval is None:
        return "undecided"
    low, high = interval
    if high < 0:
        return "lower"
    if low > 0:
        return "higher"
    return "no difference" if -margin <= low and high <= margin else "undecided"


def holds(kind: Kind, alone: Interval | None, together: Interval | None, margin: float) -> bool | None:
    """Whether what is claimed of a difference of errors holds; None where it is undecided.

    Args:
        kind: of the claim.
        alone: 95 % interval of the difference, which must lie within what is claimed.
        together: of all statements of the claim together, which must lie outside to contradict it.
        margin: points.
    """
    if alone is None or together is None:
        return None
    is_within = -margin <= alone[0] and alone[1] <= margin
    outside = together[0] > margin or together[1] < -margin
    match kind:
        case "lower":
            if alone[1] < 0:
                return True
            refuted = together[0] > 0 or (-margin <= together[0] and together[1] <= margin)
            return False if refuted else None
        case "not lower":
            if together[1] < 0:
                return False
            return True if alone[0] >= -margin else None
        case "close":
            return True if is_within else False if outside else None
        case "no worse":
            return True if alone[1] <= margin else False if together[0] > margin else None
    raise AssertionError(kind)


def _is_faster(alone: Interval | None, together: Interval | None, log_factor: float) -> bool | None:
    if alone is None or together is None:
        return None
    return True if alone[0] > log_factor else False if together[1] < log_factor else None
