import dataclasses
import json
from typing import Any

import pytest

from tests.decisions.playing import metrics, space_of
from wrn_search.cli.search_summary import Cell, summary_dict, summary_of, summary_text
from wrn_search.results.events import (
    Completed,
    Diverged,
    Event,
    Exhausted,
    Failed,
    Looked,
    Paused,
    Proposed,
    Reported,
    SearchEnded,
    SearchResumed,
    SearchStarted,
    Started,
    Stopped,
)
from wrn_search.results.state_from_events import SearchState, fold

EPOCHS = 2


def _state(
    trials: list[tuple[int, float, list[float], str]], details: dict[str, Any] | None = None
) -> SearchState:
    """(depth, widen_factor, validation error by epoch, status) of each trial."""
    space = space_of(
        model={"depth": {"choice": [10, 16]}, "widen_factor": {"choice": [1, 2]}}, training={"epochs": EPOCHS}
    )
    started = SearchStarted("played", "id", EPOCHS, 90.0, "digits", "split", details=details or {})
    events: list[Event] = [started]
    for number, (depth, width, errors, status) in enumerate(trials):
        hparams = {"depth": depth, "widen_factor": width}
        config = space.trial_config(hparams, number, precision="fp32", compile="off").to_dict()
        events += [
            Proposed(number, f"{number}", number, 0, hparams, config, 1000, 2000),
            Started(number, 1, 0.0),
        ]
        events += [
            Reported(number, metrics(epoch, error), "node", "cpu") for epoch, error in enumerate(errors, 1)
        ]
        ends: dict[str, Event] = {
            "completed": Completed(number),
            "stopped": Stopped(number, 1, "worse"),
            "diverged": Diverged(number, 1, "nan"),
            "failed": Failed(number, "the trial's process ended"),
        }
        events += [ends[status]] if status in ends else []
    return fold((float(moment), event) for moment, event in enumerate(events))


TRIALS: list[tuple[int, float, list[float], str]] = [
    (10, 1.0, [30.0, 12.0], "completed"),
    (10, 1.0, [20.0, 8.0], "completed"),
    (10, 1.0, [1.0], "stopped"),  # lower than any, but not at full epochs
    (10, 2.0, [50.0], "stopped"),
    (16, 2.0, [], "diverged"),
    (16, 2.0, [9.0, 7.5], "completed"),
    (16, 2.0, [], "failed"),
]


def test_only_full_epochs_are_compared_and_every_trial_is_counted() -> None:
    found = summary_of(_state(TRIALS))
    assert found.best is not None
    assert found.best.number == 5
    assert found.cells == {
        (10, 1.0): Cell(8.0, 2, 1, 0),
        (10, 2.0): Cell(None, 0, 1, 0),
        (16, 2.0): Cell(7.5, 1, 0, 2),
    }
    assert (found.epochs_done, found.epochs_planned) == (8, 14)


def test_of_repeats_the_median_counts_and_no_lucky_seed() -> None:
    """Configuration 0 has the luckiest seed, configuration 1 the lowest median; 2 has one seed and is no better."""
    errors = [(0, 0, 1.0), (0, 1, 9.0), (0, 2, 8.0), (1, 0, 3.0), (1, 1, 2.0), (1, 2, 4.0), (2, 0, 3.5)]
    state = _state([(10, 1.0, [50.0, error], "completed") for *_, error in errors])
    trials = {
        number: dataclasses.replace(state.trials[number], configuration=configuration, repeat=repeat)
        for number, (configuration, repeat, _) in enumerate(errors)
    }
    state = dataclasses.replace(state, trials=trials)
    found = summary_of(state)
    assert found.best is not None
    assert (found.best.number, found.errors) == (3, (2.0, 3.0, 4.0))
    text = summary_text(state, "results")
    assert "Lowest error at full epochs (2): 003_" in text
    assert "validation error 3.00 % (median of 3 seeds, 2.00 to 4.00)" in text


