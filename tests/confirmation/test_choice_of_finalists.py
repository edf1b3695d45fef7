"""The choice of finalists: by validation at full epochs alone, fixed by what is on record."""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.results.searches import metrics, proposed, search_started, started, timed
from wrn_search.confirmation.choice_of_finalists import (
    Rule,
    candidates,
    candidates_of,
    choice_of,
    front,
    same_choice_problems,
)
from wrn_search.confirmation.finalist import Finalist, finalists_of, fresh_seed
from wrn_search.confirmation.searches_to_confirm import Searched, named_trial
from wrn_search.errors import InputError
from wrn_search.results.event_lines import from_line, to_line
from wrn_search.results.events import Chosen, Completed, Diverged, Event, Failed, Reported, Stopped
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.seeds import derived_seed


def searched(
    *trials: tuple[int, int, float | None, str], shapes: Sequence[Mapping[str, Any]] = ()
) -> SearchState:
    """(configuration, repeat, validation error, status) of each trial, in order.

    Configurations differ in dropout, and by `shapes` in the fields of their networks too.
    """
    events: list[Event] = [search_started()]
    for number, (configuration, repeat, error, status) in enumerate(trials):
        shape = shapes[configuration] if shapes else {}
        told = proposed(
            number, configuration=configuration, repeat=repeat, dropout=configuration / 16, **shape
        )
        events += [told, started(number)]
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


def alone(state: SearchState) -> list[Searched]:
    """The only search that is to be confirmed."""
    return [Searched(state, state.search)]


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


def test_repeats_are_one_configuration_with_the_median_of_those_that_were_completed() -> None:
    state = searched(
        (0, 0, 4.0, "completed"),
        (0, 1, 8.0, "completed"),
        (1, 0, 5.0, "completed"),
        (1, 1, None, "failed"),
        (2, 0, 1.0, "completed"),
        (2, 1, None, "diverged"),  # counts as guessing: 90 %
    )
    found = [(each.configuration, each.number, each.estimate, each.repeats) for each in candidates(state)]
    assert found == [(0, 0, 6.0, 2), (1, 2, 5.0, 1), (2, 4, 45.5, 1)]  # one lucky seed does not come first


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
        (Rule(), [0]),  # all are of one network
        (Rule(top=9), [0]),
        (Rule(per_network=False), [0, 1, 2]),
        (Rule(top=9, per_network=False), [0, 1, 2, 3, 4]),
        (Rule(top=1, per_network=False), [0]),
        (Rule(pareto=True), [0]),  # all have one size
    ):
        chosen = choice_of(alone(state), rule, repeats=5, epochs=200)
        assert [each.configuration for each in finalists_of(chosen)] == expected
        assert (chosen.source, chosen.repeats, chosen.epochs) == (state.search_id, 5, 200)
        assert (chosen.configurations, chosen.per_network) == (5, rule.per_network is None)
        _, _, read = from_line(to_line(chosen, 1, 0.0))
        assert read == chosen


SHAPES = (
    {"depth": 16, "widen_factor": 4.0},
    {"depth": 16, "widen_factor": 4},  # the same network, another dropout
    {"depth": 16, "widen_factor": 2.0},
    {"depth": 10, "widen_factor": 4.0},
    {"depth": 16, "widen_factor": 4.0, "block": "B(3)", "deepening_factor": 1},
    {"depth": 10, "widen_factor": 4.0},
)


def test_one_finalist_a_network_is_its_best_configuration() -> None:
    errors = (2.0, 1.0, 3.0, 6.0, 4.0, 5.0)
    state = searched(*((number, 0, errors[number], "completed") for number in range(6)), shapes=SHAPES)
    for rule, expected in (
        (Rule(), [1, 2, 4]),
        (Rule(top=9), [1, 2, 4, 5]),
        (Rule(top=9, per_network=True), [1, 2, 4, 5]),
        (Rule(per_network=False), [1, 0, 2]),
        (Rule(pareto=True), [each.configuration for each in front(candidates(state))]),
    ):
        chosen = choice_of(alone(state), rule, repeats=5, epochs=4)
        assert [each.configuration for each in finalists_of(chosen)] == expected, rule


