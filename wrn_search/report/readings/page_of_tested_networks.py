"""The page of `protocol: test_each`: every test error of every network, and how it came about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wrn_search.analysis.input_tables.source_directories import text_of
from wrn_search.analysis.readings.tested_networks import TestedList
from wrn_search.report.html.axes import axis, errors_on_lines, layout
from wrn_search.report.html.blocks import figures_block, folded, listing, sentences
from wrn_search.report.html.document import Contents, page_of_contents
from wrn_search.report.html.figure import Figure, Table
from wrn_search.report.html.markup import element, join, plot_text
from wrn_search.report.readings.text_of_tested_networks import HEAD, label_of, rows_of, sentences_of_protocol
from wrn_search.results.atomic_files import write_or_tell
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.wording import plural


def write_tested_page(found: TestedList, place: Path) -> None:
    """Writes the page.

    Raises:
        InputError: it cannot be written.
    """
    write_or_tell(place, page_of_tested(found), "--output")


def page_of_tested(found: TestedList) -> str:
    """The whole page."""
    return page_of_contents(contents_of_tested(found))


def contents_of_tested(found: TestedList) -> Contents:
    """What stands in the page."""
    title = " and ".join(found.names)
    trials = f"{plural(found.trials, 'trial')} of {plural(found.epochs, 'epoch')}"
    facts = f"{found.dataset} \u00b7 {trials} \u00b7 protocol test_each"
    header = element("header", element("h1", title), element("p", facts, class_="facts"))
    sections = [
        ("protocol", "The protocol", sentences(sentences_of_protocol(found))),
        ("tested", "Test errors", figures_block([_figure(found)])),
        ("provenance", "Provenance", join([_origin(path) for path in found.paths])),
    ]
    return Contents(title, header, sections, {})


def _figure(found: TestedList) -> Figure:
    labels = [plot_text(label_of(each)) for each in found.networks]
    tested = [each for each in found.networks if each.errors]
    errors = [each.errors for each in found.networks]
    medians = [() if each.median is None else (each.median,) for each in found.networks]
    bar = {"size": 22, "symbol": "line-ns-open", "line": {"width": 2}, "color": "@orange"}
    return Figure(
        key="test-errors",
        title="Test errors",
        result=f"{plural(len(tested), 'network')} of {len(found.networks)} have test errors.",
        reading="Each point is one training, read once; bars: medians. In the order of the list.",
        table=Table(HEAD, rows_of(found)),
        traces=(
            errors_on_lines("test error", errors, labels, {"size": 9, "opacity": 0.75, "color": "@orange"}),
            errors_on_lines("median", medians, labels, bar),
        )
        if tested
        else (),
        layout=layout(
            axis("test error (%)"),
            axis("", type="category", categoryarray=labels[::-1], showgrid=False, ticks=""),
        ),
        height=130 + 34 * max(1, len(labels)),
        wide=True,
    )


def _origin(path: str) -> Any:
    directory = ResultsDirectory(path)
    texts = (
        ("Space file as given", text_of(directory.space_file)),
        ("Space after --set and defaults", text_of(directory.resolved)),
        ("Manifest", text_of(directory.manifest)),
    )
    return join([element("h3", path), *(folded(name, listing(text)) for name, text in texts if text)])
