"""The choice of finalists: by validation at full epochs alone, fixed by what is on record."""

from __future__ import annotations

import dataclasses
import itertools
import random
from typing import Any

import pytest

from tests.results.searches import metrics, proposed, search_started, started, timed
from wrn_search.confirmation.choice_of_finalists import (
    Finalist,
    Rule,
    candidates,
    choice_of,
    finalists_of,
    fresh_seed,
    front,
    same_choice_problems,
)
from wrn_search.errors import InputError
from wrn_search.results.event_lines import from_line, to_line
from wrn_search.results.events import Completed, Diverged, Event, Failed, Reported, Stopped
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.seeds import derived_seed


def searched(*trials: tuple[int, int, float | None, str]) -> SearchState:
    """(configuration, repeat, validation error, status) of each trial, in order."""
    events: list[Event] = [search_started()]
    for number, (configuration, repeat, error, status) in enumerate(trials):
        events += [proposed(number, configuration=configuration, repeat=repeat), started(number)]
        if error is not None:
            events.append(Reported(number, metrics(4, val_error=error), "node", "cpu"))
        ends: dict[str, Event | None] = {
            "completed": Completed(number),
            "stopped": Stopped(number, 4, "worse"),
            "diverged": Diverged(number, 1, "nan"),
            "failed": Failed(number, "broken"),
            "running": None,
        }
        if (end := ends[status]) is not None:
            events.append(end)
    return fold(timed(*events))


def test_the_lowest_full_errors_come_first_and_the_earlier_of_equals() -> None:
    state = searched(
        (0, 0, 5.0, "completed"),
        (1, 0, 1.0, "stopped"),  # not at full epochs, however low
        (2, 0, 3.0, "completed"),
        (3, 0, 3.0, "completed"),
        (4, 0, None, "diverged"),
        (5, 0, None, "failed"),
        (6, 0, 0.5, "running"),
    )
    assert [(each.configuration, each.estimate) for each in candidates(state)] == [
        (2, 3.0),
        (3, 3.0),
        (0, 5.0),
    ]


def test_repeats_are_one_configuration_with_the_mean_of_those_that_were_completed() -> None:
    state = searched(
        (0, 0, 4.0, "completed"),
        (0, 1, 8.0, "completed"),
        (1, 0, 5.0, "completed"),
        (1, 1, None, "failed"),
        (2, 0, 1.0, "completed"),
        (2, 1, None, "diverged"),  # counts as guessing: 90 %
    )
    found = [(each.configuration, each.number, each.estimate, each.repeats) for each in candidates(state)]
    assert found == [(1, 2, 5.0, 1), (0, 0, 6.0, 2), (2, 4, 45.5, 1)]


def test_a_seed_that_outlived_the_others_is_no_candidate() -> None:
    """Versions that stopped repeats one by one left the lucky ones; of one in progress little is known."""
    state = searched(
        (0, 0, 4.0, "completed"),
        (0, 1, 8.0, "completed"),
        (1, 0, 1.0, "completed"),
        (1, 1, 2.0, "stopped"),
        (2, 0, 1.0, "completed"),
        (2, 1, 2.0, "running"),
    )
    assert [(each.configuration, each.estimate) for each in candidates(state)] == [(0, 6.0)]
    without = {number: trial for number, trial in state.trials.items() if trial.configuration}
    assert [each.configuration for each in candidates(dataclasses.replace(state, trials=without))] == [2]


def finalist(configuration: int, estimate: float, num_params: int) -> Finalist:
    return Finalist(configuration, configuration, {}, {}, num_params, estimate, 1)


def test_the_front_is_that_of_brute_force() -> None:
    generator = random.Random(0)
    for _ in range(200):
        points = [
            finalist(number, generator.randint(1, 6), generator.randint(1, 6))
            for number in range(generator.randint(1, 12))
        ]
        ordered = sorted(points, key=lambda each: (each.estimate, each.configuration))
        # A second way: walk from the smallest network up and keep each strict improvement of the error.
        by_size = sorted(points, key=lambda each: (each.num_params, each.estimate, each.configuration))
        lowest = list(itertools.accumulate((each.estimate for each in by_size), min))
        kept = [each for place, each in enumerate(by_size) if place == 0 or each.estimate < lowest[place - 1]]
        assert front(ordered) == sorted(kept, key=lambda each: (each.estimate, each.configuration))


