"""The simulated clock against schedules worked out by hand."""

from __future__ import annotations

from dataclasses import replace

from tests.replay.hand_made import InOrder, curve, falling, table_of
from wrn_search.replay.simulated_clock import Begun, Incumbent, play


def test_one_worker_trains_one_after_the_other() -> None:
    table = table_of({0.0: curve(9, 8), 0.5: curve(7, 6), 1.0: curve(5, 4)})
    player = InOrder(table)
    played = play(player, table, workers=1, budget=100)
    assert player.heard == [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (2, 2)]
    assert (played.epochs, played.time) == (6, 6.0)
    assert played.counts == {"completed": 3, "stopped": 0, "diverged": 0, "unfinished": 0}


def test_two_workers_finish_in_the_order_of_their_epochs() -> None:
    """Epochs of 2 s, 3 s and 1 s: trial 0 ends at 4, trial 1 at 6, trial 2 begins at 4 and ends at 6, entered later.

    time   2      3      4      5      6      6
           (0,1)  (1,1)  (0,2)  (2,1)  (1,2)  (2,2)
    """
    table = table_of({0.0: curve(9, 8, seconds=2), 0.5: curve(7, 6, seconds=3), 1.0: curve(5, 4, seconds=1)})
    player = InOrder(table)
    played = play(player, table, workers=2, budget=100)
    assert player.heard == [(0, 1), (1, 1), (0, 2), (2, 1), (1, 2), (2, 2)]
    assert played.time == 6.0


def test_a_stop_frees_the_worker_at_once() -> None:
    """Trial 0 is stopped at 2 s; trial 2 takes its place until 4 s, while trial 1 trains until 6 s."""
    table = table_of({0.0: curve(9, 8, seconds=2), 0.5: curve(7, 6, seconds=3), 1.0: curve(5, 4, seconds=1)})
    player = InOrder(table, stops={0: 1})
    played = play(player, table, workers=2, budget=100)
    assert player.heard == [(0, 1), (1, 1), (2, 1), (2, 2), (1, 2)]
    assert played.end == {0: "stopped", 2: "completed", 1: "completed"}
    assert played.last_epoch == {0: 1, 1: 2, 2: 2}


def test_the_budget_ends_a_play_to_the_epoch() -> None:
    table = falling(5, epochs=4)
    for budget in (1, 3, 4, 7, 20):
        played = play(InOrder(table), table, workers=2, budget=budget)
        assert played.epochs == budget
    assert play(InOrder(table), table, workers=2, budget=1000).epochs == 20


def test_a_diverging_epoch_takes_time_and_is_no_epoch() -> None:
    table = table_of({0.0: curve(9, seconds=2, diverged=True), 1.0: curve(5, 4, seconds=1)})
    player = InOrder(table)
    played = play(player, table, workers=1, budget=100)
    assert player.broken == [0]
    assert (played.epochs, played.time) == (3, 6.0)
    assert played.counts == {"completed": 1, "stopped": 0, "diverged": 1, "unfinished": 0}


def test_what_diverges_in_its_first_epoch_has_none() -> None:
    table = table_of({0.0: curve(diverged=True), 1.0: curve(5, 4)})
    played = play(InOrder(table), table, workers=1, budget=100)
    assert played.last_epoch == {1: 2}
    assert played.end == {0: "diverged", 1: "completed"}


def test_who_goes_beyond_what_is_recorded_is_heard_of_no_more() -> None:
    """It keeps its worker: of two workers one is left for the others."""
    table = table_of({0.0: curve(9), 0.5: curve(5, 4), 1.0: curve(3, 2)})
    player = InOrder(table)
    played = play(player, table, workers=2, budget=100)
    assert played.unrecorded == [(0, 2)]
    assert player.heard == [(0, 1), (1, 1), (1, 2), (2, 1), (2, 2)]
    assert played.counts == {"completed": 2, "stopped": 0, "diverged": 0, "unfinished": 1}


def test_named_best_is_the_lowest_at_equal_epochs() -> None:
    """One worker: A 9 8, B 7 8.5, C 5 4. B's first epoch counts no more after A's end; C's end is lower."""
    table = table_of({0.0: curve(9, 8), 0.5: curve(7, 8.5), 1.0: curve(5, 4)})
    assert play(InOrder(table), table, workers=1, budget=100).named == [(1, 1.0, 0), (6, 6.0, 2)]


def test_who_is_merely_ahead_is_not_better() -> None:
    """Two workers, B faster and worse than A at epoch 1, where A is named: B's second epoch does not make it best."""
    table = table_of({0.0: curve(5, 4, 3, seconds=1.1), 1.0: curve(9, 8, 7)})
    assert play(InOrder(table), table, workers=2, budget=100).named == [(1, 1.0, 1), (2, 1.1, 0)]


def test_who_goes_further_than_one_that_was_left_is_named() -> None:
    """A is lower at epoch 1 and stopped there; B ends higher, but it has an end."""
    table = table_of({0.0: curve(5, 4, 3), 1.0: curve(9, 8, 7)})
    played = play(InOrder(table, stops={0: 1}), table, workers=1, budget=100)
    assert played.named == [(1, 1.0, 0), (3, 3.0, 1)]


def test_repeats_count_together() -> None:
    """Two repeats of a configuration: it is named with their mean, 9, when both have arrived; not with the one's 2."""
    best = Incumbent(chance_error=90.0)
    for place, errors in ((0, 10.0), (1, 2.0), (1, 16.0)):
        best.begun(Begun(place, place, curve(errors)))
        best.trains(place, 1)
    assert best.reported(0, 1)
    assert not best.reported(1, 1)
    assert best.reported(1, 1)
    assert best.configuration == 1


def test_a_repeat_that_diverged_counts_with_the_error_of_chance() -> None:
    """Nobody waits for the one that ended at epoch 1; the other's 10 is then the mean of 10 and 90."""
    diverged = replace(curve(30.0), diverged=True)
    best = Incumbent(chance_error=90.0)
    best.begun(Begun(0, 0, curve(40.0, 45.0)))
    best.trains(0, 2)
    best.begun(Begun(1, 1, curve(20.0, 10.0)))
    best.begun(Begun(2, 1, diverged))
    best.trains(1, 2)
    assert best.reported(0, 2)
    assert not best.reported(1, 2)
    assert best.configuration == 0
