"""The `dataset` section as records hold it: of every version, and read some times for every trial."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from wrn_search.space.dataset_section import DatasetSettings, JoinedSettings
from wrn_search.space.sections.crop_padding import BEFORE

# Keys that earlier versions did not have, with what they did where that is not the default of today.
LATER_SETTINGS: dict[str, Any] = {"crop_padding": BEFORE, "sampling": "uniform"}


def dataset_settings(values: dict[str, Any]) -> DatasetSettings:
    """The settings that `model_dump` wrote, joined or not; an older version's are what was the only way then."""
    if isinstance(values, dict):
        values = LATER_SETTINGS | values
    # Every trial of a search has the same ones, and each is read some times: checking them anew is most of that work.
    root = values.get("root") if isinstance(values, dict) else "~"
    if root is not None and (
        not isinstance(root, str) or "~" in root or "$" in root
    ):  # depends on the environment
        return _checked(values)
    try:
        return _checked_before(tuple((key, type(value), value) for key, value in values.items()))
    except TypeError:  # a value that is none
        return _checked(values)


def _checked(values: dict[str, Any]) -> DatasetSettings:
    kind = JoinedSettings if isinstance(values, dict) and "joined" in values else DatasetSettings
    return kind.model_validate(values)


@lru_cache(64)
def _checked_before(items: tuple[tuple[str, type, Any], ...]) -> DatasetSettings:
    """The same, remembered; 1, 1.0 and true are three values."""
    return _checked({key: value for key, _, value in items})
