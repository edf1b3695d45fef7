"""The trial that is meant, and all that is needed to train or build it again: config, images, checkpoint."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wrn_search.end_reason import EndReason
from wrn_search.errors import InputError
from wrn_search.images.prepared_data import PreparedData, prepare
from wrn_search.results.events_jsonl import read_events
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.space_on_record import resolved_space
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.results.trial_selection import finalists_in_order, find_trial, name_of, read_state
from wrn_search.results.trial_state import TrialState
from wrn_search.shell_commands import ours
from wrn_search.space.dataset_section import JoinedSettings
from wrn_search.space.rules.starting_file import where_it_lies_now
from wrn_search.space.sections.recorded_dataset import dataset_settings
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
    finalist: int | None = None  # its place from 1, of a network that `confirm` trained on all images

    @property
    def name(self) -> str:
        """Its short name."""
        return name_of(self.trial)

    @property
    def file(self) -> Path:
        """Where `export` writes it, less the suffix: in the search's own directory."""
        if self.finalist is None:
            return self.directory.path / "export" / self.name
        return self.directory.path.parent / "export" / f"finalist_{self.finalist}_{self.name}"

    @property
    def rerun_checkpoint(self) -> Path:
        """Where `rerun --checkpoint` keeps it, and `export` looks for it."""
        return self.directory.path / "rerun" / f"{self.trial.trial_id}.pt"

    def data(self) -> PreparedData:
        """Its images.

        Raises:
            InputError: they are not there, or not those of the search.
        """
        dataset = self.config.dataset
        # A record names the split of its search, also where networks are trained on all images.
        data = prepare(dataset.apart() if isinstance(dataset, JoinedSettings) else dataset)
        if self.state.split_hash and not data.has_split(self.state.split_hash):
            text = "the images must be those that the search trained and validated on"
            raise InputError.of(
                "dataset", f"{text}: split {self.state.split_hash}, but got {data.split_hash}"
            )
        return prepare(dataset)


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
    return as_chosen(directory, state, find_trial(state, which), root)


def as_chosen(
    directory: ResultsDirectory, state: SearchState, trial: TrialState, root: str | None = None
) -> ChosenTrial:
    """A trial of a search that was read before; `root` as in `choose`."""
    config = TrialConfig.from_dict(trial.config)
    config = _as_files_lie_now(directory, config, root)
    return ChosenTrial(directory, state, trial, config, _manifest(directory.manifest))


def is_confirmed(results: str | Path) -> bool:
    """Whether a confirmation of the search has ended and its winner's network is still there."""
    directory = ResultsDirectory(results).confirmation
    if not directory.exists() or fold(read_events(directory.events)).ended != EndReason.FINISHED:
        return False
    try:
        winner = choose_finalist(results, 1)
    except InputError:  # it failed, or diverged
        return False
    return (directory.checkpoints / f"{winner.trial.trial_id}.pt").is_file()


def choose_finalist(results: str | Path, place: int, root: str | None = None) -> ChosenTrial:
    """The network that `confirm` trained on all images for the finalist at a place from 1, with its first seed.

    Finalist 1 is the winner, see `finalists_in_order`.

    Raises:
        InputError: no confirmation, no such finalist, its place is not known yet, or its network is not trained.
    """
    directory = ResultsDirectory(results).confirmation
    if not directory.exists():
        none = f"needs a confirmation, but {results} holds none{directory.as_unreadable()}"
        text = f"{none}; start it with: {ours('confirm', Path(results))}"
        raise InputError.of("--finalist", text)
    state = fold(read_events(directory.events))
    finalists = len(state.choice.finalists) if state.choice else 0
    if not 1 <= place <= finalists:
        raise InputError.of("--finalist", f"must be 1 to {finalists}, the finalists' places, but got {place}")
    order = finalists_in_order(state)
    if order is None:
        text = "the finalists are numbered by their fresh validation errors, of which some are still to come"
        raise InputError.of("--finalist", f"{text}; go on with: {ours('confirm', Path(results))}")
    choice = state.choice
    assert choice is not None, "it has finalists"
    if "joined" not in choice.kinds:
        text = "must be trained on all images, but this confirmation is one with --only split"
        raise InputError.of("--finalist", text)
    wanted = order[place - 1], "joined"
    firsts = [trial for trial in state.trials.values() if trial.repeat == 0]
    mine = [each for each in firsts if choice.finalist_at(each.configuration) == wanted]
    if not mine or mine[0].status != "completed":
        got = f"is {mine[0].status}" if mine else "is not begun"
        text = f"the network of finalist {place} on all images must be trained to its end, but {got}"
        raise InputError.of("--finalist", text)
    config = TrialConfig.from_dict(mine[0].config)
    config = _as_files_lie_now(directory, config, root)
    return ChosenTrial(directory, state, mine[0], config, _manifest(directory.manifest), place)


def _as_files_lie_now(directory: ResultsDirectory, recorded: TrialConfig, root: str | None) -> TrialConfig:
    """The trial's config with the folders of the search's last session: a record keeps those of the first."""
    try:
        now = resolved_space(directory)
    except InputError:  # gone, or of another version: the record knows too
        now = None
    dataset, init_from = recorded.dataset, recorded.init_from
    if now is not None:
        dataset = dataset.model_copy(update={"root": now.dataset.root})
        init_from = where_it_lies_now(init_from, now.model.init_from)
    if root is not None:
        settings = recorded.dataset.model_dump()
        dataset = dataset_settings(settings | {"root": str(user_path(root, "--root").absolute())})
    return dataclasses.replace(recorded, dataset=dataset, init_from=init_from)


def _manifest(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
