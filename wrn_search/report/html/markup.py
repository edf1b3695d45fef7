"""Markup: text enters a page, a plot or a script only through here, so that no name or error message can act in it."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Iterable
from typing import Any

from wrn_search.errors import printable
from wrn_search.wording import shortened

_VOID = {"meta", "br", "hr"}
_SIGNIFICANT = 6  # digits of a plotted number


class Html(str):
    """Markup that may stand in a page as it is."""

    __slots__ = ()


def escape(value: object) -> Html:
    """Text as markup; what is markup already stays. What cannot be printed is spelt out."""
    return value if isinstance(value, Html) else Html(html.escape(printable(str(value), keep="\n\t")))


def element(tag: str, *children: object, **attributes: object) -> Html:
    """`<tag attribute="...">children</tag>`; children and attributes are escaped.

    `class_` is written `class` and `data_x` is written `data-x`; an attribute that is None or False is left out.
    """
    written = "".join(
        f" {name.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(value)}"')
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    if tag in _VOID:
        return Html(f"<{tag}{written}>")
    return Html(f"<{tag}{written}>{join(children)}</{tag}>")


def join(children: Iterable[object], between: str = "") -> Html:
    """Markup of several children behind one another."""
    return Html(between.join(escape(child) for child in children))


def plot_text(value: object) -> str:
    """Text for a plot: plotly obeys tags such as <a> and <b>, and knows few entities besides these three."""
    text = shortened(printable(str(value).replace("\n", " ")))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def script_json(value: Any, *, exact: bool = False) -> Html:
    """JSON that can stand in a script element: no `<`, so nothing in it ends the element or opens a comment.

    Floats have six significant digits, or all where they are `exact`; what is not finite becomes null.
    """
    digits = None if exact else _SIGNIFICANT
    text = json.dumps(
        _plain(value, digits), allow_nan=False, separators=(",", ":")
    )  # ASCII: U+2028 is escaped
    return Html(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _plain(value: Any, digits: int | None) -> Any:
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return value if digits is None else float(f"{value:.{digits}g}")
    if isinstance(value, dict):
        return {str(key): _plain(item, digits) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, digits) for item in value]
    return value
