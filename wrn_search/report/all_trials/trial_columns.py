"""The columns of the table of all trials; the page's script draws, sorts and filters them and writes them as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.curve_model.ends_of_all import End, ends_of_all
from wrn_search.analysis.input_tables.shared_values import Trial
from wrn_search.errors import printable
from wrn_search.wording import end_reason

Entry = int | float | str | bool | None


@dataclass(frozen=True)
class Column:
    """One column, a value a trial in the order of `Findings.trials`; None where there is none.

    Attributes:
        key: its name in the CSV: that of trials.parquet where it is there too.
        title: its head.
        kind: text | count (thousands apart) | plain (a number that is a name) | real | percent.
        listed: whether the table shows it; else it is in the CSV alone.
    """

    key: str
    title: str
    kind: str
    values: tuple[Entry, ...]
    listed: bool = True


def trial_columns(findings: Findings) -> tuple[Column, ...]:
    """What is told of every trial: what it was, how far it got, how it ended or would end."""
    trials, ends = findings.trials, ends_of_all(findings.trials, findings.model)

    def of(key: str, title: str, kind: str, *, listed: bool = True) -> Column:
        return Column(key, title, kind, tuple(getattr(trial, key) for trial in trials), listed)

    columns = (
        of("name", "trial", "text"),
        of("search", "search", "text", listed=len(findings.searches) > 1),
        *_end_columns(ends),
        of("val_error", "last error (%)", "percent"),
        of("epochs_done", "epochs", "count"),
        of("status", "status", "text"),
        *hyperparameter_columns(trials),
        of("network", "network", "text"),
        of("num_params", "parameters", "count"),
        Column("reason", "how it ended", "text", tuple(map(end_reason, trials))),
        of("seed", "seed", "plain"),
        of("repeat", "repeat", "plain"),
        Column("anchor", "anchor", "text", tuple(map(_anchor, trials))),
        of("configuration", "configuration", "plain"),
        of("number", "number", "plain"),
        of("trial_id", "trial_id", "text", listed=False),
    )
    return tuple(_printable(column) for column in columns)


def hyperparameter_columns(trials: Sequence[Trial]) -> tuple[Column, ...]:
    """One a hyperparameter that was searched, by its name everywhere else; then `lr_x_wd` where both are."""
    names = dict.fromkeys(name for trial in trials for name in trial.hparams)
    found = []
    for name in names:
        values = tuple(trial.hparams.get(name) for trial in trials)
        if any(isinstance(value, str | bool) for value in values):
            found.append(Column(name, name, "text", tuple(v if v is None else str(v) for v in values)))
        else:
            whole = all(value is None or isinstance(value, int) for value in values)
            found.append(Column(name, name, "count" if whole else "real", values))
    products = [trial.products for trial in trials]
    for name in dict.fromkeys(name for each in products for name in each):
        found.append(Column(name, name, "real", tuple(each.get(name) for each in products)))
    return tuple(found)


def trial_data(columns: Sequence[Column]) -> dict[str, Any]:
    """The columns as the page's script reads them; texts that repeat stand in the page once."""
    return {"columns": [_packed(column) for column in columns]}


def _packed(column: Column) -> dict[str, Any]:
    packed = {"key": column.key, "title": column.title, "kind": column.kind, "listed": column.listed}
    if column.kind != "text":
        return packed | {"values": column.values}
    texts = dict.fromkeys(value for value in column.values if value is not None)
    places = {text: place for place, text in enumerate(texts)}
    at = [None if value is None else places[value] for value in column.values]
    return packed | {"texts": list(texts), "at": at}


def _end_columns(ends: Sequence[End | None]) -> tuple[Column, ...]:
    """The error at full epochs: measured, or predicted with its interval."""
    kinds = tuple(None if end is None else "measured" if end.measured else "predicted" for end in ends)
    errors = (None if end is None else end.error if end.measured else _short(end.error) for end in ends)
    return (
        Column("end", "end (%)", "percent", tuple(errors)),
        Column("end_kind", "the end is", "text", kinds),
        Column("end_low", "from", "percent", tuple(None if end is None else _short(end.low) for end in ends)),
        Column("end_high", "to", "percent", tuple(None if end is None else _short(end.high) for end in ends)),
    )


def _short(value: float | None) -> float | None:
    """A prediction with as many digits as mean something, and more."""
    return None if value is None else float(f"{value:.5g}")


def _anchor(trial: Trial) -> str | None:
    return None if trial.anchor is None else "yes" if trial.anchor else "no"


def _printable(column: Column) -> Column:
    """What a terminal might obey is spelt out, in the CSV too; lines stay lines."""
    if column.kind != "text":
        return column
    values = tuple(None if value is None else printable(str(value), keep="\n\t") for value in column.values)
    return Column(column.key, column.title, column.kind, values, column.listed)