def with_repeats() -> SearchState:
    """Configurations 0 and 1 are whole, 2 was stopped, 3 lacks a repeat; trials 0 to 6."""
    return searched(
        (0, 0, 4.0, "completed"),
        (0, 1, 8.0, "completed"),
        (1, 0, 1.0, "completed"),
        (1, 1, None, "diverged"),
        (2, 0, 2.0, "stopped"),
        (2, 1, 2.0, "stopped"),
        (3, 0, 3.0, "completed"),
    )


def test_named_trials_name_their_configurations_and_validation_orders_them() -> None:
    state = with_repeats()
    for names, expected in (
        (("2", "0"), [0, 1]),
        (("1", "3"), [0, 1]),  # any repeat names its configuration
        (("trial_00002",), [1]),
        (("best",), [0]),  # the median counts the repeat that diverged as guessing
    ):
        chosen = choice_of(alone(state), Rule(trials=names), repeats=5, epochs=4)
        assert [each.configuration for each in finalists_of(chosen)] == expected
        assert (chosen.rule, chosen.top, chosen.per_network) == ("trials", 0, False)
        _, _, read = from_line(to_line(chosen, 1, 0.0))
        assert read == chosen


def test_named_trials_may_be_of_one_network() -> None:
    state = searched(*((number, 0, float(number + 1), "completed") for number in range(5)))
    chosen = choice_of(alone(state), Rule(trials=("4", "1", "3", "2")), repeats=5, epochs=4)
    assert [each.number for each in finalists_of(chosen)] == [1, 2, 3, 4]


UNREACHED = "--trials: a finalist must have been trained to its last epoch (4)"


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("0", "0"), ["--trials: must name each configuration once, but '0' and '0' are the same one"]),
        (
            ("0", "trial_00001"),
            ["--trials: must name each configuration once, but '0' and 'trial_00001' are"],
        ),
        (("0", "4"), [f"{UNREACHED}, but trial 4 has status stopped after epoch 1"]),
        (("6",), [f"{UNREACHED} in all repeats that others have, but of the same configuration trial 6 has"]),
        (
            ("7", "5", "best", "0"),
            [
                "--trials: must be best, a trial's number (0 to 6), its trial_id or its short name, but got '7'",
                f"{UNREACHED}, but trial 5 has status stopped",
                "--trials: must name each configuration once, but 'best' and '0' are the same one",
            ],
        ),
    ],
)
def test_names_of_no_finalist_are_refused_each(names: tuple[str, ...], told: list[str]) -> None:
    with pytest.raises(InputError) as error:
        choice_of(alone(with_repeats()), Rule(trials=names), 5, 4)
    lines = str(error.value).splitlines()
    assert len(lines) == len(told)
    for line, start in zip(lines, told, strict=True):
        assert line.startswith(start)


def test_two_configurations_with_the_same_hyperparameters_are_one() -> None:
    first, again = (proposed(number, seed=number) for number in range(2))
    ends: list[Event] = []
    for number in range(2):
        ends += [
            started(number),
            Reported(number, metrics(4, val_error=3.0), "node", "cpu"),
            Completed(number),
        ]
    state = fold(timed(search_started(), first, again, *ends))
    with pytest.raises(
        InputError, match="must name each configuration once, but '0' and '1' are the same one"
    ):
        choice_of(alone(state), Rule(trials=("0", "1")), 5, 4)


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        (Rule(top=3, trials=("0",)), ["--top"]),
        (Rule(pareto=True, per_network=False, trials=("0",)), ["--pareto", "--no-per-network"]),
        (Rule(per_network=True, trials=("0",)), ["--per-network"]),
    ],
)
def test_named_trials_leave_nothing_to_choose(rule: Rule, options: list[str]) -> None:
    with pytest.raises(InputError) as error:
        choice_of(alone(with_repeats()), rule, 5, 4)
    text = "must be left out where --trials names the finalists"
    assert str(error.value).splitlines() == [f"{option}: {text}" for option in options]


