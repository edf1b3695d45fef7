"""What a confirmation says: medians with their coverage, the winner's curse, and a winner that no test error chose."""

from __future__ import annotations

import dataclasses
import itertools
import json
from typing import Any

import pytest

from tests.results.searches import metrics, proposed, search_started, started, timed, trial_config
from wrn_search.confirmation.printed_result import confirmed, confirmed_dict, confirmed_text, coverage
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


def state_of(*, lost: int | None = None, left: bool = False) -> SearchState:
    """The whole confirmation; without the end of trial `lost`, or without its last trial."""
    happened: list[events.Event] = [search_started(), choice()]
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
            tested = events.Tested(number, 0.1, TEST[configuration][repeat], 300)
            happened += [events.Reported(number, told, "node", "cpu"), events.TestOpened(number), tested]
            happened.append(events.Completed(number))
    return fold(timed(*happened, events.SearchEnded("finished")))


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
        "winner's curse +1.00 points: validation error 2.00 % with fresh seeds, where the search had seen 1.00 %"
        in text
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
