"""What recorded epochs cost on the simulated clock."""

from __future__ import annotations

from tests.results.searches import metrics
from wrn_search.replay.costs_of_epochs import costs_of_epochs
from wrn_search.results.trial_state import TrialState


def _trial(number: int, macs: int, alone: set[int], sam: float | None = None) -> TrialState:
    trial = TrialState(number, f"t{number}", number, 0, {}, {"sam": sam}, 1, macs, alone=alone)
    trial.reports = [(float(epoch), metrics(epoch)) for epoch in (1, 2, 3)]
    return trial


def test_an_epoch_beside_others_costs_what_its_network_takes_alone() -> None:
    trials = [_trial(0, 100, {1, 2}), _trial(1, 100, set()), _trial(2, 300, set())]
    took = {(number, epoch): 10.0 * number + epoch for number in range(3) for epoch in (1, 2, 3)}
    costs = costs_of_epochs(took, trials)
    assert [costs[0, epoch] for epoch in (1, 2, 3)] == [1.0, 2.0, 1.5]
    assert {costs[1, epoch] for epoch in (1, 2, 3)} == {1.5}
    assert {costs[2, epoch] for epoch in (1, 2, 3)} == {4.5}, "three times the multiply-adds"


def test_where_none_was_alone_each_costs_what_it_took() -> None:
    took = {(0, epoch): float(epoch) for epoch in (1, 2, 3)}
    assert costs_of_epochs(took, [_trial(0, 100, set())]) == took


def test_the_second_pass_of_sam_makes_another_size() -> None:
    plain, sam = _trial(0, 100, {1, 2, 3}), _trial(1, 100, set(), sam=0.05)
    took = {(number, epoch): 1.0 for number in (0, 1) for epoch in (1, 2, 3)}
    costs = costs_of_epochs(took, [plain, sam])
    assert {costs[1, epoch] for epoch in (1, 2, 3)} == {2.0}
