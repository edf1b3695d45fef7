"""`docs/space-file.md` says what the definitions say, of every key."""

from __future__ import annotations

from typing import Any

import pytest

from tests.house import ROOT
from tests.space_file_page import page
from wrn_search.space.misspelt_keys import SECTIONS
from wrn_search.space.space import Space

PAGE = (ROOT / "docs" / "space-file.md").read_text(encoding="utf-8")


def test_the_page_is_the_one_of_the_definitions() -> None:
    assert page() == PAGE, "python -m tests.space_file_page > docs/space-file.md"


def test_every_key_stands_in_it_and_the_readme_names_it() -> None:
    keys = {*Space.model_fields, *(key for section in SECTIONS.values() for key in section.model_fields)}
    assert {key for key in keys if f"| `{key}` |" not in PAGE and f"## `{key}`" not in PAGE} == set()
    assert "(docs/space-file.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_of_the_schema_has_a_description(section: str) -> None:
    schema: dict[str, Any] = Space.model_json_schema()
    properties = schema["$defs"][SECTIONS[section].__name__]["properties"]
    assert {name for name, each in properties.items() if not each.get("description")} == set()