def test_of_equals_the_first_is_best() -> None:
    found = summary_of(_state([(10, 1.0, [5.0, 5.0], "completed"), (16, 1.0, [5.0, 5.0], "completed")]))
    assert found.best is not None
    assert found.best.number == 0


def test_the_text_shows_gaps_as_gaps() -> None:
    text = summary_text(_state(TRIALS), "results/played")
    assert text.splitlines()[0] == "played: 7 trials on digits (3 completed, 1 diverged, 1 failed, 2 stopped)"
    rows = [line.split("  ") for line in text.splitlines()]
    cells = {
        row[1]: [cell.strip() for cell in row[2:] if cell]
        for row in rows
        if row[1:] and row[1] in ("10", "16")
    }
    assert cells == {"10": ["8.00 (n=2 s=1)", "none (n=0 s=1)"], "16": ["-", "7.50 (n=1 s=0 x=2)"]}
    assert (
        "Trained 8 of 14 planned epochs: early stopping saved 2 (14 %), "
        "4 are missing from trials that failed, diverged or were interrupted."
    ) in text
    assert "1 trial failed: the trial's process ended" in text
    assert text.splitlines()[-1] == "Results: results/played"


def test_a_search_in_which_nothing_got_there_calls_no_trial_best() -> None:
    text = summary_text(_state([(10, 1.0, [5.0], "stopped")]), "results/played")
    assert "No trial was trained to its last epoch (2), so no trial is called best." in text


def test_the_text_says_why_there_are_fewer_trials_than_asked_for() -> None:
    state = _state(TRIALS)
    assert "The search ended" not in summary_text(state, "results/played")
    state.apply(99.0, Exhausted(7))
    state.apply(99.0, SearchEnded("exhausted"))
    assert "The search ended because its space has 7 configurations and no more." in summary_text(state, "x")
    state.apply(99.0, SearchEnded("max_hours"))
    assert "The search ended because search.max_hours were over." in summary_text(state, "x")


def test_a_spent_budget_is_told_and_what_waits_counts_as_stopped_until_there_is_more() -> None:
    state = _state([(10, 1.0, [20.0, 8.0], "completed"), (10, 1.0, [30.0], "interrupted")])
    document = {"search": {"budget": {"epochs": 4, "hours": 2.0}}}
    state.sessions.append((0.0, SearchResumed(space=document)))
    state.apply(50.0, Paused(1, 1, "worse"))
    assert summary_dict(state, "x")["by_status"] == {"completed": 1, "interrupted": 1}
    state.apply(99.0, SearchEnded("budget", {"epochs": 3, "hours": 0.5, "gpu_hours": 0.0}))
    text = summary_text(state, "x")
    assert "Budget: 3 of 4 epochs, 0.5 of 2 hours spent." in text
    assert (
        "search.budget is spent, as far as it can be; 1 trial may go on from a rung with a larger one."
        in text
    )
    told = summary_dict(state, "x")
    assert (told["by_status"], told["epochs_saved"], told["waiting"]) == (
        {"completed": 1, "stopped": 1},
        1,
        1,
    )
    assert (told["budget"], told["spent"]["epochs"]) == ({"epochs": 4, "hours": 2.0}, 3)
    state.apply(100.0, SearchResumed())
    assert (state.trials[1].status, state.trials[1].error) == ("interrupted", "waits at epoch 1: worse")


@pytest.mark.parametrize(("error", "warned"), [(85.0, True), (90.0, True), (80.0, False), (12.0, False)])
def test_a_network_that_hardly_learned_is_not_called_best_without_a_word(error: float, warned: bool) -> None:
    """Always answering the most frequent class has 90 % here."""
    state = _state([(10, 1.0, [95.0, error], "completed")])
    word = "But it hardly learned: always answering the most frequent class has 90.00 %."
    assert (word in summary_text(state, "here")) == warned
    told = summary_dict(state, "here")
    assert told["best"]["val_error"] == error
    assert (told["best"]["warning"] is not None) == warned
    assert json.loads(json.dumps(told)) == told


