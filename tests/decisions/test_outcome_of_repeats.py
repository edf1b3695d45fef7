from wrn_search.decisions.outcome_of_repeats import EndedTrial, outcome_of
from wrn_search.searchers.searcher import Crashed, Full, Pruned

CURVE = {1: 50.0, 2: 30.0}


def test_completed_repeats_are_told_by_the_mean_of_their_last_errors() -> None:
    repeats = [EndedTrial("completed", {1: 50.0, 2: 30.0}), EndedTrial("completed", {1: 9.0, 2: 10.0})]
    assert outcome_of(repeats, 90.0) == Full(20.0)


def test_a_diverged_repeat_counts_with_the_error_of_chance() -> None:
    assert outcome_of([EndedTrial("diverged", {})], 90.0) == Full(90.0)
    assert outcome_of([EndedTrial("diverged", {1: 60.0}), EndedTrial("completed", CURVE)], 90.0) == Full(60.0)


def test_a_network_that_needs_too_much_memory_counts_with_the_error_of_chance() -> None:
    assert outcome_of([EndedTrial("failed", {}, out_of_memory=True)], 90.0) == Full(90.0)


def test_stopped_repeats_give_no_result_but_what_was_seen() -> None:
    repeats = [EndedTrial("stopped", {1: 50.0, 2: 30.0}), EndedTrial("stopped", {1: 40.0})]
    assert outcome_of(repeats, 90.0) == Pruned({1: 45.0})


def test_with_one_completed_repeat_the_stopped_ones_are_left_out() -> None:
    assert outcome_of([EndedTrial("stopped", {1: 99.0}), EndedTrial("completed", CURVE)], 90.0) == Full(30.0)


def test_failed_repeats_say_nothing() -> None:
    assert outcome_of([EndedTrial("failed", {1: 1.0})], 90.0) == Crashed()
    assert outcome_of([EndedTrial("failed", {}), EndedTrial("completed", CURVE)], 90.0) == Full(30.0)
