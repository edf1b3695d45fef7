"""The page of a search: its sections in order. It draws `Findings` and computes nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wrn_search.analysis.all_findings import Findings
from wrn_search.report.all_trials.parallel_coordinates import parallel_coordinates, trials_block
from wrn_search.report.all_trials.trial_columns import trial_columns, trial_data
from wrn_search.report.answer import answer_section
from wrn_search.report.depth_width_map import time_map
from wrn_search.report.failures import wrong_section
from wrn_search.report.html.blocks import figures_block, sentences, tabbed_block
from wrn_search.report.html.document import Contents, page_of_contents
from wrn_search.report.html.figure import Figure, hover_texts
from wrn_search.report.html.figures_by_section import drawn, figures_by_section, maps_of_errors
from wrn_search.report.html.markup import Html, element, join, script_json
from wrn_search.report.provenance import provenance_section
from wrn_search.wording import duration, plural

_LINKS = "A click on a point of a figure leads to the row of its trial in the table of all trials."


def page_of(findings: Findings, *, follow_up: str | None = None) -> str:
    """The whole page; `follow_up` as in `contents_of`."""
    return page_of_contents(contents_of(findings, follow_up=follow_up))


def contents_of(findings: Findings, *, follow_up: str | None = None) -> Contents:
    """What stands in the page.

    Args:
        follow_up: the space file of the grid that could tell what these searches cannot.
    """
    parts = figures_by_section(findings)
    maps: list[Figure | Html] = [tabbed_block(maps_of_errors(findings)), time_map(findings)]
    columns = trial_columns(findings)
    trials = trials_block(
        columns, parallel_coordinates(findings, columns), f"{_file_name(findings.title)}.csv"
    )
    empty = [figure for _, _, figures in parts for figure in figures if not figure.traces]
    sections = [
        ("answer", "The answer", answer_section(findings, follow_up)),
        ("maps", "Depth and width", figures_block(maps)),
        # what has nothing to draw is left out, and said so where it is told what went wrong
        *((key, name, figures_block(figures)) for key, name, all_ in parts if (figures := drawn(all_))),
        ("trials", "All trials", trials),
        ("wrong", "What went wrong", wrong_section(findings)),
        ("left-out", "Not shown", _left_out(empty)),
        ("provenance", "Provenance", provenance_section(findings)),
    ]
    data = {
        "hovers": script_json(hover_texts(findings)),
        "trial-columns": script_json(trial_data(columns), exact=True),
    }
    return Contents(findings.title, _header(findings), [each for each in sections if each[2]], data)


def _left_out(figures: Sequence[Figure]) -> Html:
    """A line for each figure that has nothing to draw, with its reason; nothing if there is none."""
    return sentences([f"{figure.title}: {figure.result}" for figure in figures])


def _file_name(title: str) -> str:
    """Of the CSV: safe on every system."""
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '-', title).strip('-')[:60] or 'search'}-trials"


def _header(findings: Findings) -> Html:
    counts, dataset = findings.counts, findings.dataset
    ends = ", ".join(f"{count:,} {status}" for status, count in counts.by_status.items() if count)
    images = "" if dataset.validation_images is None else f", {dataset.validation_images:,} validation images"
    states = ", ".join(sorted({search.state for search in findings.searches}))
    facts = [
        f"{dataset.name}{images}",
        f"{plural(counts.trials, 'trial')} of {plural(findings.max_epochs, 'epoch')} ({ends})",
        f"{plural(counts.epochs_done, 'epoch')} in {duration(3600 * counts.train_hours)} of training",
        f"{plural(len(findings.searches), 'search', 'searches')}: {states}",
    ]
    lines = [element("p", " \u00b7 ".join(facts), class_="facts"), element("p", _LINKS, class_="facts")]
    return element("header", element("h1", findings.title), join(lines))
