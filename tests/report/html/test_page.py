"""The page: its parts are all there, it loads nothing, and no text from outside acts in it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import plotly.graph_objects as go
import pytest

from tests.report import made
from tests.report.hostile import hostile_findings
from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.curve_model.model_values import CurveModel
from wrn_search.analysis.learning_curves import BestSoFar
from wrn_search.report.html.colours import DARK, LIGHT, resolved
from wrn_search.report.html.figure import hover_texts
from wrn_search.report.html.page_layout import page_of

FIGURES = [
    *(
        "finalists",
        "class-errors",
        "expected-map",
        "early-map",
        "time-map",
        "iso-params",
        "pareto-num-params",
        "pareto-macs",
    ),
    *("pareto-seconds-per-epoch", "effect-dropout", "effect-weight-decay", "importance", "plane"),
    *("learning-curves", "early-stopping", "edf", "best-so-far", "statuses"),
]


class Reading(HTMLParser):
    """What a browser would make of a page: elements with their attributes, scripts with their text."""

    def __init__(self, page: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "hr"):
            self.open.append(tag)
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            attributes, before = self.scripts[-1]
            self.scripts[-1] = attributes, before + data
        elif self.open and self.open[-1] != "style":
            self.text += data

    def json(self) -> dict[str, Any]:
        """The JSON of the page's data scripts by their ids."""
        data = [each for each in self.scripts if each[0].get("type") == "application/json"]
        return {str(attributes["id"]): json.loads(text) for attributes, text in data}


@pytest.fixture(scope="module")
def page() -> str:
    return page_of(made.findings(), follow_up="name: follow_up\n")


@pytest.fixture(scope="module")
def reading(page: str) -> Reading:
    return Reading(page)


def test_every_figure_is_there_with_a_caption_and_a_table(page: str, reading: Reading) -> None:
    figures = [attributes["id"] for tag, attributes in reading.elements if tag == "figure"]
    assert figures == [
        *FIGURES[:-1],
        "parallel",
        FIGURES[-1],
    ]  # this one stands above the table of all trials
    assert [
        attributes["data-plot"] for _, attributes in reading.elements if "data-plot" in attributes
    ] == FIGURES
    for block in re.findall(r"<figure.*?</figure>", page, re.DOTALL):
        assert re.search(r"<figcaption><strong>.{20,}?</strong> .{20,}?</figcaption>", block, re.DOTALL), (
            block[:200]
        )
        table = r"<details><summary>Table of the values</summary>.*<tbody><tr>"
        assert re.search(table, block, re.DOTALL) or 'id="parallel"' in block, block[:200]


def test_sections_one_to_nine_and_their_links(reading: Reading) -> None:
    sections = [attributes["id"] for tag, attributes in reading.elements if tag == "section"]
    links = [str(attributes["href"]) for tag, attributes in reading.elements if tag == "a"]
    assert len(sections) == 9
    assert links[:9] == [f"#{section}" for section in sections]
    assert "#trial-0" in links  # of the tables behind figures
    assert all(re.fullmatch(r"#trial-\d+", link) for link in links[9:])
    for place, name in enumerate(("The answer", "Depth and width"), start=1):
        assert f"{place}. {name}" in reading.text


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_plotly_knows_every_property_of_every_figure(reading: Reading, theme: dict[str, Any]) -> None:
    data = reading.json()
    for key in FIGURES:
        values = resolved(data[f"values-{key}"], theme)
        for trace in values["data"]:
            if (choice := trace.pop("choose", None)) and "x" in choice:
                assert len(choice["x"]["ranges"]) == len(trace["x"])
                assert len(choice["y"]["ranges"]) == len(trace["y"])
            if (places := trace.pop("trials", None)) is not None:
                assert len(places) == len(trace["x"]) == len(trace["y"])
                trace["hovertext"] = ["" if place is None else data["hovers"][place] for place in places]
        assert not re.search(r'"@\w', json.dumps(values)), f"{key}: a colour without a value"
        go.Figure(values)  # raises for a property or a value that plotly does not know


def test_themes_have_the_same_names() -> None:
    assert LIGHT.keys() == DARK.keys()


def test_the_page_asks_for_nothing_and_runs_only_its_own_scripts(page: str, reading: Reading) -> None:
    for tag, attributes in reading.elements:
        assert tag not in ("link", "iframe", "img", "object", "embed", "base", "form"), tag
        assert not {"src", "srcset", "action"} & attributes.keys(), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
    policy = next(a["content"] for t, a in reading.elements if t == "meta" and "http-equiv" in a)
    assert policy is not None
    assert "default-src 'none'" in policy
    code = [text for attributes, text in reading.scripts if attributes.get("type") is None]
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in code]
    assert re.findall(r"'sha256-([^']+)'", policy) == hashes
    assert len(code) == 5
    assert page.count("plotly.js v") == 1


