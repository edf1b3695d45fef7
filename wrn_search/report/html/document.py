"""A whole page as one file that loads nothing: plotly.js stands in it once, and only our scripts may run.

Its content security policy names the hashes of these scripts, so even a name or an error message that slipped through
the escaping could not act.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources

from wrn_search import __version__
from wrn_search.report.html.colours import DARK, LIGHT, THEMES, css_variables
from wrn_search.report.html.markup import Html, element, join, script_json

_DATA = {"themes": script_json(THEMES), "hovers": script_json([])}  # of every page, unless it has its own
SCRIPTS = ("trials.js", "parallel.js", "linked.js", "page.js")  # each uses what stands before it


@dataclass(frozen=True)
class Contents:
    """What stands in a page, before it is one.

    Attributes:
        title: of the window.
        header: above all sections.
        sections: (key in addresses, name, content) each.
        data: JSON of the scripts by the ids under which they look for it, such as `hovers`, the texts of all trials.
    """

    title: str
    header: Html
    sections: Sequence[tuple[str, str, Html]]
    data: Mapping[str, Html]

    @property
    def body(self) -> Html:
        """Header, the list of the sections, and the sections."""
        entries = [element("li", element("a", name, href=f"#{key}")) for key, name, _ in self.sections]
        parts = (_section(place, *each) for place, each in enumerate(self.sections, start=1))
        nav = element("nav", element("ol", *entries), aria_label="Sections")
        return join([self.header, nav, element("main", *parts)])

    @property
    def values(self) -> dict[str, Html]:
        """`data`, with what every page has."""
        return {**_DATA, **self.data}


def page(
    header: Html, sections: Sequence[tuple[str, str, Html]], title: str, data: Mapping[str, Html]
) -> str:
    """The page of these contents."""
    return page_of_contents(Contents(title, header, sections, data))


def page_of_contents(contents: Contents) -> str:
    """The page as one file."""
    footer = f"Written {datetime.now(UTC):%Y-%m-%d %H:%M} UTC by WRN Search {__version__}."
    body = join([contents.body, element("footer", footer)])
    return _document(f"{contents.title}: WRN Search", body, contents.values)


def _section(place: int, key: str, name: str, content: Html) -> Html:
    return element("section", element("h2", f"{place}. {name}"), content, id=key)


def _document(title: str, body: Html, data: Mapping[str, Html]) -> str:
    from plotly.offline import get_plotlyjs  # a live page, which has it from a file, does not wait for plotly

    scripts = [get_plotlyjs().replace("</script", "<\\/script"), *map(page_file, SCRIPTS)]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(scripts)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Html(stylesheet())),
    )
    values = [element("script", value, type="application/json", id=key) for key, value in data.items()]
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


def stylesheet() -> str:
    """Of every page: colours for light and dark screens, and the rules that use them."""
    colours = (
        f":root {{ {css_variables(LIGHT)} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {css_variables(DARK)} }} }}\n"
    )
    return colours + page_file("page.css")


def page_file(name: str) -> str:
    """A script or stylesheet of this folder."""
    return resources.files("wrn_search.report.html").joinpath(name).read_text(encoding="utf-8")
