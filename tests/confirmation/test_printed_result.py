"""What a confirmation says: medians with their coverage, the winner's curse, and a winner that no test error chose."""

from __future__ import annotations

import dataclasses
import itertools
import json
from typing import Any

import pytest

from tests.results.searches import metrics, proposed, search_started, started, timed, trial_config
from wrn_search.analysis.statistics.fresh_seeds import coverage
from wrn_search.confirmation.confirmed_finalists import confirmed
from wrn_search.confirmation.printed_result import confirmed_dict, confirmed_text
from wrn_search.results import events
from wrn_search.results.state_from_events import SearchState, fold

REPEATS = 3
FRESH = {0: [2.0, 1.0, 4.0], 2: [5.0, 6.0, 9.0]}  # configuration -> validation errors
TEST = {1: [3.0, 2.5, 7.0], 3: [0.5, 0.25, 1.0]}  # the second finalist looks better here


def choice(**changes: Any) -> events.Chosen:
    def finalist(number: int, estimate: float) -> dict[str, Any]:
        return {
            "number": number,
            "configuration": number,
            "hparams": {"depth": 16},
            "config": trial_config().to_dict(),
            "num_params": 1000,
            "estimate": estimate,
            "repeats": 1,
        }

    made = events.Chosen("0123", "top", 3, REPEATS, 4, 9, {"1": finalist(7, 1.0), "2": finalist(2, 1.5)})
    return dataclasses.replace(made, **changes)


def state_of(
    *, lost: int | None = None, left: bool = False, by_class: bool = False, **changes: Any
) -> SearchState:
    """The whole confirmation; without the end of trial `lost`, or without its last trial.

    `by_class`: of 100 cats and 200 dogs all wrong answers are of cats.
    """
    details = {"dataset": {"class_names": ["cat", "dog | \x1b"]}} if by_class else {}
    begun = dataclasses.replace(search_started(), details=details)
    happened: list[events.Event] = [begun, choice(**changes)]
    for number in range(4 * REPEATS - left):
        configuration, repeat = divmod(number, REPEATS)
        happened += [proposed(number, configuration=configuration, repeat=repeat), started(number)]
        if number == lost:
            happened.append(events.Diverged(number, 2, "training loss must be finite, but got nan"))
        elif configuration in FRESH:
            told = metrics(4, val_error=FRESH[configuration][repeat])
            happened += [events.Reported(number, told, "node", "cpu"), events.Completed(number)]
        else:
            told = metrics(4, val_error=None, val_loss=None)
            error = TEST[configuration][repeat]
            counts = {"images": [100, 200], "wrong": [round(3 * error), 0]} if by_class else {}
            tested = events.Tested(number, 0.1, error, 300, counts)
            happened += [events.Reported(number, told, "node", "cpu"), events.TestOpened(number), tested]
            happened.append(events.Completed(number))
    return fold(timed(*happened, events.SearchEnded("finished")))


def test_the_errors_of_each_class_are_told_with_their_intervals() -> None:
    state = state_of(by_class=True)
    told = confirmed_dict(confirmed(state), state, "results/x/confirm")
    cat, dog = told["finalists"][0]["test_error_by_class"]
    assert (cat["class"], cat["images"], cat["errors"]) == ("cat", 100, [9.0, 8.0, 21.0])
    assert cat["error"] == pytest.approx(38 / 3)
    assert dog["errors"] == [0.0, 0.0, 0.0]
    assert dog["interval"] == [0.0, pytest.approx(100 * 3.8415 / 203.8415, abs=0.001)]  # Wilson at 0 of 200
    assert json.loads(json.dumps(told)) == told
    lines = confirmed_text(confirmed(state), state, "results/x/confirm").splitlines()
    (head,) = [
        at for at, line in enumerate(lines) if line.startswith("Test error (%) of each class, mean of 3 ")
    ]
    assert lines[head + 1].split() == ["class", "images", "finalist", "1", "finalist", "2"]
    assert lines[head + 2].startswith("  cat ")
    assert lines[head + 2].split()[1:3] == ["100", "12.67"]
    assert "\x1b" not in lines[head + 3]


def test_an_older_confirmation_tells_no_classes() -> None:
    state = state_of()
    told = confirmed_dict(confirmed(state), state, "results/x/confirm")
    assert [each["test_error_by_class"] for each in told["finalists"]] == [[], []]
    assert "each class" not in confirmed_text(confirmed(state), state, "results/x/confirm")