def test_the_hover_names_trial_and_configuration() -> None:
    findings = made.findings()
    text = hover_texts(findings)[7]
    trial = findings.trials[7]
    assert text.startswith(f"<b>{trial.name}</b>")
    assert "depth 16" in text
    assert "dropout 0," in text
    assert "search made" not in text
    two = replace(findings, searches=findings.searches * 2)
    assert "search made" in hover_texts(two)[7]


def test_hostile_text_stays_text() -> None:
    plain, hostile = page_of(made.findings()), page_of(hostile_findings())
    before, after = Reading(plain), Reading(hostile)
    assert after.open == []
    assert {tag for tag, _ in after.elements} <= {tag for tag, _ in before.elements}
    for tag, attributes in after.elements:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        assert tag != "a" or str(attributes["href"]).startswith("#")
    assert len([1 for attributes, _ in after.scripts if attributes.get("type") is None]) == 5
    assert "</script><img src=x onerror=alert(1)>" in after.text  # shown as it was written
    assert "\x1b" not in hostile
    assert "\u2028" not in hostile
    assert "\\x1b[31m" in after.text


def test_hostile_text_is_no_markup_in_a_plot_either() -> None:
    """Plotly obeys some tags in texts; ours are bold trial names and line breaks, nothing else."""
    data = Reading(page_of(hostile_findings())).json()
    for plain in (
        "themes",
        "trial-columns",
        "values-parallel",
    ):  # the latter stand in the page as text, in no plot
        del data[plain]
    texts = [text for value in data.values() for text in strings(value)]
    assert any("&lt;/script&gt;" in text for text in texts)
    ours = {"<b>", "</b>", "<br>", "<extra>", "</extra>"}
    for text in texts:
        assert set(re.findall(r"<[^>]*>", text)) <= ours, text


def strings(value: Any) -> list[str]:
    """All strings in a JSON value."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in inner for text in strings(item)]


def test_a_table_cut_at_its_limit_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wrn_search.report.html.blocks.MAX_ROWS", 5)
    assert "The first 5 of 33 rows; all trials are in trials.parquet." in page_of(made.findings())


def nothing_trained() -> Findings:
    """The made findings if every trial had failed at once."""
    found = made.findings()
    ended = {"status": "failed", "epochs_done": 0, "val_error": None, "seconds_per_epoch": None}
    trials = tuple(replace(trial, **ended) for trial in found.trials)
    cells = tuple(
        replace(cell, value=None, trial=None, n=0, failed=cell.total) for cell in found.error_map.cells
    )
    return replace(
        found,
        trials=trials,
        model=CurveModel(why_not="nothing was trained"),
        counts=replace(found.counts, by_status={"failed": len(trials)}, epochs_done=0, train_hours=0.0),
        answer=replace(found.answer, best=None, smallest_equivalent=None, equivalents=()),
        error_map=replace(found.error_map, cells=cells),
        time_map=replace(found.time_map, cells=cells),
        iso_params=replace(found.iso_params, bands=(), slope=None, why_no_slope="nothing was trained"),
        pareto=replace(
            found.pareto,
            fronts=tuple(replace(front, points=()) for front in found.pareto.fronts),
            hypervolume=(),
            why_no_hypervolume="nothing was trained",
        ),
        slices=tuple(replace(each, points=(), summary=(), left_out=len(trials)) for each in found.slices),
        importance=replace(found.importance, shares={}, n=0, warning="nothing was trained"),
        curves=replace(found.curves, curves=(), total=0),
        rungs=replace(found.rungs, rungs=(), tau_by_epoch=(), epochs_done=0, epochs_saved=0, n=0),
        edf=replace(
            found.edf, all=replace(found.edf.all, errors=(), shares=(), reached=0), bands=(), halves=()
        ),
        best_so_far=BestSoFar((), 0),
        confirm=None,
    )


def test_sections_without_values_are_left_out_and_one_says_why() -> None:
    reading = Reading(page_of(nothing_trained()))
    sections = [attributes["id"] for tag, attributes in reading.elements if tag == "section"]
    assert sections == ["answer", "maps", "trials", "wrong", "left-out", "provenance"]
    assert "parallel" not in [attributes.get("id") for _, attributes in reading.elements]
    drawn = [attributes["data-plot"] for _, attributes in reading.elements if "data-plot" in attributes]
    assert drawn == ["error-map", "time-map", "statuses"]
    for reason in (
        "No trial got to full epochs",
        "Nothing was trained.",
        "No trial has completed an epoch yet.",
    ):
        assert reason in reading.text
    assert not re.search(r"\bnan\b", reading.text.replace("loss is nan", ""), re.IGNORECASE)
    assert "None" not in reading.text
