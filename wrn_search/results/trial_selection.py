"""Which trials are meant: those that rank first at full epochs, and one by its number, key or short name."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Sequence

from wrn_search.errors import InputError, nearest
from wrn_search.results.events_jsonl import read_events
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.results.tensorboard.run_names import short_name
from wrn_search.results.trial_state import FINAL, TrialState


def read_state(directory: ResultsDirectory) -> SearchState:
    """The state of the search in a results directory, which may be running.

    Raises:
        InputError: there is no directory, no record in it, no whole one, or that of a confirmation.
    """
    if not directory.path.is_dir():
        text = "must be a results directory, but there is no such directory"
        raise InputError.of("", text, str(directory.path))
    state = fold(read_events(directory.events))
    if not state.search:
        text = "must be the record of a search, but holds no event yet"
        raise InputError.of("", text, str(directory.events))
    if (
        state.choice is not None
    ):  # its trials have no validation error to rank by, and test errors may not choose
        text = "must be the results directory of a search, but is that of a confirmation"
        raise InputError.of("", f"{text}; name the search above it", str(directory.path))
    return state


def name_of(trial: TrialState) -> str:
    """The trial's short name, such as `007_WRN-16-4_p0.30_wd5e-4`."""
    return short_name(trial.number, trial.config, trial.repeat, searched=trial.hparams)


def ranked_trials(state: SearchState) -> list[TrialState]:
    """The trials that reached their last epoch, lowest validation error there first, earlier of equals first."""
    completed = [trial for trial in state.trials.values() if trial.status == "completed"]
    full = [trial for trial in completed if trial.last is not None and trial.last.val_error is not None]
    return sorted(full, key=lambda trial: (trial.reports[-1][1].val_error, trial.number))


def ranked_configurations(state: SearchState) -> list[list[TrialState]]:
    """The trials of each configuration that reached full epochs, lowest mean validation error first.

    A repeat that diverged or ran out of memory counts with the error of chance. A configuration of which a repeat was
    stopped did not get there: what became of the others was their luck. Those with repeats that have not ended come
    last. Of a configuration all trials are listed, by number.
    """
    members: dict[int, list[TrialState]] = defaultdict(list)
    for trial in state.trials.values():
        members[trial.configuration].append(trial)
    ranked, most = [], max(map(len, members.values()), default=0)
    for configuration, trials in members.items():
        last = [trial.last.val_error for trial in trials if trial.status == "completed" and trial.last]
        full = [val_error for val_error in last if val_error is not None]
        lost = [state.chance_error for trial in trials if trial.status == "diverged" or trial.out_of_memory]
        if full and not any(trial.status == "stopped" for trial in trials):
            ranked.append((not is_whole(trials, most), statistics.fmean(full + lost), configuration))
    return [sorted(members[number], key=lambda trial: trial.number) for *_, number in sorted(ranked)]


def is_whole(repeats: Sequence[TrialState], most: int) -> bool:
    """Whether all repeats of a configuration have ended, `most` being how many others of the search have."""
    return len(repeats) == most and all(trial.status in FINAL for trial in repeats)


def find_trial(state: SearchState, which: str, option: str = "--trial") -> TrialState:
    """`best`, a number such as `17`, a key such as `00017-3f2a9c1d`, or a short name.

    Raises:
        InputError: no trial is meant by it; `option` is where it was written.
    """
    if which == "best":
        return _best(state, option)
    for trial in state.trials.values():
        earlier = short_name(
            trial.number, trial.config, trial.repeat
        )  # versions that named no further values
        if which in (str(trial.number), trial.trial_id, name_of(trial), earlier):
            return trial
    keys = [key for trial in state.trials.values() for key in (trial.trial_id, name_of(trial))]
    numbers = f"0 to {max(state.trials)}" if state.trials else "none yet"
    rule = f"must be best, a trial's number ({numbers}), its trial_id or its short name"
    raise InputError.of(option, f"{rule}, but got '{which}'{nearest(which, keys)}")


def _best(state: SearchState, option: str) -> TrialState:
    ranked = ranked_trials(state)
    if not ranked:
        rule = f"best needs a trial that was trained to its last epoch ({state.max_epochs})"
        got = f"none of {len(state.trials)} was; name one by its number"
        raise InputError.of(option, f"{rule}, but {got}")
    return ranked[0]
