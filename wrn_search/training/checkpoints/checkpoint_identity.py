"""Whether a checkpoint is one of this very training: same config, same split, wherever files lie."""

from __future__ import annotations

from typing import Any

from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.rules.starting_file import told_file
from wrn_search.space.sections.recorded_dataset import LATER_SETTINGS
from wrn_search.space.trial_config import with_later_leaves


def differences_from(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """A text for each thing that must agree and does not.

    Args:
        ours: of the training that goes on, as `identity` says.
        theirs: of the checkpoint.
    """
    return [
        f"{key} must be {ours[key]}, but is {theirs.get(key)}" for key in ours if theirs.get(key) != ours[key]
    ]


def identity(config: dict[str, Any], split_hash: str) -> dict[str, Any]:
    """What must agree between a checkpoint and the training that goes on: all but where the files lie."""
    # checkpoints of earlier versions lack later keys
    defaults = {key: field.default for key, field in DatasetSettings.model_fields.items()}
    settings = defaults | LATER_SETTINGS | config["dataset"]
    dataset = {f"dataset.{key}": value for key, value in settings.items() if key != "root"}
    leaves = {key: value for key, value in with_later_leaves(config).items() if key != "dataset"}
    leaves["init_from"] = told_file(leaves["init_from"])[1] or leaves["init_from"]  # wherever the file lies
    return leaves | dataset | {"split_hash": split_hash}