@pytest.mark.parametrize("n", range(1, 9))
def test_coverage_is_that_of_counting_all_cases(n: int) -> None:
    """Each value lies below or above the median with equal chance: enclosed unless all lie on one side."""
    cases = list(itertools.product((False, True), repeat=n))
    enclosed = sum(any(case) and not all(case) for case in cases)
    assert coverage(n) == pytest.approx(100 * enclosed / len(cases))


def test_five_seeds_cover_the_median_with_93_75_percent() -> None:
    assert coverage(5) == 93.75
    assert coverage(0) == 0


def test_every_finalist_has_its_median_range_and_winners_curse() -> None:
    found = confirmed(state_of())
    first, second = found.finalists
    assert (first.validation.median, second.validation.median) == (2.0, 6.0)
    assert (first.winners_curse, second.winners_curse) == (1.0, 4.5)
    assert (first.test.median, second.test.median) == (3.0, 0.5)
    assert first.test.text == "3.00 (2.50 to 7.00)"
    assert (found.test_reads, found.tested, found.test_images, found.left) == (6, 6, 300, 0)


def test_the_winner_is_whom_validation_named_though_another_has_the_lower_test_error() -> None:
    state = state_of()
    told = confirmed_dict(confirmed(state), state, "results/x/confirm")
    assert [each["winner"] for each in told["finalists"]] == [True, False]
    assert told["winner"].startswith("007_")
    assert told["finalists"][1]["test_error"]["max"] < told["finalists"][0]["test_error"]["min"]
    assert told["coverage"] == 75
    assert told["complete"] is True
    assert json.loads(json.dumps(told)) == told
    text = confirmed_text(confirmed(state), state, "results/x/confirm")
    assert "The winner is finalist 1, 007_" in text
    assert "they cover the median with 75 %" in text
    assert (
        "winner's curse +1.00 points (-3.23 to +5.23): validation error 2.00 % with fresh seeds, where the search had "
        "seen 1.00 %" in text
    )
    assert "The test split was read 6 times for 6 networks" in text
    assert text.splitlines()[-1] == "Results: results/x/confirm"


@pytest.mark.parametrize(
    ("changes", "how", "winner", "chosen_by"),
    [
        (
            {},
            "chosen by validation before any was retrained (lowest validation error)",
            "as validation named it",
            "validation",
        ),
        (
            {"per_network": True},
            "chosen by validation before any was retrained (lowest validation error, the best configuration of each "
            "network)",
            "as validation named it",
            "validation",
        ),
        (
            {"rule": "trials", "top": 0},
            "named by their trials before any was retrained, in the order of validation",
            "the best by validation of those that were named",
            "user",
        ),
    ],
)
def test_how_the_finalists_came_to_be_is_told(
    changes: dict[str, Any], how: str, winner: str, chosen_by: str
) -> None:
    state = fold(timed(search_started(), choice(**changes)))
    text = confirmed_text(confirmed(state), state, "x")
    assert text.splitlines()[0].endswith(how)
    assert f"_p0.30_wd5e-4, {winner}; test errors choose nothing." in text
    told = confirmed_dict(confirmed(state), state, "x")
    assert (told["chosen_by"], told["per_network"]) == (chosen_by, bool(changes.get("per_network")))
    assert told["top"] == (changes.get("top", 3) or None)


def test_a_lost_retraining_is_missing_from_n_and_told() -> None:
    state = state_of(lost=4)  # of the winner, trained on all images
    found = confirmed(state)
    assert found.finalists[0].test.to_dict()["n"] == 2
    text = confirmed_text(found, state, "x")
    assert "5.00 (3.00 to 7.00) n=2, 50 %" in text
    assert "Retrainings without an error: 1 diverged" in text
    assert "read 5 times for 5 networks" in text


def test_an_unfinished_confirmation_says_what_is_left() -> None:
    state = state_of(left=True)
    found = confirmed(state)
    assert found.left == 1
    assert "Not finished: 1 retrainings are left; the same command goes on with them." in confirmed_text(
        found, state, "x"
    )
    assert confirmed_dict(found, state, "x")["complete"] is False


