"""The bounds of the dependencies: what is tested lies within them, and private interfaces have an upper one."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ASKED = [
    Requirement(line)
    for lines in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for line in lines
]
PINNED = {
    pin.name: next(iter(pin.specifier)).version
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith(("#", "-"))
    for pin in [Requirement(line)]
}


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_what_is_tested_lies_within_the_bounds(asked) -> None:
    assert asked.name not in PINNED or asked.specifier.contains(PINNED[asked.name])


def test_ray_whose_private_parts_are_used_has_an_upper_bound() -> None:
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "wrn_search").rglob("*.py"))
    assert any("ray._private" in source for source in sources), "else the bound may go"
    for asked in ASKED:
        if asked.name == "ray":
            assert not asked.specifier.contains("2.99"), str(asked)
