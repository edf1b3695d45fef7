"""A whole page as one file that loads nothing: plotly.js stands in it once, and only our scripts may run.

Its content security policy names the hashes of these scripts, so even a name or an error message that slipped through
the escaping could not act.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources

from plotly.offline import get_plotlyjs

from wrn_search import __version__
from wrn_search.report.html.colours import DARK, LIGHT, THEMES, css_variables
from wrn_search.report.html.markup import Html, element, join, script_json

_DATA = {"themes": script_json(THEMES), "hovers": script_json([])}  # of every page, unless it has its own
_SCRIPTS = ("trials.js", "parallel.js", "page.js")  # each uses what stands before it


def page(
    header: Html, sections: Sequence[tuple[str, str, Html]], title: str, data: Mapping[str, Html]
) -> str:
    """The page.

    Args:
        header: above all sections.
        sections: (key in addresses, name, content) each.
        title: of the window.
        data: JSON of the scripts by the ids under which they look for it, such as `hovers`, the texts of all trials.
    """
    entries = [element("li", element("a", name, href=f"#{key}")) for key, name, _ in sections]
    body = [
        header,
        element("nav", element("ol", *entries), aria_label="Sections"),
        element("main", *(_section(place, *each) for place, each in enumerate(sections, start=1))),
        element("footer", f"Written {datetime.now(UTC):%Y-%m-%d %H:%M} UTC by WRN Search {__version__}."),
    ]
    return _document(f"{title}: WRN Search", join(body), data)


def _section(place: int, key: str, name: str, content: Html) -> Html:
    return element("section", element("h2", f"{place}. {name}"), content, id=key)


def _document(title: str, body: Html, data: Mapping[str, Html]) -> str:
    css = _file("page.css")
    colours = (
        f":root {{ {css_variables(LIGHT)} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {css_variables(DARK)} }} }}\n"
    )
    scripts = [get_plotlyjs().replace("</script", "<\\/script"), *map(_file, _SCRIPTS)]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(scripts)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Html(colours + css)),
    )
    values = [
        element("script", value, type="application/json", id=key) for key, value in {**_DATA, **data}.items()
    ]
    absent = element(
        "noscript", element("p", "Figures need JavaScript; the tables below them hold the same values.")
    )
    code = [element("script", Html(script)) for script in scripts]
    whole = element("html", head, element("body", absent, body, *values, *code), lang="en")
    return f"<!DOCTYPE html>\n{whole}\n"


def _policy(scripts: list[str]) -> str:
    """Nothing is loaded; only our scripts run."""
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{value}'" for value in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "font-src data:; base-uri 'none'; form-action 'none'"
    )


def _file(name: str) -> str:
    return resources.files("wrn_search.report.html").joinpath(name).read_text(encoding="utf-8")
