"""What the site has beside docs/: pages that lie elsewhere in the repository, and links that lead to them.

MkDocs calls these functions (`hooks` of mkdocs.yml).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
# page of the site -> its file in the repository
ELSEWHERE = {"contributing.md": "CONTRIBUTING.md", "benchmarks.md": "benchmarks/README.md"}


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages that lie outside docs/."""
    for page, path in ELSEWHERE.items():
        files.append(File.generated(config, page, content=inside((ROOT / path).read_text(encoding="utf-8"))))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Of a page of docs/: links to files of the repository lead to their pages."""
    return inside(markdown)


def inside(markdown: str) -> str:
    """Links as the site has them: `../benchmarks/README.md` and, from without, `docs/plugins.md` are pages of it.

    A link whose text is its file's name gets the page's title.
    """
    for page, path in ELSEWHERE.items():
        markdown = re.sub(rf"\]\((?:\.\./)*{re.escape(path)}(#[\w-]+)?\)", rf"]({page}\1)", markdown)
    markdown = re.sub(r"\]\((?:\.\./)*docs/([\w-]+\.md(?:#[\w-]+)?)\)", r"](\1)", markdown)
    return re.sub(
        r"\[(?:docs/)?([\w-]+)\.md\]\(\1\.md", lambda found: f"[{_title(found[1])}]({found[1]}.md", markdown
    )


def _title(page: str) -> str:
    """The first heading of a page of docs/."""
    path = ROOT / "docs" / f"{page}.md"
    first = path.read_text(encoding="utf-8").partition("\n")[0] if path.exists() else f"# {page}.md"
    return first.removeprefix("# ").partition(":")[0]