def test_nothing_retrained_yet_is_no_failure() -> None:
    state = fold(timed(search_started(), choice()))
    text = confirmed_text(confirmed(state), state, "x")
    assert (
        "test error"
        not in text.partition("The winner is")[2].partition("choose nothing")[2].partition("Not finished")[0]
    )
    assert confirmed_dict(confirmed(state), state, "x")["finalists"][0]["winners_curse"] is None


def with_fresh(first: list[float], second: list[float], **changes: Any) -> SearchState:
    """A whole confirmation, or one that lacks its last retrainings on the split, with these fresh errors."""
    happened: list[events.Event] = [search_started(), choice(winner="fresh_median", **changes)]
    for number in range(4 * REPEATS):
        configuration, repeat = divmod(number, REPEATS)
        happened += [proposed(number, configuration=configuration, repeat=repeat), started(number)]
        if configuration % 2:
            told = metrics(4, val_error=None, val_loss=None)
            tested = events.Tested(number, 0.1, TEST[configuration][repeat], 300)
            happened += [events.Reported(number, told, "node", "cpu"), events.TestOpened(number), tested]
        else:
            error = (second if configuration else first)[repeat]
            if error < 0:
                continue  # still trains
            happened.append(events.Reported(number, metrics(4, val_error=error), "node", "cpu"))
        happened.append(events.Completed(number))
    return fold(timed(*happened))


def test_the_lowest_fresh_median_names_finalist_1_whatever_the_search_and_the_test_split_say() -> None:
    state = with_fresh([5.0, 6.0, 9.0], [2.0, 1.0, 4.0])
    found = confirmed(state)
    assert [(each.place, each.chosen_place, each.number) for each in found.finalists] == [
        (1, 2, 2),
        (2, 1, 7),
    ]
    told = confirmed_dict(found, state, "x")
    assert [each["winner"] for each in told["finalists"]] == [True, False]
    assert (told["winner"][:4], told["winner_rule"]) == ("002_", "fresh_median")
    text = confirmed_text(found, state, "x")
    assert "The winner is finalist 1, 002_" in text
    assert "the lowest median of fresh validation errors, a rule on record before any was retrained" in text


def test_no_winner_is_named_while_a_fresh_error_is_to_come() -> None:
    state = with_fresh([5.0, 6.0, 9.0], [2.0, 1.0, -1.0])
    told = confirmed_dict(confirmed(state), state, "x")
    assert told["winner"] is None
    assert not any(each["winner"] for each in told["finalists"])
    assert "The winner is named when all retrainings on the search's own images have ended" in confirmed_text(
        confirmed(state), state, "x"
    )


def test_the_curse_has_an_interval_and_finalists_are_compared_by_a_test_not_by_ranges() -> None:
    """Ranges apart, 4.1 to 7 above 1 to 4: with three seeds each that is no proof, and with tight ones it is."""
    loose = confirmed(with_fresh([1.0, 2.5, 4.0], [4.1, 5.5, 7.0]))
    tight = confirmed(with_fresh([1.9, 2.0, 2.1], [4.9, 5.0, 5.1]))
    for found, verdict in ((loose, "not told from the winner"), (tight, "worse")):
        assert f"finalist 2 +3.00 points ({'-' if found is loose else '+'}" in confirmed_text(
            found, state_of(), "x"
        )
        assert f"above it: {verdict}" in confirmed_text(found, state_of(), "x")
        low, high = found.finalists[0].curse_interval(found.spread) or (0, 0)
        assert low < found.finalists[0].winners_curse < high
    assert found.spread is not None
    assert found.spread.freedom == 4


def test_a_diverged_retraining_counts_as_guessing_when_the_winner_is_named() -> None:
    happened: list[events.Event] = [search_started(), choice(winner="fresh_median")]
    errors = {0: [1.0, None, None], 2: [5.0, 6.0, 7.0]}
    for number in range(4 * REPEATS):
        configuration, repeat = divmod(number, REPEATS)
        happened += [proposed(number, configuration=configuration, repeat=repeat), started(number)]
        if configuration in errors:
            error = errors[configuration][repeat]
            if error is None:
                happened.append(events.Diverged(number, 2, "nan"))
                continue
            happened += [events.Reported(number, metrics(4, val_error=error), "node", "cpu")]
        happened.append(events.Completed(number))
    assert [each.chosen_place for each in confirmed(fold(timed(*happened))).finalists] == [2, 1]
