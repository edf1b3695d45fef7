"""Writing the report of results directories: one file, replaced as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wrn_search.analysis.all_findings import Findings, findings_from
from wrn_search.analysis.input_tables.joined_tables import Material, material_of
from wrn_search.errors import InputError
from wrn_search.report.by_products.follow_up_grid import follow_up_text, is_of_wide_networks
from wrn_search.report.html.document import Contents, page_of_contents
from wrn_search.report.html.page_layout import contents_of
from wrn_search.results.atomic_files import check_can_be_written, write_or_tell
from wrn_search.results.results_directory import ResultsDirectory


def write_report(paths: Sequence[Path | str], output: Path | str | None = None) -> Path:
    """Writes the page of the results directories and returns its path; readers see the old page or the new one.

    Raises:
        InputError: as `material_of`, or no output is named for several directories, or it cannot be written.
    """
    place = report_path(paths, output)
    material = material_of(paths)
    write_page(material, findings_from(material), place)
    return place


def report_path(paths: Sequence[Path | str], output: Path | str | None) -> Path:
    """Where the page goes: `output`, else report.html in the only results directory.

    Raises:
        InputError: no output is named for several directories, or it is a folder.
    """
    if output is None:
        if len(paths) != 1:
            text = (
                f"must name the file of the page when several results are read, but got none for {len(paths)}"
            )
            raise InputError.of("--output", text)
        return ResultsDirectory(paths[0]).report
    place = Path(output)
    check_can_be_written(place, "--output")
    return place


def write_page(material: Material, findings: Findings, place: Path) -> None:
    """Writes the page.

    Raises:
        InputError: it cannot be written.
    """
    write_or_tell(place, page_of_contents(report_contents(material, findings)), "--output")


def report_contents(material: Material, findings: Findings) -> Contents:
    """What stands in the page of these results, with the space file of a follow-up where there is one."""
    has_one = findings.answer.best is not None and is_of_wide_networks(findings)
    return contents_of(findings, follow_up=follow_up_text(material, findings) if has_one else None)
