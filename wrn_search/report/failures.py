"""What went wrong: how the trials of each search ended, and the reasons of those that ended badly."""

from __future__ import annotations

from itertools import accumulate

from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.failures import Reason
from wrn_search.report.html.axes import LEGEND, axis, layout
from wrn_search.report.html.blocks import figures_block, table_block
from wrn_search.report.html.figure import Figure, Table
from wrn_search.report.html.markup import Html, element, join, plot_text
from wrn_search.wording import plural

_STATUSES = {
    "completed": "blue",
    "stopped": "sky",
    "running": "green",
    "interrupted": "pale",
    "diverged": "yellow",
    "failed": "orange",
}


def statuses(findings: Findings) -> Figure:
    """How all trials ended, a bar a search."""
    counts = findings.counts
    bad = counts.by_status.get("failed", 0) + counts.by_status.get("diverged", 0)
    share = 100 * bad / max(1, counts.trials)
    by_search, labels = _statuses_by_search(findings), search_labels(findings)
    names = [plot_text(label) for label in labels]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": status,
            "y": names,
            "x": [ends.count(status) for ends in by_search],
            "marker": {"color": f"@{colour}"},
            "hovertemplate": f"%{{y}}: %{{x}} {status}<extra></extra>",
            "choose": {"equal": {"status": status}},
        }
        for status, colour in _STATUSES.items()
        if counts.by_status.get(status)
    ]
    rows = [
        (label, *(str(ends.count(status)) for status in _STATUSES), str(len(ends)))
        for label, ends in zip(labels, by_search, strict=True)
    ]
    return Figure(
        key="statuses",
        title="How the trials ended",
        result=f"{bad} of {plural(counts.trials, 'trial')} failed or diverged ({share:.1f} %).",
        reading="Every trial ends in one status and is counted in every denominator of this page.",
        table=Table(("search", *_STATUSES, "all"), rows),
        traces=tuple(traces),
        layout=layout(
            axis("trials", rangemode="tozero"),
            axis("", type="category", showgrid=False, ticks=""),
            barmode="stack",
            legend=LEGEND | {"traceorder": "normal"},
        ),
        height=130 + 36 * len(names),
        wide=True,
    )


def search_labels(findings: Findings) -> list[str]:
    """The names of the searches, with their paths where two share one."""
    names = [search.name for search in findings.searches]
    return [
        search.name if names.count(search.name) == 1 else f"{search.name} ({search.path})"
        for search in findings.searches
    ]


def _statuses_by_search(findings: Findings) -> list[list[str]]:
    """The statuses of each search's trials, which stand one search after the other."""
    statuses = [trial.status for trial in findings.trials]
    ends = list(accumulate(search.trials for search in findings.searches))
    return [statuses[end - search.trials : end] for search, end in zip(findings.searches, ends, strict=True)]


_MAX_NAMED = 10  # trials of one reason
_AT_CHANCE = (
    "A trial that diverged or ran out of memory counts with the error of chance in the result of its configuration. "
    "That is a convention, which keeps the searcher from what does not train here, and not a measurement: "
    "the network was never trained to its end. Any other trial that failed does not count."
)


def wrong_section(findings: Findings) -> Html:
    """Failed, diverged and interrupted trials with their reasons."""
    parts = [figures_block([statuses(findings)])]
    if findings.failures:
        rows = [_reason(findings, reason) for reason in findings.failures]
        table = Table(("status", "reason", "trials", "how many"), rows, text_columns=3)
        parts += [element("h4", "Reasons, the most frequent first"), table_block(table)]
        if any(reason.at_chance for reason in findings.failures):
            parts.append(element("p", _AT_CHANCE))
    else:
        parts.append(element("p", "No trial failed, diverged or was interrupted."))
    return join(parts)


def _reason(findings: Findings, reason: Reason) -> tuple[str, ...]:
    names = [findings.trials[place].name for place in reason.trials[:_MAX_NAMED]]
    more = f" and {reason.count - len(names)} more" if reason.count > len(names) else ""
    return reason.status, reason.reason, ", ".join(names) + more, str(reason.count)
