"""What a search measured, for the end of a command: lowest error, depth x widening-factor table, epochs saved.

A cell shows the lowest validation error at full epochs, with how many trials got there and how many were stopped on the
way. What can be concluded, with intervals, the answer of the report says below it.
"""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from wrn_search.analysis.readings.tested_networks import is_tested_list, list_of
from wrn_search.cli.summaries.front_of_a_search import aligned, front_dicts, front_lines
from wrn_search.report.readings.text_of_tested_networks import text_of as text_of_tested
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_selection import name_of, objectives_of, standings
from wrn_search.results.trial_state import TrialState
from wrn_search.wording import answers_text, duration, hardly_better_than_guessing, plural, spending_text


@dataclass(frozen=True)
class Cell:
    """The trials of one depth and widening factor."""

    lowest: float | None  # validation error at full epochs in percent; None when no trial got there
    completed: int
    stopped: int
    other: int  # diverged, failed or interrupted


@dataclass(frozen=True)
class Summary:
    """What a search found."""

    counts: Counter[str]  # trials by status
    best: TrialState | None  # of the best configuration at full epochs the repeat nearest the median
    errors: tuple[float, ...]  # percent: of all its repeats, rising; one that diverged counts as guessing
    cells: dict[tuple[int, float], Cell]  # (depth, widen_factor) -> cell
    epochs_done: int
    epochs_planned: int  # if every trial had run to its last epoch
    epochs_saved: int  # of trials that the scheduler stopped


def summary_of(state: SearchState) -> Summary:
    """The summary of a search, finished or not."""
    trials = list(state.trials.values())
    best = next(iter(standings(state)), None)
    by_cell: dict[tuple[int, float], list[TrialState]] = defaultdict(list)
    for trial in trials:
        by_cell[trial.config["depth"], trial.config["widen_factor"]].append(trial)
    return Summary(
        counts=Counter(trial.status for trial in trials),
        best=None if best is None else state.trials[best.number],
        errors=() if best is None else best.errors,
        cells={key: _cell(members) for key, members in sorted(by_cell.items())},
        epochs_done=sum(len(trial.reports) for trial in trials),
        epochs_planned=len(trials) * state.max_epochs,
        epochs_saved=sum(
            state.max_epochs - trial.epochs_done for trial in trials if trial.status == "stopped"
        ),
    )


def last_error(trial: TrialState) -> float:
    """Validation error at the trial's last epoch, in percent."""
    error = trial.reports[-1][1].val_error
    assert error is not None, "the trial was trained on all images, so that none could validate it"
    return error


def summary_text(state: SearchState, where: str) -> str:
    """The end of a search for a reader; `where` is the results directory."""
    found = summary_of(state)
    if is_tested_list(state):
        lines = [text_of_tested(list_of([state], [where])), "", *_failure_lines(state)]
        lines += [*_budget_lines(state), *_end_lines(state), *_prediction_lines(state)]
        return "\n".join([*lines, f"Results: {where}"])
    counts = ", ".join(f"{count} {status}" for status, count in sorted(found.counts.items()))
    lines = [
        f"{state.search}: {plural(len(state.trials), 'trial')} on {state.dataset} ({counts or 'none'})",
        "",
    ]
    lines += [
        *_best_lines(state, found),
        "",
        *front_lines(state),
        *_table_lines(state, found),
        "",
        *_saving_lines(found),
    ]
    lines += _failure_lines(state)
    lines += [*_budget_lines(state), *_end_lines(state), *_prediction_lines(state)]
    return "\n".join([*lines, f"Results: {where}"])


def _failure_lines(state: SearchState) -> list[str]:
    """The commonest reasons, the first lines of the errors; and the file that the error of one such trial names."""
    errors = [trial.error or "" for trial in state.trials.values() if trial.status == "failed"]
    reasons = Counter(error.partition("\n")[0] for error in errors)
    of_one = {error.partition("\n")[0]: error.partition("\n")[2] for error in reversed(errors)}
    return [
        f"{plural(count, 'trial')} failed: {reason}{f' ({of_one[reason]})' if of_one[reason] else ''}"
        for reason, count in reasons.most_common(3)
    ]


def summary_dict(state: SearchState, where: str) -> dict[str, Any]:
    """The same for programs."""
    found = summary_of(state)
    return {
        "search": state.search,
        "results": where,
        "dataset": state.dataset,
        "ended": state.ended,
        "budget": budget_on_record(state) or None,
        "spent": state.spent or None,
        "prediction": prediction_of(state),
        "waiting": sum(trial.is_paused for trial in state.trials.values()),
        "decided": state.looks[-1].answers if state.ended == "decided" and state.looks else None,
        "trials": len(state.trials),
        "by_status": dict(sorted(found.counts.items())),
        "tested": list_of([state], [where]).to_json() if is_tested_list(state) else None,
        "best": None if found.best is None else _best_dict(state, found.best, found.errors),
        "objectives": list(objectives_of(state)),
        "front": front_dicts(state),
        "cells": [
            {"depth": depth, "widen_factor": width, **vars(cell)}
            for (depth, width), cell in found.cells.items()
        ],
        "epochs_done": found.epochs_done,
        "epochs_planned": found.epochs_planned,
        "epochs_saved": found.epochs_saved,
    }


def _best_dict(state: SearchState, best: TrialState, errors: tuple[float, ...]) -> dict[str, Any]:
    return {
        "number": best.number,
        "name": name_of(best),
        "val_error": last_error(best),
        "median_val_error": statistics.median(errors),
        "seeds": len(errors),
        "num_params": best.num_params,
        "macs": best.macs,
        "hparams": best.hparams,
        "warning": hardly_better_than_guessing(last_error(best), state.chance_error) or None,
    }


