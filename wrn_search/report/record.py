"""The last two sections: what went wrong, and where the numbers come from."""

from __future__ import annotations

from typing import Any

from wrn_search.analysis.background import Provenance, Reason
from wrn_search.analysis.findings import Findings
from wrn_search.analysis.quantities import Search
from wrn_search.report.blocks import figures_block, folded, listing, sentences, table_block
from wrn_search.report.distributions import search_labels, statuses
from wrn_search.report.figure import Table
from wrn_search.report.markup import Html, element, join
from wrn_search.report.wording import plural
from wrn_search.results.schema import EPOCHS_COLUMNS, TRIALS_COLUMNS, Column

_MAX_NAMED = 10  # trials of one reason
_READING = """\
import wrn_search

trials, epochs = wrn_search.read({paths})
full = trials[trials["status"] == "completed"]
print(full.sort_values("val_error").head())
"""


def wrong_section(findings: Findings) -> Html:
    """Failed, diverged and interrupted trials with their reasons."""
    parts = [figures_block([statuses(findings)])]
    if findings.failures:
        rows = [_reason(findings, reason) for reason in findings.failures]
        table = Table(("status", "reason", "trials", "how many"), rows, text_columns=3)
        parts += [element("h4", "Reasons, the most frequent first"), table_block(table)]
    else:
        parts.append(element("p", "No trial failed, diverged or was interrupted."))
    return join(parts)


def _reason(findings: Findings, reason: Reason) -> tuple[str, ...]:
    names = [findings.trials[place].name for place in reason.trials[:_MAX_NAMED]]
    more = f" and {reason.count - len(names)} more" if reason.count > len(names) else ""
    return reason.status, reason.reason, ", ".join(names) + more, str(reason.count)


def provenance_section(findings: Findings) -> Html:
    """Each search's origin, then how to read the tables."""
    made = [
        _search(label, search, provenance)
        for label, search, provenance in zip(
            search_labels(findings), findings.searches, findings.provenance, strict=True
        )
    ]
    return join([*made, _how_to_read(findings)])


def _search(label: str, search: Search, made: Provenance) -> Html:
    facts = [
        ("state", _state(search)),
        ("results", made.path),
        ("command", " ".join(made.command)),
        ("search id", made.search_id),
        ("started", made.created_at),
        ("seed", made.seed),
        ("searcher, scheduler", f"{search.searcher or 'unknown'}, {search.scheduler or 'unknown'}"),
        ("hours", _hours(made)),
        ("versions", ", ".join(f"{name} {version}" for name, version in made.versions.items() if version)),
        ("git", _git(made.git)),
        ("hardware", _hardware(made.hardware)),
        ("devices, machines", "; ".join(", ".join(names) for names in (made.devices, made.nodes) if names)),
        (
            "precision, threads",
            f"{made.precision or 'unknown'}, {made.threads if made.threads is not None else 'unknown'}",
        ),
    ]
    pairs = [
        join([element("dt", name), element("dd", value)]) for name, value in facts if value not in (None, "")
    ]
    texts = (("Space file as given", made.space_text), ("Space after --set and defaults", made.resolved_text))
    return join(
        [
            element("h3", label),
            element("dl", *pairs),
            sentences(made.missing, "notes"),
            *(folded(name, listing(text)) for name, text in texts if text),
        ]
    )


def _state(search: Search) -> str:
    planned = "" if search.trials_planned is None else f" of {search.trials_planned:,} planned"
    return f"{search.state}; {search.trials:,}{planned} trials, repeats {search.repeats}"


def _hours(made: Provenance) -> str:
    wall = "" if made.wall_hours is None else f"{made.wall_hours:.3g} from first start to last end, "
    return f"{wall}{made.train_hours:.3g} of training over all trials"


def _git(git: dict[str, Any] | None) -> str | None:
    if not git:
        return None
    return (
        f"{git.get('commit') or 'unknown commit'}{', with uncommitted changes' if git.get('dirty') else ''}"
    )


def _hardware(hardware: dict[str, Any]) -> str:
    known = {name: value for name, value in hardware.items() if value not in (None, "", [], {})}
    memory = known.get("memory_bytes")
    if isinstance(memory, (int, float)):
        del known["memory_bytes"]
        known["memory"] = f"{memory / 2**30:.3g} GiB"
    return ", ".join(f"{name} {_plain(value)}" for name, value in known.items())


def _plain(value: Any) -> str:
    return " + ".join(map(str, value)) if isinstance(value, list) else str(value)


def _how_to_read(findings: Findings) -> Html:
    paths = ", ".join(repr(search.path) for search in findings.searches)
    counts = findings.counts
    said = (
        f"This page counts {plural(counts.trials, 'trial')} of {plural(counts.configurations, 'configuration')} "
        f"and {plural(counts.networks, 'network')}. Errors are in percent. val_error is the error after the last "
        "completed epoch: compare it among trials with status completed only. Trials that differ only in their "
        "seed share a configuration."
    )
    return join(
        [
            element("h3", "How to read the tables"),
            element("p", said),
            listing(_READING.format(paths=paths)),
            folded("Columns of trials.parquet", table_block(_columns(TRIALS_COLUMNS))),
            folded("Columns of epochs/*.parquet", table_block(_columns(EPOCHS_COLUMNS))),
        ]
    )


def _columns(columns: tuple[Column, ...]) -> Table:
    rows = [(column.name, str(column.type), column.unit, column.meaning) for column in columns]
    return Table(("column", "type", "unit", "meaning"), rows, text_columns=4)
