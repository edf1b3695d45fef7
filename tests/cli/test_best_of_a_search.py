"""The best trial has one name: in the progress line, the summary, `export --trial best` and the report."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.results.searches import (
    MAX_EPOCHS,
    metrics,
    proposed,
    record_of,
    reported,
    search_started,
    started,
    timed,
)
from wrn_search.analysis.all_findings import findings_of
from wrn_search.cli.search_summary import summary_dict, summary_of
from wrn_search.confirmation.choice_of_finalists import candidates
from wrn_search.progress.search_progress import Progress
from wrn_search.results.events import Completed, Diverged, Event, Failed, Reported, Stopped
from wrn_search.results.kept_checkpoints import CheckpointKeeper
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import fold
from wrn_search.results.table_writer import TableWriter
from wrn_search.results.trial_selection import find_trial, ranked_configurations

NETWORKS = [(10, 1.0), (16, 1.0), (16, 2.0), (22, 1.0), (10, 2.0), (10, 0.5)]


def _events(generator: random.Random, repeats: int) -> list[Event]:
    """A search of these networks: few different errors, so that many are equal, and each end of a trial."""
    events: list[Event] = [search_started()]
    for number in range(len(NETWORKS) * repeats):
        depth, width = NETWORKS[number // repeats]
        place = {"configuration": number // repeats, "repeat": number % repeats}
        events.append(proposed(number, depth=depth, widen_factor=width, seed=number, **place))
        events.append(started(number))
    order = list(range(len(NETWORKS) * repeats))
    generator.shuffle(order)
    for number in order:
        error = float(generator.randint(1, 4))
        end = generator.choice(["completed"] * 12 + ["diverged", "memory", "failed", "stopped", "running"])
        events.append(reported(number, 1, val_error=0.1))
        if end == "completed":
            events += [reported(number, epoch, val_error=50.0) for epoch in range(2, MAX_EPOCHS)]
            events += [
                Reported(number, metrics(MAX_EPOCHS, val_error=error), "node-a", "cpu"),
                Completed(number),
            ]
        elif end == "stopped":
            events.append(Stopped(number, 1, "worse"))
        elif end == "diverged":
            events.append(Diverged(number, 2, "nan"))
        elif end != "running":
            events.append(Failed(number, end, out_of_memory=end == "memory"))
    return events


@pytest.mark.parametrize("repeats", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(6))
def test_the_best_is_the_same_wherever_it_is_named(tmp_path: Path, seed: int, repeats: int) -> None:
    events = timed(*_events(random.Random(f"{seed} {repeats}"), repeats))
    directory = ResultsDirectory(tmp_path)
    record_of(directory.events, events).close()
    directory.checkpoints.mkdir()
    state = fold(events)
    TableWriter(directory, state).flush()
    for trial in state.trials.values():
        (directory.checkpoints / f"{trial.trial_id}.pt").write_bytes(b"weights")
    progress = Progress(len(state.trials), MAX_EPOCHS, 0.0)
    keeper = CheckpointKeeper(directory.checkpoints, 1, repeats)
    for moment, event in events:
        progress.apply(moment, event)
        keeper(moment, event)

    found = findings_of(tmp_path)
    best = found.answer.best
    assert best is not None
    number = found.trials[best.trial].number
    assert find_trial(state, "best").number == number
    assert summary_of(state).best is state.trials[number]
    told = summary_dict(state, "here")["best"]
    assert told["median_val_error"] == best.val_error
    assert progress.best is not None
    assert progress.best.number == number
    assert f"best {best.val_error:.2f} %" in progress.line(0.0)
    assert (directory.checkpoints / f"{state.trials[number].trial_id}.pt").exists()
    configuration = state.trials[number].configuration
    assert ranked_configurations(state)[0][0].configuration == configuration
    finalist = candidates(state)[0]
    assert (finalist.configuration, finalist.estimate) == (configuration, best.val_error)
