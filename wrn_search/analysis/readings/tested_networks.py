"""What `protocol: test_each` measured: the test errors of a list of networks, each read once, nothing chosen by it."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wrn_search.analysis.input_tables.comparability import (
    Compared,
    differences,
    image_shape_on_record,
    settings_of,
)
from wrn_search.analysis.input_tables.shared_values import Interval
from wrn_search.analysis.statistics.fresh_seeds import FreshSpread, coverage, fresh_spread
from wrn_search.errors import InputError, Problem
from wrn_search.results.events_jsonl import read_events
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.results.trial_state import FINAL, TrialState
from wrn_search.seconds_alone import those_that_count
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.sections.recorded_dataset import dataset_settings
from wrn_search.space.trial_config import HOW_COMPUTED, LEAVES, TrialConfig

PROTOCOL = "test_each"


@dataclass(frozen=True)
class TestedNetwork:
    """One configuration with the test errors of its seeds."""

    __test__ = False  # to pytest

    network: str  # WRN-16-4
    hparams: dict[str, Any]  # the searched ones that say more than the network's name
    num_params: int
    macs: int
    errors: tuple[float, ...]  # percent, rising: of the seeds that were tested
    interval: (
        Interval | None
    )  # 95 % of their median, for all networks together; None where no network has two seeds
    coverage: float  # percent: how surely the range of the errors covers their median
    train_error: float | None  # percent, median at the last epoch
    seconds_per_epoch: float | None  # median of the seeds
    ended: dict[str, int]  # trials by status

    @property
    def median(self) -> float | None:
        """Percent."""
        return statistics.median(self.errors) if self.errors else None


@dataclass(frozen=True)
class TestedList:
    """The networks of one or several directories that can be compared."""

    __test__ = False

    names: tuple[str, ...]  # of the directories' searches
    paths: tuple[str, ...]
    dataset: str
    preprocessing: str
    train_images: int | None  # that each network was trained on
    test_images: int | None
    epochs: int
    networks: tuple[TestedNetwork, ...]  # in the order of the list
    trials: int
    ended: dict[str, int]  # trials by status
    left: int  # trials that have not ended
    readings: int  # of the test split, each on record before a file was opened
    tested: int  # networks that have a test error
    spread: FreshSpread | None  # of the seeds of all
    reasons: tuple[str, ...]  # why trials have no test error, with how many

    def to_json(self) -> dict[str, Any]:
        """Plain values for `report --json`."""
        told = asdict(self) | {"protocol": PROTOCOL}
        for values, each in zip(told["networks"], self.networks, strict=True):
            values["median_test_error"] = each.median
            values["test_errors"] = list(values.pop("errors"))
        return told


def tests_each(path: Path | str) -> bool:
    """Whether a directory is one of `protocol: test_each`, by its record; False where there is none to tell."""
    directory = ResultsDirectory(path)
    if not directory.exists():
        return False
    return is_tested_list(fold(read_events(directory.events)))


def is_tested_list(state: SearchState) -> bool:
    """The same of a state."""
    return state.space.get("protocol") == PROTOCOL


def tested_networks(paths: Sequence[Path | str]) -> TestedList:
    """Reads results directories of `protocol: test_each`.

    Raises:
        InputError: one is of another protocol, or cannot be compared with the others.
    """
    found = [(ResultsDirectory(path), fold(read_events(ResultsDirectory(path).events))) for path in paths]
    rule = "results of protocol: test_each hold test errors, and those of a search validation errors"
    problems = [
        Problem("protocol", f"{rule}: report them one by one, but this one is a search", str(directory.path))
        for directory, state in found
        if not is_tested_list(state)
    ]
    if not problems and len(found) > 1:
        problems = differences([_compared(directory, state) for directory, state in found])
    if problems:
        raise InputError(problems)
    return list_of([state for _, state in found], [str(directory.path) for directory, _ in found])


def list_of(states: Sequence[SearchState], paths: Sequence[str]) -> TestedList:
    """The same of states that can be compared."""
    trials = [trial for state in states for trial in state.trials.values()]
    members: dict[str, list[TrialState]] = defaultdict(list)
    for trial in trials:
        members[repr({name: trial.config[name] for name in LEAVES if name not in HOW_COMPUTED})].append(trial)
    spread = fresh_spread([_errors(each) for each in members.values()])
    first, settings = states[0], _settings(states[0])
    images = {trial.tested.images for trial in trials if trial.tested}
    ended = Counter(trial.status for trial in trials)
    return TestedList(
        names=tuple(state.search for state in states),
        paths=tuple(paths),
        dataset=first.dataset,
        preprocessing=settings.preprocessing if settings else "",
        train_images=_train_images(first),
        test_images=images.pop() if len(images) == 1 else None,
        epochs=first.max_epochs,
        networks=tuple(_network(each, spread) for each in members.values()),
        trials=len(trials),
        ended=dict(sorted(ended.items())),
        left=sum(trial.status not in FINAL for trial in trials),
        readings=sum(len(trial.test_opened) for trial in trials),
        tested=sum(trial.tested is not None for trial in trials),
        spread=spread,
        reasons=_reasons(trials),
    )


def _network(trials: Sequence[TrialState], spread: FreshSpread | None) -> TestedNetwork:
    first, errors = trials[0], _errors(trials)
    tested = [trial for trial in trials if trial.tested]
    seconds, _ = those_that_count(
        (metrics.seconds, metrics.epoch in trial.alone) for trial in tested for _, metrics in trial.reports
    )
    shape = ("family", "depth", "widen_factor", "block", "deepening_factor", "network")
    network = TrialConfig.from_dict(first.config).architecture.name
    train = [trial.last.train_error for trial in tested if trial.last]
    return TestedNetwork(
        network=network,
        hparams={name: first.value_of(name) for name in first.hparams if name not in shape},
        num_params=first.num_params,
        macs=first.macs,
        errors=tuple(errors),
        interval=_interval(errors, spread),
        coverage=coverage(len(errors)),
        train_error=statistics.median(train) if train else None,
        seconds_per_epoch=statistics.median(seconds) if seconds else None,
        ended=dict(sorted(Counter(trial.status for trial in trials).items())),
    )


def _interval(errors: Sequence[float], spread: FreshSpread | None) -> Interval | None:
    """95 % of what their median estimates, within what an error can be."""
    if spread is None or not errors:
        return None
    low, high = spread.of_median(statistics.median(errors), len(errors))
    return max(0.0, low), min(100.0, high)


def _errors(trials: Sequence[TrialState]) -> list[float]:
    """Test errors in percent, rising."""
    return sorted(trial.tested.test_error for trial in trials if trial.tested)


def _reasons(trials: Sequence[TrialState]) -> tuple[str, ...]:
    """Why trials that are over have no test error, the commonest first."""
    lost = Counter(
        f"{trial.status}: {(trial.error or 'no reason on record').strip().partition(chr(10))[0][:300]}"
        for trial in trials
        if trial.status in FINAL and trial.tested is None
    )
    return tuple(f"{count} {reason}" for reason, count in lost.most_common())


def _settings(state: SearchState) -> DatasetSettings | None:
    """Of its images."""
    trial = next(iter(state.trials.values()), None)
    return None if trial is None else dataset_settings(trial.config["dataset"])


def _train_images(state: SearchState) -> int | None:
    """By the first event of the record."""
    details = state.sessions[0][1].details if state.sessions else {}
    images = (
        details.get("dataset", {}).get("train_images") if isinstance(details.get("dataset"), dict) else None
    )
    return images if type(images) is int else None


def _compared(directory: ResultsDirectory, state: SearchState) -> Compared:
    settings = _settings(state)
    trials = state.trials.values()
    return Compared(
        path=str(directory.path),
        search_id=state.search_id,
        values={
            "dataset": [state.dataset],
            "epochs": sorted({trial.config["epochs"] for trial in trials} or {state.max_epochs}),
            "precision": sorted({trial.config["precision"] for trial in trials}),
            "linear_precision": sorted({trial.config["linear_precision"] for trial in trials}),
        },
        split_hash=state.split_hash,
        settings=settings_of(settings, image_shape_on_record(state)) if settings else None,
    )