def test_top_and_pareto_choose_and_are_recorded_whole() -> None:
    state = searched(*((number, 0, float(number + 1), "completed") for number in range(5)))
    for rule, expected in (
        (Rule(), [0, 1, 2]),
        (Rule(top=9), [0, 1, 2, 3, 4]),
        (Rule(top=1), [0]),
        (Rule(pareto=True), [0]),  # all have one size
    ):
        chosen = choice_of(state, rule, repeats=5, epochs=200)
        assert [each.configuration for each in finalists_of(chosen)] == expected
        assert (chosen.source, chosen.repeats, chosen.epochs) == (state.search_id, 5, 200)
        assert chosen.configurations == 5
        _, _, read = from_line(to_line(chosen, 1, 0.0))
        assert read == chosen


def test_a_search_without_a_full_trial_has_no_finalists() -> None:
    state = searched((0, 0, 5.0, "stopped"), (1, 0, None, "failed"))
    with pytest.raises(
        InputError, match=r"RESULTS: a trial must have been trained to its last epoch \(4\), but none"
    ):
        choice_of(state, Rule(), 5, 4)


def damaged(**changes: Any) -> dict[str, Any]:
    chosen = choice_of(searched((0, 0, 5.0, "completed")), Rule(), 5, 4)
    return {"1": {**chosen.finalists["1"], **changes}}


@pytest.mark.parametrize(
    ("finalists", "message"),
    [
        ({}, "places"),
        ({"2": damaged()["1"]}, "places"),
        (damaged(more=1), "finalist 1 has other fields"),
        ({"1": 3}, "finalist 1 has other fields"),
        (damaged(estimate="low"), "finalist 1 has other values"),
        (damaged(hparams=[]), "finalist 1 has other values"),
        (damaged(config={}), "must have the fields of a trial's config"),
        (damaged(config=3), "has no config"),
    ],
)
def test_a_damaged_choice_is_refused(finalists: dict[str, Any], message: str) -> None:
    chosen = choice_of(searched((0, 0, 5.0, "completed")), Rule(), 5, 4)
    with pytest.raises(InputError, match=f"the recorded choice must be as confirm wrote it.*{message}"):
        finalists_of(dataclasses.replace(chosen, finalists=finalists), "events.jsonl")


def test_fresh_seeds_differ_from_each_other_and_from_all_that_the_search_used() -> None:
    of_the_search = {
        derived_seed(0, "trial", configuration, repeat) for configuration in range(50) for repeat in range(5)
    }
    used = dict.fromkeys(of_the_search)
    for configuration in range(20):
        for kind in ("split", "joined"):
            for repeat in range(5):
                seed = fresh_seed(0, configuration, kind, repeat, used)
                assert seed not in used
                used[seed] = None
    first = fresh_seed(0, 3, "split", 0, {})
    assert fresh_seed(0, 3, "split", 0, {first: 0}) != first  # a collision is evaded
    assert fresh_seed(0, 3, "split", 0, {}) == first  # and nothing else moves it


@pytest.mark.parametrize(
    ("rule", "repeats", "epochs", "expected"),
    [
        (Rule(), None, None, []),
        (Rule(top=3), 5, 4, []),
        (Rule(top=2), None, None, ["--top"]),
        (Rule(pareto=True), None, None, ["--pareto"]),
        (Rule(), 6, 5, ["--repeats", "--epochs"]),
    ],
)
def test_only_options_that_are_given_and_differ_ask_for_another_choice(
    rule: Rule, repeats: int | None, epochs: int | None, expected: list[str]
) -> None:
    chosen = choice_of(searched((0, 0, 5.0, "completed")), Rule(), 5, 4)
    assert same_choice_problems(chosen, rule, repeats, epochs) == expected
