"""Ends that the model never saw: `audit` trained stopped trials on to them, in a record of its own beside the search.

They check the intervals and nothing else: they are no part of any fit, and the search's tables do not know them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wrn_search.analysis.curve_model.fit_at_the_end import draws_of, predicted_ends, why_no_ends
from wrn_search.analysis.curve_model.model_values import TrialEnd
from wrn_search.analysis.curve_model.table_of_curves import SEED, curves_on_record
from wrn_search.analysis.input_tables.configurations import configurations_of, seconds_per_epoch
from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.curves.anchor_audit import audit_of, chance_of, covers
from wrn_search.curves.curve_fit import fit
from wrn_search.errors import InputError
from wrn_search.results.events_jsonl import read_events
from wrn_search.results.state_from_events import fold


@dataclass(frozen=True)
class HiddenEnds:
    """What the audits of all searches measured.

    Attributes:
        ends: place of a trial in `Findings.trials` -> validation error at the last epoch, percent.
        remarks: of records that cannot be read, a sentence each.
    """

    ends: Mapping[int, float]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judgement:
    """Predictions held against the ends of stopped trials.

    Attributes:
        why_not: why nothing could be predicted; empty where it could.
        predicted: place of a trial -> its prediction, of those with a hidden end.
        hidden_ends: that were predicted.
        covered: of those, how many lay in their 95 % interval.
        passed: whether so many misses, or more, have a probability of at least 5 %; None without any hidden end.
        probability: that of so many misses, or more.
        inside: places of the trials whose ends lay in their intervals.
    """

    why_not: str = ""
    predicted: Mapping[int, TrialEnd] = field(default_factory=dict)
    hidden_ends: int = 0
    covered: int = 0
    passed: bool | None = None
    probability: float = 1.0
    inside: frozenset[int] = frozenset()


def hidden_ends_of(material: Material) -> HiddenEnds:
    """The ends that lie beside the searches, each with the place of the trial that was stopped."""
    found: dict[int, float] = {}
    remarks = []
    for number, source in enumerate(material.sources):
        directory = source.directory.audit
        if not directory.exists():
            continue
        rows = material.trials[
            (material.trials["source"] == number) & (material.trials["status"] == "stopped")
        ]
        places = {str(key): int(place) for place, key in rows["trial_id"].items()}
        try:
            later = fold(read_events(directory.events)).trials.values()
        except (InputError, OSError) as error:
            remarks.append(f"The ends that were trained for an audit cannot be read: {error}.")
            continue
        for trial in later:
            last, place = trial.last, places.get(trial.trial_id)
            if place is None or last is None or last.val_error is None or trial.status != "completed":
                continue
            if last.epoch == material.max_epochs:
                found[place] = last.val_error
    return HiddenEnds(found, tuple(remarks))


def why_no_judgement(material: Material) -> str:
    """Why the curve model of these searches cannot predict ends; empty where it can. Fits nothing."""
    record = curves_on_record(material)
    return record.why_not if record.table is None else why_no_ends(record.table)


def judgement_of(material: Material) -> Judgement:
    """The predictions of the report, of trials whose ends it never saw, against these ends."""
    record, hidden = curves_on_record(material), hidden_ends_of(material).ends
    why_not = why_no_judgement(material)
    if why_not or record.table is None or not hidden:
        return Judgement(why_not=why_not)
    try:
        chosen = fit(record.table, SEED, draws_of(record.table))
        configurations = configurations_of(material, seconds_per_epoch(material))
        _, told = predicted_ends(chosen, record, material, configurations)
    except (ValueError, ArithmeticError) as error:  # numpy's LinAlgError is a ValueError
        return Judgement(why_not=f"the curve model could not be fitted: {error}")
    predicted = {
        int(each.trial): each for each in told if each.measured is None and int(each.trial) in hidden
    }
    audit = audit_of(
        0, predicted.values(), {str(place): end for place, end in hidden.items()}, record.table.images
    )
    return Judgement(
        predicted={
            place: TrialEnd(place, end.estimate, end.low, end.high) for place, end in predicted.items()
        },
        hidden_ends=audit.hidden_ends,
        covered=audit.covered,
        passed=audit.passed if audit.hidden_ends else None,
        probability=chance_of(audit.hidden_ends, audit.covered),
        inside=frozenset(
            place
            for place, each in predicted.items()
            if covers(each.low, each.high, hidden[place], record.table.images)
        ),
    )
