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


def test_where_one_repeat_was_stopped_those_that_went_on_are_no_result() -> None:
    """Versions that stopped repeats one by one left the lucky ones."""
    survivor = EndedTrial("completed", CURVE)
    assert outcome_of([EndedTrial("stopped", {1: 99.0}), survivor], 90.0) == Pruned({1: 74.5})
    assert outcome_of([survivor, survivor, EndedTrial("stopped", {1: 80.0})], 90.0) == Pruned({1: 60.0})


def test_a_lost_repeat_counts_as_guessing_where_the_others_were_stopped() -> None:
    lost = (EndedTrial("diverged", {1: 10.0}), EndedTrial("failed", {}, out_of_memory=True))
    for each in lost:
        assert outcome_of([EndedTrial("stopped", CURVE), each], 90.0) == Pruned({1: 70.0, 2: 60.0})
    assert outcome_of([EndedTrial("stopped", CURVE), EndedTrial("failed", {})], 90.0) == Pruned(CURVE)


def test_failed_repeats_say_nothing() -> None:
    assert outcome_of([EndedTrial("failed", {1: 1.0})], 90.0) == Crashed()
    assert outcome_of([EndedTrial("failed", {}), EndedTrial("completed", CURVE)], 90.0) == Full(30.0)