def test_a_search_without_a_full_trial_has_no_finalists() -> None:
    state = searched((0, 0, 5.0, "stopped"), (1, 0, None, "failed"))
    with pytest.raises(
        InputError, match=r"RESULTS: a trial must have been trained to its last epoch \(4\), but none"
    ):
        choice_of(alone(state), Rule(), 5, 4)


def damaged(**changes: Any) -> dict[str, Any]:
    chosen = choice_of(alone(searched((0, 0, 5.0, "completed"))), Rule(), 5, 4)
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
    chosen = choice_of(alone(searched((0, 0, 5.0, "completed"))), Rule(), 5, 4)
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
        (Rule(per_network=True), None, None, []),
        (Rule(per_network=False), None, None, ["--no-per-network"]),
        (Rule(trials=("0",)), None, None, ["--trials"]),  # who named them is on record too
    ],
)
def test_only_options_that_are_given_and_differ_ask_for_another_choice(
    rule: Rule, repeats: int | None, epochs: int | None, expected: list[str]
) -> None:
    state = searched((0, 0, 5.0, "completed"))
    chosen = choice_of(alone(state), Rule(), 5, 4)
    assert same_choice_problems(chosen, alone(state), rule, repeats, epochs) == expected


def several(*states: SearchState, labels: Sequence[str] = ("a", "b", "c")) -> list[Searched]:
    """Searches of ids a, b, ... in results/a, results/b, ..."""
    return [
        Searched(
            dataclasses.replace(state, search_id=name, search=label),
            label,
            ResultsDirectory(f"results/{name}"),
        )
        for state, label, name in zip(states, labels, "abc", strict=False)
    ]


def two_searches() -> list[Searched]:
    """Networks of depth 10, 16 and 22: a has 3, 1 and 5 %, b has 2, 4 and 4 %."""
    shapes = [{"depth": depth} for depth in (10, 16, 22)]
    errors = ((3.0, 1.0, 5.0), (2.0, 4.0, 4.0))
    states = [
        searched(*((place, 0, error, "completed") for place, error in enumerate(each)), shapes=shapes)
        for each in errors
    ]
    for trial in states[1].trials.values():
        trial.config = trial.config | {"dropout": 0.5}
    return several(*states)


def test_finalists_of_several_searches_are_chosen_together() -> None:
    searches = two_searches()
    for rule, expected in (
        (Rule(top=2), [("a", 1), ("b", 0)]),
        (Rule(), [("a", 1), ("b", 0), ("b", 2)]),  # one of each network, from wherever it is best
        (Rule(top=4, per_network=False), [("a", 1), ("b", 0), ("a", 0), ("b", 1)]),
        (Rule(trials=("b:1", "a:0")), [("a", 0), ("b", 1)]),
        (Rule(trials=("results/b:best", "a:trial_00002")), [("b", 0), ("a", 2)]),
    ):
        chosen = choice_of(searches, rule, repeats=5, epochs=4)
        assert [(each.source, each.number) for each in finalists_of(chosen)] == expected
        assert (chosen.source, chosen.configurations, list(chosen.sources)) == ("a", 6, ["a", "b"])
        _, _, read = from_line(to_line(chosen, 1, 0.0))
        assert read == chosen
        assert same_choice_problems(chosen, searches, rule, 5, 4) == []


def test_what_two_searches_had_tried_alike_is_one_finalist() -> None:
    state = searched((0, 0, 3.0, "completed"), (1, 0, 5.0, "completed"))
    other = searched((0, 0, 2.0, "completed"))
    searches = several(state, other)
    assert [(each.source, each.number) for each in candidates_of(searches)] == [("b", 0), ("a", 1)]
    for name in ("a:0", "b:0"):
        (named,) = finalists_of(choice_of(searches, Rule(trials=(name,)), 5, 4))
        assert (named.source, named.number) == ("b", 0)
    with pytest.raises(InputError, match="'a:0' and 'b:0' are the same one"):
        choice_of(searches, Rule(trials=("a:0", "b:0")), 5, 4)


