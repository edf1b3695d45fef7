"""The live page before anything of a search stands in it, and the page of a trial around what it shows."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

from wrn_search.report.html.colours import THEMES
from wrn_search.report.html.document import SCRIPTS, page_file, stylesheet
from wrn_search.report.html.markup import Html, element, join, script_json

# Nothing is loaded from elsewhere, and only our own files run: a name that slipped through the escaping cannot act.
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; img-src data: blob:; "
    "font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_LIVE = "live.js"


def live_page(title: str, query: str, choices: Mapping[str, str]) -> str:
    """The page of all searches; its script fetches the rest.

    Args:
        title: of the window.
        query: `token=...`, which every address of this server carries.
        choices: of several searches: name of what can be reported on -> its address; the present one has none.
    """
    links = [
        element("b", name) if not address else element("a", name, href=address)
        for name, address in choices.items()
    ]
    body = [
        element("div", element("h2", "Now", class_="sr"), element("div", class_="cards"), id="live"),
        element("p", "Report of: ", join(links, " \u00b7 "), class_="facts choice") if links else "",
        element("p", "The report is being made.", class_="facts", id="report-state", role="status"),
        element("div", id="report"),
        element(
            "div", _data("themes", script_json(THEMES)), _data("hovers", script_json([])), id="report-data"
        ),
    ]
    scripts = ["plotly.js", *SCRIPTS, _LIVE]
    return _document(title, join(body), scripts, query, live=True)


def trial_document(title: str, header: Html, main: Html, query: str) -> str:
    """The page of one trial."""
    body = join([header, element("main", main, id="trial")])
    return _document(title, body, [_LIVE], query, live=False)


def _data(key: str, value: Html) -> Html:
    return element("script", value, type="application/json", id=key)


def _document(title: str, body: Html, scripts: list[str], query: str, *, live: bool) -> str:
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title}: WRN Search"),
        element("style", Html(stylesheet() + _own("live.css"))),
    )
    absent = element("noscript", element("p", "This page needs JavaScript; the file report.html does not."))
    code = [element("script", src=f"files/{name}?{query}") for name in scripts]
    base = {"lang": "en", "data_live": "" if live else None, "data_query": query}
    return f"<!DOCTYPE html>\n{element('html', head, element('body', absent, body, *code), **base)}\n"


def script_file(name: str) -> bytes | None:
    """One of the scripts that pages name; None for any other name."""
    if name == "plotly.js":
        return _plotly().read_bytes()
    if name in SCRIPTS:
        return page_file(name).encode()
    return _own(name).encode() if name == _LIVE else None


def _plotly() -> Path:
    """The file that plotly's package brings along; plotly itself is not loaded."""
    spec = find_spec("plotly")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "package_data" / "plotly.min.js"


def _own(name: str) -> str:
    return resources.files("wrn_search.live_page").joinpath(name).read_text(encoding="utf-8")