def test_failures_of_one_reason_are_counted_together_and_the_file_of_one_is_named() -> None:
    state = _state([(10, 1.0, [], "failed"), (10, 2.0, [], "failed"), (16, 1.0, [30.0, 12.0], "completed")])
    for number in (0, 1):
        state.trials[number].error = f"ValueError: no\nall of it: logs/{number}.txt"
    assert "2 trials failed: ValueError: no (all of it: logs/0.txt)" in summary_text(state, "x").splitlines()


def test_a_search_that_is_decided_says_what_it_decided() -> None:
    state = _state(TRIALS)
    answers = {"depth_vs_width": "helps", "winner": "WRN-16-2", "smallest_as_good": "WRN-16-1"}
    state.apply(100.0, Looked(24, answers))
    state.apply(101.0, SearchEnded("decided"))
    assert (
        "The search stopped because it is decided: at equal parameters depth is worth more than width, WRN-16-2 is the "
        "winner, WRN-16-1 is the smallest network as good."
    ) in summary_text(state, "x")
    assert summary_dict(state, "x")["decided"] == answers
    state.apply(102.0, SearchEnded("finished"))
    assert summary_dict(state, "x")["decided"] is None
    assert "decided" not in summary_text(state, "x")


def test_the_error_of_the_prediction_is_told_where_the_search_went_its_way() -> None:
    predicted = {"seconds": 80.0, "epochs": 4, "trials": 2}
    state = _state([(10, 1.0, [20.0, 8.0], "completed")], details={"predicted": predicted})
    assert "Predicted" not in summary_text(state, "x"), "it goes on"
    state.apply(100.0, SearchEnded("finished"))
    assert "Predicted 1 min 20 s for 4 epochs, took 1 min 40 s (25 % more) for 2." in summary_text(state, "x")
    assert summary_dict(state, "x")["prediction"]["error"] == pytest.approx(0.25)
    state.apply(100.0, SearchEnded("interrupted"))
    assert summary_dict(state, "x")["prediction"] is None


def test_a_search_with_several_objectives_ends_with_its_front() -> None:
    state = _state(
        [
            (16, 2.0, [30.0, 8.0], "completed"),
            (10, 1.0, [40.0, 12.0], "completed"),
            (16, 1.0, [40.0, 15.0], "completed"),  # larger than the second, and worse
            (10, 2.0, [1.0], "stopped"),
        ]
    )
    assert summary_dict(state, "x")["objectives"] == ["val_error"]
    assert summary_dict(state, "x")["front"] == []
    assert "Front" not in summary_text(state, "x")
    for number, size in enumerate([4000, 1000, 2000, 1]):
        state.trials[number].num_params = size
    moment, begun = state.sessions[0]
    state.sessions[0] = moment, dataclasses.replace(begun, space={"objectives": ["val_error", "num_params"]})
    told = summary_dict(state, "x")
    lines = summary_text(state, "x").splitlines()
    first = next(
        place for place, line in enumerate(lines) if line.startswith("Front of val_error and num_params")
    )

    assert [(each["number"], each["val_error"], each["num_params"]) for each in told["front"]] == [
        (0, 8.0, 4000),
        (1, 12.0, 1000),
    ]
    assert lines[first].startswith("Front of val_error and num_params: 2 configurations at full epochs")
    assert lines[first + 1].split() == ["trial", "val_error", "num_params"]
    assert lines[first + 2].split()[1:] == ["8.00", "%", "4,000"]
    assert json.loads(json.dumps(told)) == told


def test_of_a_search_that_all_diverged_there_is_no_front() -> None:
    state = _state([(10, 1.0, [], "diverged")])
    moment, begun = state.sessions[0]
    state.sessions[0] = moment, dataclasses.replace(begun, space={"objectives": ["val_error", "macs"]})

    assert summary_dict(state, "x")["front"] == []
    assert "Front" not in summary_text(state, "x")