@pytest.mark.parametrize(
    ("labels", "name", "told"),
    [
        (("a", "b"), "3", r"must name a search \(a, b\) and a trial of it, such as a:3, but got '3'"),
        (("a", "b"), "x:3", r"must name a search \(a, b\) and a trial of it, such as a:3, but got 'x:3'"),
        (("a", "b"), "b:9", r"must be best, a trial's number \(0 to 2\).*, but got '9' of b"),
        (("s", "s"), "s:1", r"must name one search, by its directory .*'s' of 's:1' is the name of 2"),
    ],
)
def test_a_trial_of_several_searches_needs_its_search(labels, name: str, told: str) -> None:
    searches = several(*(each.state for each in two_searches()), labels=labels)
    with pytest.raises(InputError, match=f"^--trials: {told}"):
        choice_of(searches, Rule(trials=(name,)), 5, 4)


def test_the_only_search_may_be_named_too() -> None:
    (search, _) = two_searches()
    assert [named_trial([search], name)[1].number for name in ("1", "a:1", "results/a:1")] == [1, 1, 1]


def test_finalists_that_earlier_versions_chose_are_read() -> None:
    """They knew one search alone, and named none of its own."""
    chosen = choice_of(alone(searched((0, 0, 5.0, "completed"))), Rule(), 5, 4)
    before = {
        place: {k: v for k, v in each.items() if k != "source"} for place, each in chosen.finalists.items()
    }
    (finalist,) = finalists_of(dataclasses.replace(chosen, finalists=before, sources={}))
    assert finalist.source == ""


def _minimising(state: SearchState, *objectives: str) -> SearchState:
    """The same search, which had these objectives."""
    moment, begun = state.sessions[0]
    state.sessions[0] = moment, dataclasses.replace(begun, space={"objectives": list(objectives)})
    return state


# The middle one has fewer parameters than the first, and more multiply-adds.
_THREE = [
    {"depth": 16, "widen_factor": 0.5},
    {"depth": 10, "widen_factor": 0.75},
    {"depth": 10, "widen_factor": 0.5},
]


def test_the_front_is_that_of_the_objectives_of_the_search() -> None:
    trials = [(0, 0, 3.0, "completed"), (1, 0, 4.0, "completed"), (2, 0, 5.0, "completed")]
    rule = Rule(pareto=True)

    def chosen(*objectives: str) -> list[int]:
        state = _minimising(searched(*trials, shapes=_THREE), *objectives)  # type: ignore[arg-type]
        found = choice_of(alone(state), rule, 2, 4)
        _, _, read = from_line(to_line(found, 1, 0.0))
        assert isinstance(read, Chosen)
        return [each.configuration for each in finalists_of(read)]

    sizes = [each.num_params for each in candidates(searched(*trials, shapes=_THREE))]  # type: ignore[arg-type]
    macs = [
        each.costs["macs"]
        for each in candidates(_minimising(searched(*trials, shapes=_THREE), "val_error", "macs"))  # type: ignore[arg-type]
    ]
    by_size = [place for place in range(3) if all(sizes[place] < sizes[other] for other in range(place))]
    by_macs = [place for place in range(3) if all(macs[place] < macs[other] for other in range(place))]

    assert (by_size, by_macs) == ([0, 1, 2], [0, 2])
    assert chosen("val_error") == chosen("val_error", "num_params") == by_size
    assert chosen("macs", "val_error") == by_macs


def test_searches_with_other_objectives_have_no_front_together() -> None:
    a = Searched(_minimising(searched((0, 0, 3.0, "completed")), "val_error", "macs"), "a")
    b = Searched(searched((0, 0, 3.0, "completed")), "b")
    with pytest.raises(
        InputError, match=r"same objectives, but got a: \[val_error, macs\]; b: \[val_error\]"
    ):
        choice_of([a, b], Rule(pareto=True), 2, 4)
    assert choice_of([a, b], Rule(top=1), 2, 4).finalists


def test_a_recorded_finalist_with_costs_that_are_no_numbers_is_damaged() -> None:
    state = _minimising(searched((0, 0, 3.0, "completed")), "val_error", "macs")
    found = choice_of(alone(state), Rule(pareto=True), 2, 4)
    found.finalists["1"]["costs"] = {"macs": "many"}
    with pytest.raises(InputError, match="finalist 1 has other values"):
        finalists_of(found)
