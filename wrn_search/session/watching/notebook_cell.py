"""The progress display below a notebook's cell: one output that is written anew, with what a terminal would show."""

from __future__ import annotations

import html
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from wrn_search.progress.terminal_lines import Line

COLUMNS, ROWS = 110, 36  # of the display
_STYLES = {
    **{"title": "font-weight:bold", "heading": "font-weight:bold;color:#1787a8", "good": "color:#3a9d5d"},
    **{"bad": "color:#d0453e", "dim": "opacity:0.6"},
}


class NotebookCell:
    """The output of a cell that runs; the first lines make it, later ones take their place."""

    def __init__(self) -> None:
        self._output: Any = None

    def show(self, lines: Sequence[Line]) -> None:
        """Shows these lines instead of those before."""
        from IPython.display import HTML, display  # there is a kernel: whoever runs one has it

        with suppress(Exception):  # of whatever kernel this is: a search does not end with those who watch it
            markup = HTML(markup_of(lines))
            if self._output is None:
                self._output = display(markup, display_id=True)
            else:
                self._output.update(markup)


def markup_of(lines: Sequence[Line]) -> str:
    """The lines as HTML in which no name can act."""
    rows = "\n".join(_styled(line) for line in lines)
    return f'<pre class="wrn-search" style="line-height:1.35;white-space:pre">{rows}</pre>'


def _styled(line: Line) -> str:
    text, style = html.escape(line.text), _STYLES.get(line.style)
    return f'<span style="{style}">{text}</span>' if style else text


def cell_of_this_process() -> NotebookCell | None:
    """A cell if a kernel runs this process, as in Jupyter; None in a terminal, IPython's too. Imports nothing anew."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    shell = get_ipython()
    return NotebookCell() if getattr(shell, "kernel", None) is not None else None
