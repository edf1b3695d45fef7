"""The last section: where the numbers come from, and how to read the tables."""

from __future__ import annotations

from typing import Any

from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.input_tables.shared_values import Search
from wrn_search.analysis.provenance import Provenance
from wrn_search.report.failures import search_labels
from wrn_search.report.html.blocks import folded, listing, sentences, table_block
from wrn_search.report.html.figure import Table
from wrn_search.report.html.markup import Html, element, join
from wrn_search.results.table_columns import EPOCHS_COLUMNS, TRIALS_COLUMNS, Column
from wrn_search.wording import duration, plural

_MOST_CLASSES = 100  # that are named; manifest.json has all
_READING = """\
import wrn_search

trials, epochs = wrn_search.read({paths})
full = trials[trials["status"] == "completed"]
print(full.sort_values("val_error").head())
"""


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
        (
            "changed on resume",
            "; ".join(f"{each.key}: {each.was}, then {each.now}" for each in search.changes),
        ),
        ("budget spent", search.spending),
        ("classes", _classes(made.class_names)),
        ("time", _time(made)),
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


def _classes(names: tuple[str, ...]) -> str:
    """`3: cat, dog, mouse`."""
    more = ", ..." if len(names) > _MOST_CLASSES else ""
    return f"{len(names):,}: {', '.join(names[:_MOST_CLASSES])}{more}" if names else ""


def _time(made: Provenance) -> str:
    wall = (
        ""
        if made.wall_hours is None
        else f"{duration(3600 * made.wall_hours)} from first start to last end, "
    )
    return f"{wall}{duration(3600 * made.train_hours)} of training over all trials"


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
