"""The choice of stopped trials: spread over the cells, the same for the same seed, and only ever added to."""

from __future__ import annotations

from collections import Counter

import pytest

from wrn_search.audit.choice_of_stopped_trials import next_to_audit
from wrn_search.results.trial_state import TrialState


def trial(number: int, depth: int, width: float) -> TrialState:
    config = {"depth": depth, "widen_factor": width}
    return TrialState(number, f"{number:05d}-x", number, 0, {}, config, 1, 1, status="stopped")


# 20 trials of one cell, 4 of a second, 1 of a third.
TRIALS = [trial(n, *((10, 1.0) if n < 20 else (16, 0.5) if n < 24 else (10, 0.5))) for n in range(25)]


def chosen(
    count: int, seed: int = 0, trials: list[TrialState] = TRIALS, begun: tuple[str, ...] = ()
) -> list[str]:
    taken = list(begun)
    while len(taken) < count and (found := next_to_audit(trials, taken, seed)) is not None:
        taken.append(found.trial_id)
    return taken


def cells(ids: list[str]) -> list[int]:
    by_id = {each.trial_id: (each.config["depth"], each.config["widen_factor"]) for each in TRIALS}
    return sorted(Counter(by_id[each] for each in ids).values())


@pytest.mark.parametrize(
    ("count", "found"), [(3, [1, 1, 1]), (5, [1, 2, 2]), (9, [1, 4, 4]), (25, [1, 4, 20]), (99, [1, 4, 20])]
)
def test_cells_get_equally_many_as_long_as_they_have_some(count: int, found: list[int]) -> None:
    assert cells(chosen(count)) == found


def test_it_follows_from_the_seed_and_not_from_the_order_of_the_trials() -> None:
    assert chosen(9, trials=TRIALS[::-1]) == chosen(9)
    assert len({tuple(chosen(9, seed)) for seed in range(20)}) == 20


def test_every_trial_of_a_cell_is_as_likely() -> None:
    first = Counter(int(chosen(1, seed, TRIALS[:20])[0][:5]) for seed in range(2000))
    assert len(first) == 20
    assert sum((n - 100) ** 2 / 100 for n in first.values()) < 43.8  # chi-square, 19 degrees, 99.9 %


def test_a_search_that_went_on_adds_to_what_was_taken() -> None:
    before = tuple(chosen(4, trials=TRIALS[:22]))
    after = chosen(7, begun=before)
    assert tuple(after[:4]) == before
    assert len(set(after)) == 7
