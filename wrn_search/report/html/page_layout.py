"""The page: one self-contained HTML file that draws `Findings` and computes nothing.

It loads nothing: plotly.js stands in it once. Its content security policy lets run only the scripts whose hashes it
names, so even a name or an error message that slipped through the escaping could not act.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from importlib import resources

from plotly.offline import get_plotlyjs

from wrn_search import __version__
from wrn_search.analysis.all_findings import Findings
from wrn_search.report.answer import answer_section
from wrn_search.report.depth_width_map import error_map, time_map
from wrn_search.report.early_stopping import early_stopping
from wrn_search.report.equal_parameters import iso_params
from wrn_search.report.error_distributions import distribution, halves
from wrn_search.report.failures import wrong_section
from wrn_search.report.html.blocks import figures_block
from wrn_search.report.html.colours import DARK, LIGHT, THEMES, css_variables
from wrn_search.report.html.figure import hover_texts
from wrn_search.report.html.markup import Html, element, join, script_json
from wrn_search.report.hyperparameter_importance import importance
from wrn_search.report.hyperparameter_slices import slices
from wrn_search.report.learning_curves import learning_curves
from wrn_search.report.pareto_fronts import front_figures, hypervolume
from wrn_search.report.provenance import provenance_section
from wrn_search.wording import plural


def page_of(findings: Findings, *, follow_up: str | None = None) -> str:
    """The whole page.

    Args:
        follow_up: the space file of the grid that could tell what these searches cannot.
    """
    sections = [
        ("answer", "The answer", answer_section(findings, follow_up)),
        ("maps", "Depth and width", figures_block([error_map(findings), time_map(findings)])),
        ("equal-parameters", "Equal parameters", figures_block([iso_params(findings)])),
        ("fronts", "Pareto fronts", figures_block([*front_figures(findings), hypervolume(findings)])),
        ("hyperparameters", "Hyperparameters", figures_block([*slices(findings), importance(findings)])),
        (
            "curves",
            "Learning curves and early stopping",
            figures_block(
                [
                    learning_curves(findings),
                    early_stopping(findings),
                    distribution(findings),
                    halves(findings),
                ]
            ),
        ),
        ("wrong", "What went wrong", wrong_section(findings)),
        ("provenance", "Provenance", provenance_section(findings)),
    ]
    entries = [element("li", element("a", name, href=f"#{key}")) for key, name, _ in sections]
    body = [
        _header(findings),
        element("nav", element("ol", *entries), aria_label="Sections"),
        element("main", *(_section(place, *each) for place, each in enumerate(sections, start=1))),
        element("footer", f"Written {datetime.now(UTC):%Y-%m-%d %H:%M} UTC by WRN Search {__version__}."),
    ]
    return _document(f"{findings.title}: WRN Search", join(body), findings)


def _section(place: int, key: str, name: str, content: Html) -> Html:
    return element("section", element("h2", f"{place}. {name}"), content, id=key)


def _header(findings: Findings) -> Html:
    counts, dataset = findings.counts, findings.dataset
    ends = ", ".join(f"{count:,} {status}" for status, count in counts.by_status.items() if count)
    images = "" if dataset.validation_images is None else f", {dataset.validation_images:,} validation images"
    states = ", ".join(sorted({search.state for search in findings.searches}))
    facts = [
        f"{dataset.name}{images}",
        f"{plural(counts.trials, 'trial')} of {plural(findings.max_epochs, 'epoch')} ({ends})",
        f"{counts.epochs_done:,} epochs in {counts.train_hours:.3g} hours of training",
        f"{plural(len(findings.searches), 'search', 'searches')}: {states}",
    ]
    return element("header", element("h1", findings.title), element("p", " · ".join(facts), class_="facts"))


def _document(title: str, body: Html, findings: Findings) -> str:
    css = _file("page.css")
    colours = (
        f":root {{ {css_variables(LIGHT)} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {css_variables(DARK)} }} }}\n"
    )
    scripts = [get_plotlyjs().replace("</script", "<\\/script"), _file("page.js")]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(scripts)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Html(colours + css)),
    )
    data = [
        element("script", script_json(value), type="application/json", id=key)
        for key, value in (("themes", THEMES), ("hovers", hover_texts(findings)))
    ]
    absent = element(
        "noscript", element("p", "Figures need JavaScript; the tables below them hold the same values.")
    )
    code = [element("script", Html(script)) for script in scripts]
    whole = element("html", head, element("body", absent, body, *data, *code), lang="en")
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
