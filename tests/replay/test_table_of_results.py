"""Tables of results directories; searches on record, played again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.decisions.playing import FACTS, space_of
from wrn_search.curves.observed_curves import ObservedCurves
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trial_to_train import Assignment
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.errors import InputError
from wrn_search.replay.as_recorded import played_again
from wrn_search.replay.table_of_results import table_of_results
from wrn_search.results.events import SearchStarted
from wrn_search.results.events_jsonl import Record
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.space.space import Space
from wrn_search.verdict_so_far import looks
from wrn_search.verdict_so_far.answered_questions import FIRST, SMALLEST, STEP, WINNER, Answer

GOLDEN = Path(__file__).parent.parent / "golden" / "before_the_rooms"


def recorded(
    folder: Path, space: Space, pace: Callable[[int], float], workers: int = 1, diverging: int | None = None
) -> Path:
    """A search on record, whose trial n took `pace(n)` seconds an epoch, on a clock that the record was given."""
    folder.mkdir()
    now = [1000.0]
    facts = {"num_classes": 10, "image_shape": [8, 8, 1], "validation_images": 300}
    with Record.create(ResultsDirectory(folder).events, lambda: now[0]) as record:
        record.append(
            SearchStarted(
                space.name,
                "id",
                space.training.epochs,
                FACTS.chance_error,
                "digits",
                "split",
                space=space.to_document(),
                details={"dataset": facts, "concurrent": workers},
            )
        )
    with Record.open(ResultsDirectory(folder).events, lambda: now[0]) as record:
        conductor = Conductor(space, FACTS, Allotment(workers, 1, 0.0), record)
        running: list[tuple[float, int, int]] = []
        while True:
            while isinstance(answer := conductor.next_trial(), Assignment):
                conductor.started(answer.number)
                running.append((now[0] + pace(answer.number), answer.number, answer.epochs_done + 1))
            if not running:
                return folder
            running.sort()
            now[0], number, epoch = running.pop(0)
            if number == diverging and epoch == 2:
                conductor.diverged(number, epoch, "non-finite")
                continue
            dropout = conductor.state.trials[number].hparams["dropout"]
            error = 20 + 60 * abs(dropout - 0.2) + 30 / epoch
            metrics = EpochMetrics(epoch, 0.1, 1.0, error, 1.0, error, 0.5, 2000.0, 0)
            if conductor.reported(number, metrics, "n", "cpu") and epoch < space.training.epochs:
                running.append((now[0] + pace(number), number, epoch + 1))


def search_of(searcher: str, scheduler: str, repeats: int = 1) -> Space:
    return space_of(
        search={"searcher": searcher, "scheduler": scheduler, "trials": 20, "seed": 3, "repeats": repeats}
    )


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("scheduler", ["none", "asha"])
@pytest.mark.parametrize("searcher", ["random", "tpe"])
def test_a_recorded_search_proposes_and_stops_again_as_it_did(
    tmp_path: Path, searcher: str, scheduler: str, workers: int
) -> None:
    """Paces that let trials overtake each other: only their own seconds give the order of the record."""
    folder = recorded(tmp_path / "r", search_of(searcher, scheduler), lambda n: 1 + (7 * n % 5) / 3, workers)
    found = played_again(folder, None)
    assert found.same, found.difference
    assert found.trials == 20


@pytest.mark.parametrize(("workers", "promote"), [(1, True), (3, True), (1, False), (3, False)])
def test_so_does_one_that_stopped_because_it_was_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int, promote: bool
) -> None:
    """The looks of the play are those of the record: after as many ends, at the same trials; no two at one moment."""
    tables = []

    def answers(table: ObservedCurves, sizes: object) -> dict[str, Answer | None]:
        tables.append(table)
        return {WINNER: Answer(WINNER, network=(10.0, 1.0)), SMALLEST: Answer(SMALLEST, network=(10.0, 1.0))}

    monkeypatch.setattr(looks, "answers_of", answers)
    space = space_of(
        model={"depth": {"choice": [10, 16]}, "dropout": {"uniform": [0.0, 0.5]}},
        search={
            "searcher": "random",
            "trials": 60,
            "anchors": 0.2,
            "stop_when": "decided",
            "promote": promote,
        },
    )
    folder = recorded(tmp_path / "r", space, lambda n: 1 + 0.618034 * n % 1, workers)
    found = played_again(folder, None)
    assert found.same, found.difference
    assert FIRST + STEP <= found.trials < 60
    recorded_trials = table_of_results(folder, whole=False).state.trials.values()
    assert not any(trial.is_paused for trial in recorded_trials), "what rested ended with the search"
    assert len(tables) == 4
    assert tables[2:] == tables[:2]


@pytest.mark.parametrize("lines", [101, 120, 150])
def test_so_does_one_that_a_kill_cut_off(tmp_path: Path, lines: int) -> None:
    """What still trained then is heard of no more."""
    folder = recorded(tmp_path / "r", search_of("tpe", "asha"), lambda n: 1 + (7 * n % 5) / 3, 3)
    events = ResultsDirectory(folder).events
    events.write_text("".join(events.read_text().splitlines(keepends=True)[:lines]))
    found = played_again(folder, None)
    assert found.same, found.difference
    assert 3 < found.trials < 20


def test_another_number_of_workers_is_another_search(tmp_path: Path) -> None:
    """TPE hears results in another order; what differs is named."""
    folder = recorded(tmp_path / "r", search_of("tpe", "asha"), lambda n: 1 + (7 * n % 5) / 3, 3)
    found = played_again(folder, 1)
    assert not found.same
    assert found.difference


def test_a_table_holds_whole_trainings(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "r", search_of("random", "asha"), lambda n: 2.0, diverging=4)
    whole, all_of_it = table_of_results(folder), table_of_results(folder, whole=False)
    completed = sum(trial.status == "completed" for trial in whole.state.trials.values())
    assert len(whole.table.configurations) == completed + 1  # the one that diverged has an end, too
    assert len(all_of_it.table.configurations) == 20
    assert {float(s) for curves in whole.table.curves for each in curves for s in each.seconds} == {2.0}
    assert whole.table.in_seconds


def test_repeats_are_seeds_of_a_configuration(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "r", search_of("random", "none", repeats=2), lambda n: 1.0)
    table = table_of_results(folder).table
    assert (len(table.configurations), table.seeds) == (20, 2)


def test_a_search_of_an_earlier_version_is_a_table(tmp_path: Path) -> None:
    """Its record does not tell the facts of the images: the manifest and the data set do."""
    found = table_of_results(GOLDEN / "finished")
    assert found.table.facts.num_classes == 10
    assert len(found.table.configurations) >= 1


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be a results directory or a Parquet file of curves"):
        table_of_results(tmp_path)
    with pytest.raises(InputError, match="must hold a search, but holds the retrainings of `confirm`"):
        table_of_results(GOLDEN / "finished" / "confirm")
    nothing = recorded(tmp_path / "r", search_of("random", "none"), lambda n: 1.0)
    events = ResultsDirectory(nothing).events
    events.write_text("".join(events.read_text().splitlines(keepends=True)[:6]))
    with pytest.raises(
        InputError, match="must hold trainings of all 10 epochs in the space it records, but none of"
    ):
        table_of_results(nothing)
