"""The trial that is meant, and all that is needed to train or build it again: config, images, checkpoint."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wrn_search.errors import InputError
from wrn_search.images.prepared_data import PreparedData, prepare
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState, TrialState
from wrn_search.results.trial_selection import find_trial, name_of, read_state
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.space_file import read_space
from wrn_search.space.trial_config import TrialConfig
from wrn_search.user_paths import user_path


@dataclass(frozen=True)
class ChosenTrial:
    """One trial of a search, as it stands on record."""

    directory: ResultsDirectory
    state: SearchState
    trial: TrialState
    config: TrialConfig  # its images lie where they lie now
    manifest: dict[str, Any]  # empty if there is none

    @property
    def name(self) -> str:
        """Its short name."""
        return name_of(self.trial)

    @property
    def rerun_checkpoint(self) -> Path:
        """Where `rerun --checkpoint` keeps it, and `export` looks for it."""
        return self.directory.path / "rerun" / f"{self.trial.trial_id}.pt"

    def data(self) -> PreparedData:
        """Its images.

        Raises:
            InputError: they are not there, or not those of the search.
        """
        data = prepare(self.config.dataset)
        if self.state.split_hash and not data.has_split(self.state.split_hash):
            text = "the images must be those that the search trained and validated on"
            raise InputError.of(
                "dataset", f"{text}: split {self.state.split_hash}, but got {data.split_hash}"
            )
        return data


def choose(results: str | Path, which: str, root: str | None = None) -> ChosenTrial:
    """The trial `which` (`best`, number, key or short name) of a results directory.

    Args:
        results: the results directory.
        which: see `find_trial`.
        root: where the images lie now, instead of where the search found them.

    Raises:
        InputError: no such directory, record or trial.
    """
    directory = ResultsDirectory(results)
    state = read_state(directory)
    trial = find_trial(state, which)
    config = TrialConfig.from_dict(trial.config)
    config = dataclasses.replace(config, dataset=_dataset_now(directory, config.dataset, root))
    return ChosenTrial(directory, state, trial, config, _manifest(directory.manifest))


def _dataset_now(directory: ResultsDirectory, recorded: DatasetSettings, root: str | None) -> DatasetSettings:
    """The trial's data set with the root of the search's last session: a record keeps that of the first."""
    if root is not None:
        return DatasetSettings.model_validate(
            recorded.model_dump() | {"root": str(user_path(root, "--root").absolute())}
        )
    try:
        now = read_space(directory.resolved).dataset.root
    except InputError:  # gone, or of another version: the record knows too
        return recorded
    return recorded.model_copy(update={"root": now})


def _manifest(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}
