"""The documentation site: built strictly, without a network, with every page in its nav and no link astray."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
import yaml
from PIL import Image

import wrn_search
from tests.house import ROOT, source_files
from wrn_search import testing

DOCS = ROOT / "docs"


class _Page(HTMLParser):
    """What a page leads to, what it loads, and where links can lead in it."""

    def __init__(self, path: Path):
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        self.anchors |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag == "link" and "stylesheet" in found.get("rel", "") + found.get("as", ""):
            self.loads.append(found["href"])
        if tag in ("script", "img", "iframe") and "src" in found:
            self.loads.append(found["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it, where every way to a network leads to a port that nobody listens at."""
    folder = tmp_path_factory.mktemp("site")
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | nowhere | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, _Page]:
    """Every page, read."""
    return {path: _Page(path) for path in sorted(site.glob("*.html"))}


def test_it_is_built_strictly(site: Path) -> None:
    recipe = re.search(r"^docs:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe
    assert "-m mkdocs build --strict" in recipe[1]
    assert {path.stem for path in site.glob("*.html")} >= {path.stem for path in DOCS.glob("*.md")}


def test_every_page_is_in_the_nav(pages: dict[Path, _Page], site: Path) -> None:
    first = pages[site / "index.html"].links
    text = re.sub(r"!!python/name:\S+", "null", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    named = re.findall(r"[\w-]+\.md", str(yaml.safe_load(text)["nav"]))
    assert sorted(named) == sorted({*named}), "a page stands in it twice"
    assert {path.name for path in DOCS.glob("*.md")} <= set(named)
    assert {name.removesuffix(".md") + ".html" for name in named if name != "index.md"} <= set(first)


def test_every_link_and_anchor_leads_somewhere(pages: dict[Path, _Page]) -> None:
    astray = []
    count = 0
    for path, page in pages.items():
        for link in page.links:
            if re.match(r"https?:|mailto:", link) or path.name == "404.html":
                continue
            target, anchor = urldefrag(unquote(link))
            file = (path.parent / target).resolve() if target else path
            count += 1
            if not file.exists() or (anchor and file in pages and anchor not in pages[file].anchors):
                astray.append((path.name, link))
    assert astray == []
    assert count > 500


def test_nothing_is_loaded_from_elsewhere(pages: dict[Path, _Page], site: Path) -> None:
    for path, page in pages.items():
        assert [each for each in page.loads if re.match(r"(?:https?:)?//", each)] == [], path.name
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert not re.search(r"@import|url\(['\"]?https?:", styles)


def test_all_that_is_public_in_python_is_on_the_page_of_the_api() -> None:
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    homes = {f"::: wrn_search.{home}\n" for home in wrn_search._HOMES.values()}
    homes |= {
        f"::: {each.__module__}.{each.__name__}\n" for each in map(vars(testing).get, testing.__all__) if each
    }
    assert [home for home in homes if home not in f"{text}\n"] == []
    assert text.count(":::") == len(homes)


def test_the_page_of_the_report_has_every_figure_and_section() -> None:
    text = (DOCS / "report.md").read_text(encoding="utf-8")
    layout = (ROOT / "wrn_search/report/html/page_layout.py").read_text(encoding="utf-8")
    parts = (ROOT / "wrn_search/report/html/figures_by_section.py").read_text(encoding="utf-8")
    sections = re.findall(r'^ +\("([a-z-]+)", "[A-Z]', layout + parts, re.MULTILINE)
    assert len(sections) == 11
    assert [each for each in sections if f"Section `{each}`" not in text] == []
    keys = {key for path in source_files() if "/report/" in path.as_posix() for key in _keys_of_figures(path)}
    assert len(keys) > 15
    brackets = " ".join(re.findall(r"^#+ .*\[(.*)\]$", text, re.MULTILINE))
    assert [key for key in sorted(keys) if not re.search(rf"\b{re.escape(key)}", brackets)] == []


def _keys_of_figures(path: Path) -> list[str]:
    """Keys of the figures that a file makes; of one that is put together, its beginning."""
    keys = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "key":
            constants = [each.value for each in ast.walk(node.value) if isinstance(each, ast.Constant)]
            texts = [text for text in constants if isinstance(text, str)]
            keys += [max(texts, key=len)] if texts else []
    if path.stem == "map_of_every_cell":
        keys += ["expected-map", "early-map"]
    return keys


def test_the_quickstart_is_the_one_of_the_journey() -> None:
    from wrn_search.space.space_file import read_space, space_from_text

    (text,) = re.findall(r"```yaml\n(.*?)```", (DOCS / "index.md").read_text(encoding="utf-8"), re.DOTALL)
    shipped = read_space(ROOT / "search_spaces" / "digits_quickstart.yaml")
    space = space_from_text(text, "index.md")
    assert space.model_copy(update={"description": shipped.description}) == shipped


@pytest.mark.parametrize("language", ["python", "sql"])
def test_the_tables_are_read_as_in_the_readme(language: str) -> None:
    """Whose lines `tests/test_readme.py` runs."""
    (block,) = re.findall(
        rf"```{language}\n.*?```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    assert block in (DOCS / "results.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["live_display", "report"])
def test_a_picture_is_shown_and_small(name: str) -> None:
    path = DOCS / "pictures" / f"{name}.png"
    assert f'src="docs/pictures/{name}.png"' in (ROOT / "README.md").read_text(encoding="utf-8")
    assert path.stat().st_size < 150_000
    with Image.open(path) as image:
        assert image.width >= 600
        assert len(image.convert("RGB").getcolors(10_000) or []) > 8


def test_a_frame_of_the_display_is_found_among_what_a_terminal_got() -> None:
    from docs.make_pictures import fullest_frame, terminal_page

    def frame(text: str) -> str:
        return f"\x1b[?2026h\r\x1b[1A{text}\x1b[K\n\x1b[J\x1b[?2026l"

    seen = (
        "waiting\n"
        + frame("one")
        + frame("two\x1b[K\n\x1b[1;36mverdict so far: x\x1b[0m\x1b[K\nlast")
        + frame("end")
    )
    found = fullest_frame(seen)
    assert found == "two\n\x1b[1;36mverdict so far: x\x1b[0m\nlast"
    page = terminal_page(found)
    assert "verdict so far: x" in page
    assert "font-weight: bold" in page


def test_a_diagram_that_is_none_of_floors_is_refused() -> None:
    from docs.drawn_diagram import figure

    floors = 'flowchart TB\n  subgraph f1["floor 1"]\n    a\n    b\n  end\n  subgraph f0["floor 0"]\n    c\n  end\n'
    drawn = figure(floors + '  c -- "text" --> a\n  a -- "x<y" --> b\n')
    assert drawn.count("<rect") == 3
    assert drawn.count("marker-end") == 2
    assert "x&lt;y" in drawn
    with pytest.raises(ValueError, match="floors of boxes"):
        figure(floors + '  c -- "text" --> nowhere\n')


def test_anchors_are_found_on_a_forge_too() -> None:
    """Where a page is read without the site: there a heading's anchor keeps every hyphen of its text."""
    for path in sorted(DOCS.glob("*.md")):
        text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target, anchor in re.findall(r"\]\(([\w.-]*)#([^)\s]+)\)", text):
            page = DOCS / target if target else path
            headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
            plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", each).strip().lower() for each in headings)
            known = {re.sub(r"[^\w\- ]", "", each).replace(" ", "-") for each in plain}
            assert anchor in known, f"{path.name}: {target}#{anchor}"
