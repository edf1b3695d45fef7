"""`audit RESULTS`: trains some stopped trials to their end and says how often those lay in the predicted intervals.

They are drawn by the search's seed, spread over depth and width, and trained outside Ray as `rerun` does; their ends
are kept in RESULTS/audit, a results directory of its own. The search's record and tables are only read, and its curve
model never sees these ends: it predicts each of them, and `report` counts them in its audit. Called again it goes on
with what is unfinished, and adds trials where N is larger. Exit status: 0 done, 1 the audit or a training failed,
2 bad input, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wrn_search.cli.exit_status import FAILED, a_named_path, a_path, refuse_empty, say, show
from wrn_search.errors import InputError, printable
from wrn_search.wording import percent, plural, two_significant

if TYPE_CHECKING:
    from wrn_search.analysis.curve_model.hidden_ends import Judgement
    from wrn_search.analysis.curve_model.model_values import TrialEnd
    from wrn_search.audit.stopped_trials_trained_on import AuditRequest
    from wrn_search.end_reason import EndReason
    from wrn_search.results.trial_state import TrialState
    from wrn_search.winner.rerun import EpochComparison
    from wrn_search.winner.trial_to_export import ChosenTrial

EXAMPLE = "python -m wrn_search audit results/digits_quickstart --trials 10 --hours 2"
_MOST = 100_000


@dataclass(frozen=True)
class _Row:
    """One stopped trial that was trained on."""

    name: str
    original: TrialState
    later: TrialState
    predicted: TrialEnd | None
    as_recorded: bool
    is_inside: bool

    @property
    def end(self) -> float | None:
        """Percent, where it has one."""
        last = self.later.last
        return last.val_error if last and self.later.status == "completed" else None

    @property
    def covered(self) -> bool | None:
        """Whether the end lies in the interval; None where one is missing."""
        if self.predicted is None or self.end is None:
            return None
        return self.is_inside


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `audit`."""
    parser.add_argument("results", metavar="RESULTS", type=a_named_path, help="the results directory")
    parser.add_argument(
        "--trials", metavar="N", type=int, default=10, help="how many are to be trained in all (default: 10)"
    )
    parser.add_argument(
        "--hours", metavar="H", type=float, help="end after so many hours, with the running epoch"
    )
    parser.add_argument(
        "--root",
        metavar="DIR",
        type=a_path,
        help="where the images lie now (default: as the search found them)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON at the end")


def run(options: argparse.Namespace) -> int:
    """The command."""
    if not 1 <= options.trials <= _MOST:
        raise InputError.of("--trials", f"must be 1 to {_MOST}, but got {options.trials}")
    hours = math.inf if options.hours is None else options.hours
    if not hours > 0:
        raise InputError.of("--hours", f"must be above 0, but got {options.hours}")
    refuse_empty(options, "root")
    from wrn_search.analysis.curve_model.hidden_ends import judgement_of, why_no_judgement
    from wrn_search.analysis.input_tables.joined_tables import material_of
    from wrn_search.audit.stopped_trials_trained_on import audit_request, train_on  # torch: seconds

    request = audit_request(options.results, options.trials, 3600 * hours, options.root)
    if why_not := why_no_judgement(material_of([options.results])):
        say(
            f"Nothing can be predicted yet: {printable(why_not)}. The ends are trained and kept all the same."
        )
    try:
        reason = train_on(request, lambda trial, place, epoch: say(_progress(request, trial, place, epoch)))
    except KeyboardInterrupt:
        say("What was trained is on record; the same command goes on.")
        raise
    material = material_of([options.results])  # a search that runs may have gone on meanwhile
    judgement = judgement_of(material)
    rows = _rows(request, judgement, list(material.trials["trial_id"]))
    if options.json:
        show(json.dumps(_values(request, reason, judgement, rows), indent=2, allow_nan=False))
    else:
        show("\n".join(_text(request, reason, judgement, rows)))
    failed = judgement.passed is False or any(row.later.status == "failed" for row in rows)
    return FAILED if failed else 0


def _progress(request: AuditRequest, trial: ChosenTrial, place: int, epoch: EpochComparison) -> str:
    known = "" if epoch.trained else " (from the checkpoint)"
    error = epoch.now.val_error
    return printable(
        f"trial {place} of {max(place, min(request.trials, len(request.stopped)))}, {trial.name}: "
        f"epoch {epoch.now.epoch} of {trial.config.epochs}, "
        f"{'no validation error' if error is None else percent(error)}{known}"
    )


