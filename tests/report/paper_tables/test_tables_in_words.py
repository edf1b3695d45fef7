"""Tables in words, as LaTeX and as a page: what they say, and that no name from outside can act in them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.analysis.paper_tables.hand_made import write_results
from tests.report.hostile import HOSTILE
from wrn_search.analysis.paper_tables.all_paper_tables import tables_beside
from wrn_search.analysis.paper_tables.paper_values import TableBeside
from wrn_search.report.paper_tables.tables_in_latex import latex_of, latex_text
from wrn_search.report.paper_tables.tables_in_words import text_of
from wrn_search.report.paper_tables.tables_page import page_of
from wrn_search.wording import NONE


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> tuple[TableBeside, ...]:
    errors = {"WRN-40-1": [7.0, 7.1, 7.3], "WRN-40-8": [4.8, 4.7, 4.9], "WRN-28-10": [4.1, 4.3, 4.2]}
    return tables_beside([write_results(tmp_path_factory.mktemp("results") / "a", errors)], 4)


@pytest.fixture
def hostile(tables: tuple[TableBeside, ...]) -> tuple[TableBeside, ...]:
    """All that comes from outside: directories, names, devices, what stands in notes."""
    table = tables[0]
    rows = (replace(table.rows[0], differences=(HOSTILE,), why_no_interval=HOSTILE), *table.rows[1:])
    names = {"results": (HOSTILE,), "searches": (HOSTILE,), "devices": (HOSTILE,), "notes": (HOSTILE,)}
    return (replace(table, rows=rows, images=HOSTILE, own_images=True, **names),)


def test_words(tables: tuple[TableBeside, ...]) -> None:
    text = text_of(tables)
    assert text.startswith("Table 4 of the paper, depth and width, on CIFAR-10\nours: ")
    assert re.search(r"WRN-40-1 +6\.85 +7\.10 \(7\.00 to 7\.30\) +validation +3 +\+0\.25 \(", text)
    assert re.search(rf"WRN-22-8 +4\.38 +{NONE} +{NONE} +{NONE}", text)
    assert "Widening helps at every depth: supported.\n" in text
    assert "WRN-40-8 against WRN-40-1: -2.30 points (" in text
    assert "; the paper's -2.19" in text
    assert "Ranks: Kendall's tau between ours and the paper's errors +1.00 (+1.00 to +1.00" in text


def test_a_note_is_said_once(tables: tuple[TableBeside, ...]) -> None:
    assert text_of([*tables, *tables]).count("Differences of recipe") == 1


def test_words_of_what_is_undecided(tables: tuple[TableBeside, ...]) -> None:
    claims = tuple(replace(claim, verdict="undecided") for claim in tables[0].claims)
    assert "Widening helps at every depth: undecided at this n." in text_of(
        [replace(tables[0], claims=claims)]
    )


def test_latex(tables: tuple[TableBeside, ...]) -> None:
    text = latex_of(tables)
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 1
    assert r"\label{tab:paper-4-cifar10}" in text
    assert r"WRN-40-1 & 6.85 & 7.10 (7.00 to 7.30) & validation & 3 & +0.25 (" in text
    assert r"\item Widening helps at every depth: \emph{supported}." in text
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 11
    assert {line.count(" & ") for line in rows} == {6}
    assert text.isascii()


@pytest.mark.parametrize(
    ("given", "set_as"),
    [
        ("a_b & 50 % of #1", r"a\_b \& 50 \% of \#1"),
        (r"\input{/etc/passwd}", r"\textbackslash{}input\{/etc/passwd\}"),
        ("$x^2$~", r"\$x\textasciicircum{}2\$\textasciitilde{}"),
        ("a\nb", r"a\textbackslash{}nb"),
        ("\u2013 \u4e2d", "-- U+4E2D"),
        ('a<b>"c"', r"a\textless{}b\textgreater{}''c''"),
    ],
)
def test_signs_that_latex_obeys_are_set_as_they_stand(given: str, set_as: str) -> None:
    assert latex_text(given) == set_as


def test_hostile_names_do_nothing_in_latex(hostile: tuple[TableBeside, ...]) -> None:
    text = latex_of(hostile)
    assert text.isascii()
    assert "\x1b" not in text
    for line in text.splitlines()[1:]:
        bare = re.sub(r"\\[%&#_{}$]|\\\\$", "", line)
        assert "%" not in bare  # which would hide the rest of its line
        assert bare.count("{") == bare.count("}")


def test_hostile_names_do_nothing_in_a_page(hostile: tuple[TableBeside, ...]) -> None:
    page = page_of(hostile)
    assert "<img" not in page
    assert "<a href='javascript" not in page
    assert "\x1b" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_a_page_has_all_that_the_words_have(tables: tuple[TableBeside, ...]) -> None:
    page = page_of(tables)
    for text in (
        "1. Table 4 of the paper, depth and width, on CIFAR-10",
        "+0.25 (",
        "WRN-28-12",
        "supported",
    ):
        assert text in page
    assert 'data-plot="ours-over-paper-1"' in page
    assert "://" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)


def test_a_table_that_nobody_has_trained_to_its_end(tmp_path: Path) -> None:
    ends = {0: ("running", None), 1: ("failed", "x")}
    found = tables_beside(
        [write_results(tmp_path / "a", {"WRN-40-1": [7.0], "WRN-40-8": [5.0]}, ends=ends)], 4
    )
    text = text_of(found)
    assert "none has reached its end" in text
    assert "no end is known of one of: WRN-40-8 against WRN-40-1" in text
    assert "No network has reached its end yet." in page_of(found)
    assert latex_of(found)
