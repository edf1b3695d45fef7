"""A view of the best for TensorBoard, which stalls at some hundred runs: their event files, written anew."""

from __future__ import annotations

import dataclasses
import shutil
from dataclasses import dataclass
from pathlib import Path

from wrn_search.errors import InputError
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.space_on_record import resolved_space
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.tensorboard.hparams_tab import hparams_searched
from wrn_search.results.tensorboard.tensorboard_log import TensorBoardLog
from wrn_search.results.trial_selection import name_of, ranked_configurations
from wrn_search.space.space import Space

_MARK = ".wrn-search-view"  # in a folder that the next view may replace


@dataclass(frozen=True)
class View:
    """What was written."""

    folder: Path
    configurations: int  # shown
    ranked: int  # that reached full epochs
    trials: tuple[str, ...]  # short names of the runs, best configuration first


def write_view(directory: ResultsDirectory, state: SearchState, top: int, folder: Path | None = None) -> View:
    """The runs of the `top` configurations with the lowest validation error at full epochs, all their seeds.

    Written from the record, not linked: the same runs as those of the search, in any file system. A view that
    is there is replaced.

    Args:
        directory: of the search, finished or running.
        state: of the search.
        top: configurations.
        folder: default `RESULTS/tensorboard_top<N>`.

    Raises:
        InputError: no trial has reached full epochs, or the folder holds something else or cannot be written.
    """
    ranked = ranked_configurations(state)
    if not ranked:
        rule = f"a view needs trials that were trained to their last epoch ({state.max_epochs})"
        text = f"{rule}, but none was; all runs are in {directory.tensorboard}"
        raise InputError.of("RESULTS", text, str(directory.path))
    folder = folder or directory.path / f"tensorboard_top{top}"
    chosen = [trial for configuration in ranked[:top] for trial in configuration]
    shown = dataclasses.replace(state, trials={trial.number: trial for trial in chosen})
    try:
        _make_room(folder)
        TensorBoardLog(directory, shown, hparams_searched(state, _space(directory)), folder=folder).close()
    except OSError as error:
        rule = "must be a folder that can be made and written"
        raise InputError.of("--logdir", f"{rule}, but got: {error.strerror or error} ({folder})") from None
    names = tuple(name_of(trial) for trial in chosen)
    return View(folder, min(top, len(ranked)), len(ranked), names)


def _make_room(folder: Path) -> None:
    """An empty folder with our mark.

    Raises:
        InputError: somebody else's files are there.
    """
    if folder.exists() and not (folder / _MARK).exists() and (not folder.is_dir() or any(folder.iterdir())):
        rule = "must be a new or an empty folder, or an earlier view"
        raise InputError.of("--logdir", f"{rule}, but {folder} exists and holds something else")
    if folder.is_dir():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / _MARK).touch()


def _space(directory: ResultsDirectory) -> Space | None:
    """The search's space; None where its file is gone or of another version."""
    try:
        return resolved_space(directory)
    except InputError:
        return None