def _rows(request: AuditRequest, judgement: Judgement, places: list[str]) -> list[_Row]:
    from wrn_search.audit.audit_record import state_of_audit
    from wrn_search.audit.stopped_trials_trained_on import as_recorded
    from wrn_search.results.trial_selection import name_of

    predicted = {places[place]: end for place, end in judgement.predicted.items()}
    inside = {places[place] for place in judgement.inside}
    originals = {trial.trial_id: trial for trial in request.stopped}
    return [
        _Row(
            name=name_of(original),
            original=original,
            later=later,
            predicted=predicted.get(later.trial_id),
            as_recorded=as_recorded(original, later),
            is_inside=later.trial_id in inside,
        )
        for later in state_of_audit(request.directory, request.state).trials.values()
        if (original := originals.get(later.trial_id)) is not None
    ]


def _text(request: AuditRequest, reason: EndReason, judgement: Judgement, rows: list[_Row]) -> list[str]:
    ends = sum(row.end is not None for row in rows)
    epochs = plural(request.state.max_epochs, "epoch")
    lines = [
        f"{request.state.search}: {ends} of {plural(len(request.stopped), 'stopped trial')} trained to the end "
        f"({epochs}), kept in {request.directory.path}",
        "",
        *_table(rows),
        "",
    ]
    if others := [row for row in rows if row.end is not None and not row.as_recorded]:
        lines.append(
            f"Of {len(others)} the epochs on record did not come out again bit for bit: other trainings of the same "
            "settings, whose ends may lie further from the prediction."
        )
    if str(reason) == "max_hours":
        lines.append("The hours are over before all were trained; the same command goes on.")
    elif len(request.stopped) < request.trials:
        count = len(request.stopped)
        lines.append(f"No more than {plural(count, 'trial')} {'was' if count == 1 else 'were'} stopped.")
    return [*lines, _verdict(judgement)]


def _table(rows: list[_Row]) -> list[str]:
    cells = [("trial", "stopped at", "predicted, 95 %", "end", "")]
    for row in rows:
        end = row.predicted
        told = f"{two_significant(end.low)} to {two_significant(end.high)} %" if end else "-"
        how = {None: "", True: "in the interval", False: "outside"}[row.covered]
        cells.append((row.name, f"epoch {row.original.epochs_done}", told, _end_of(row), how))
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]


def _end_of(row: _Row) -> str:
    if row.end is not None:
        return percent(row.end)
    status, done = row.later.status, row.later.epochs_done
    if status in ("diverged", "failed"):
        return f"{status} in epoch {done + 1}"
    return f"unfinished, epoch {done}"


def _verdict(judgement: Judgement) -> str:
    if judgement.why_not:
        return f"No end can be predicted: {judgement.why_not}."
    if not judgement.hidden_ends:
        return "No hidden end yet to hold a prediction against."
    misses = judgement.hidden_ends - judgement.covered
    return (
        f"of {plural(judgement.hidden_ends, 'hidden end')} {judgement.covered} lay in their 95 % intervals: "
        f"{'passed' if judgement.passed else 'failed'} (binomial: {misses} or more outside have a probability of "
        f"{two_significant(100 * judgement.probability)} %)"
    )


def _values(
    request: AuditRequest, reason: EndReason, judgement: Judgement, rows: list[_Row]
) -> dict[str, Any]:
    return {
        "search": request.state.search,
        "search_id": request.state.search_id,
        "directory": str(request.directory.path),
        "epochs": request.state.max_epochs,
        "stopped": len(request.stopped),
        "ended": str(reason),
        "hidden_ends": judgement.hidden_ends,
        "covered": judgement.covered,
        "passed": judgement.passed,
        "probability": judgement.probability,
        "why_not": judgement.why_not,
        "trials": [
            {
                "trial": row.original.number,
                "trial_id": row.original.trial_id,
                "name": row.name,
                "stopped_at": row.original.epochs_done,
                "status": row.later.status,
                "epochs_done": row.later.epochs_done,
                "predicted": row.predicted.estimate if row.predicted else None,
                "low": row.predicted.low if row.predicted else None,
                "high": row.predicted.high if row.predicted else None,
                "end": row.end,
                "covered": row.covered,
                "as_recorded": row.as_recorded,
                "error": row.later.error,
            }
            for row in rows
        ],
    }