def _best_lines(state: SearchState, found: Summary) -> list[str]:
    if found.best is None:
        return [f"No trial was trained to its last epoch ({state.max_epochs}), so no trial is called best."]
    best, metrics = found.best, found.best.reports[-1][1]
    warning = hardly_better_than_guessing(last_error(best), state.chance_error)
    error, middle = f"{last_error(best):.2f} %", []
    if len(found.errors) > 1:
        n, low, high = len(found.errors), found.errors[0], found.errors[-1]
        error = f"{statistics.median(found.errors):.2f} % (median of {n} seeds, {low:.2f} to {high:.2f})"
        middle = [
            "  Configurations are compared by the median of their seeds; the trial named is the one there."
        ]
    searched = ", ".join(
        f"{name} {_shown(best.value_of(name))}" for name in state.searched if not best.leaves_out(name)
    )
    return [
        f"Lowest error at full epochs ({state.max_epochs}): {name_of(best)}",
        f"  validation error {error}, training error {metrics.train_error:.2f} %, "
        f"{best.num_params:,} parameters, {best.macs:,} multiply-adds an image",
        f"  {searched or 'nothing was searched'}",
        *([f"  {warning}"] if warning else []),
        *middle,
        "  The lowest of many is lucky: what to expect of a network trained again stands below.",
    ]


def _table_lines(state: SearchState, found: Summary) -> list[str]:
    depths = sorted({depth for depth, _ in found.cells})
    widths = sorted({width for _, width in found.cells})
    rows = [["depth \\ widening factor", *(f"{width:g}" for width in widths)]]
    for depth in depths:
        cells = [found.cells.get((depth, width)) for width in widths]
        rows.append([str(depth), *("-" if cell is None else _cell_text(cell) for cell in cells)])
    title = (
        f"Validation error (%) at full epochs ({state.max_epochs}), lowest of each cell "
        "(n = trials that got there, s = stopped early, x = failed, diverged or interrupted)"
    )
    return [title, *aligned(rows)]


def _cell_text(cell: Cell) -> str:
    value = "none" if cell.lowest is None else f"{cell.lowest:.2f}"
    parts = [f"n={cell.completed}", f"s={cell.stopped}"] + ([f"x={cell.other}"] if cell.other else [])
    return f"{value} ({' '.join(parts)})"


def _saving_lines(found: Summary) -> list[str]:
    if not found.epochs_planned:
        return []
    share = 100 * found.epochs_saved / found.epochs_planned
    text = f"Trained {found.epochs_done} of {found.epochs_planned} planned epochs"
    lost = found.epochs_planned - found.epochs_done - found.epochs_saved
    other = f", {lost} are missing from trials that failed, diverged or were interrupted" if lost else ""
    return [f"{text}: early stopping saved {found.epochs_saved} ({share:.0f} %){other}."]


def budget_on_record(state: SearchState) -> dict[str, float]:
    """`search.budget` of the last session; empty without one."""
    search = state.space.get("search")
    budget = search.get("budget") if isinstance(search, dict) else None
    return budget if isinstance(budget, dict) else {}


def _budget_lines(state: SearchState) -> list[str]:
    """What was spent of it."""
    told = spending_text(budget_on_record(state), state.spent)
    return [f"Budget: {told} spent."] if told else []


def prediction_of(state: SearchState) -> dict[str, Any] | None:
    """What was predicted of a search when it began, beside what came; None where that cannot be held against it.

    It can where the search came to its own end and nobody changed it meanwhile.
    """
    predicted = state.sessions[0][1].details.get("predicted") if state.sessions else None
    whole = state.ended in ("finished", "exhausted", "budget") and not state.replaced
    if not whole or not isinstance(predicted, dict) or not predicted.get("seconds"):
        return None
    epochs = sum(trial.epochs_done for trial in state.trials.values())
    return {
        "predicted_seconds": predicted["seconds"],
        "took_seconds": state.seconds_spent,
        "error": state.seconds_spent / predicted["seconds"] - 1,
        "predicted_epochs": predicted["epochs"],
        "epochs": epochs,
    }


def _prediction_lines(state: SearchState) -> list[str]:
    """`Predicted 1 h 10 min for 500 epochs, took 1 h 18 min (11 % more) for 520.`"""
    found = prediction_of(state)
    if found is None:
        return []
    more = f"{abs(100 * found['error']):.0f} % {'more' if found['error'] >= 0 else 'less'}"
    predicted = f"Predicted {duration(found['predicted_seconds'])} for {found['predicted_epochs']:,} epochs"
    return [f"{predicted}, took {duration(found['took_seconds'])} ({more}) for {found['epochs']:,}."]


def _end_lines(state: SearchState) -> list[str]:
    """Why there are fewer trials than asked for."""
    match state.ended:
        case "budget":
            waiting = sum(trial.is_paused for trial in state.trials.values())
            others = (
                f"; {plural(waiting, 'trial')} may go on from a rung with a larger one" if waiting else ""
            )
            return [f"The search ended because search.budget is spent, as far as it can be{others}."]
        case "max_hours":
            return ["The search ended because search.max_hours were over."]
        case "decided":
            return [f"The search stopped because it is decided: {answers_text(state.looks[-1].answers)}."]
        case "exhausted":
            return [
                f"The search ended because its space has {plural(state.exhausted or 0, 'configuration')} and no more."
            ]
        case _:
            return []


def _cell(trials: Iterable[TrialState]) -> Cell:
    statuses = Counter(trial.status for trial in trials)
    errors = [
        last_error(trial)
        for trial in trials
        if trial.status == "completed" and trial.best_val_error is not None
    ]
    completed, stopped = statuses["completed"], statuses["stopped"]
    return Cell(min(errors, default=None), completed, stopped, statuses.total() - completed - stopped)


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
