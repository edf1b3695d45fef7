"""`docs/spaces.md`: its examples are space files, and it names the files that are shipped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wrn_search.space.space_file import space_from_text

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "spaces.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
RANGES = "model: {depth: {choice: [16, 28]}, widen_factor: {choice: [4, 10]}, dropout: {uniform: [0, 0.5]}}\n"
RANGES += "training: {weight_decay: {loguniform: [1.0e-5, 1.0e-2]}}\n"


@pytest.mark.parametrize("place", range(len(EXAMPLES)))
def test_an_example_is_a_space_file(place: int) -> None:
    text = EXAMPLES[place]
    space = space_from_text(text if "model:" in text or "grid" in text else RANGES + text, "spaces.md")

    assert space.trials > 0


@pytest.mark.parametrize("name", re.findall(r"search_spaces/(\w+\.yaml)", PAGE))
def test_a_file_that_is_named_is_there(name: str) -> None:
    assert (ROOT / "search_spaces" / name).is_file()
