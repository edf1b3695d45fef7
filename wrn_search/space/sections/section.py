"""What all sections of a space file are, and a key that all trials of a search share.

Pydantic was chosen for the walk through the sections, defaults, frozen values and JSON Schema.
"""

from __future__ import annotations

import dataclasses

from pydantic import BaseModel, ConfigDict

from wrn_search.space.rules.key_rule import Leaf


def alone(leaf: Leaf, name: str) -> Leaf:
    """A leaf whose value all trials of a search share: only equal trainings are compared, at rungs and at the end."""
    how = f"a search for each value (--set training.{name}=...), and name all results to one report"
    return dataclasses.replace(
        leaf, instead=f"; trials of one search are compared at equal {name}: run {how}"
    )


class Section(BaseModel):
    """A section: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)
