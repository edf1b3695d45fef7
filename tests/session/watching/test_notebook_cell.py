"""The display below a notebook's cell: the terminal's lines, in which no name acts; none outside a kernel."""

from __future__ import annotations

from tests.cli.commands import modules_of, run
from tests.report.html.test_page import Reading
from wrn_search.progress.terminal_lines import Line
from wrn_search.session.watching.notebook_cell import cell_of_this_process, markup_of


def test_the_lines_stand_as_they_are_and_nothing_acts() -> None:
    page = Reading(markup_of([Line("<b onclick=x>", "title"), Line("a & b"), Line("lost", "bad")]))
    assert page.text == "<b onclick=x>\na & b\nlost"
    assert [tag for tag, _ in page.elements] == ["pre", "span", "span"]


def test_there_is_none_in_a_plain_process_and_none_in_ipythons_terminal() -> None:
    assert (
        modules_of(
            "import wrn_search.session.watching.notebook_cell as n; n.cell_of_this_process()", "IPython"
        )
        == set()
    )
    code = (
        "from IPython.core.interactiveshell import InteractiveShell; InteractiveShell.instance()\n"
        "from wrn_search.session.watching.notebook_cell import cell_of_this_process as cell\nprint(cell())"
    )
    done = run("-c", code)
    assert done.stdout.split() == ["None"], done.stderr
    assert cell_of_this_process() is None
