"""The epochs at which curves are compared."""

from __future__ import annotations

from dataclasses import replace

from tests.curves.made_up_curves import EPOCHS, made_up
from wrn_search.curves.observed_curves import CurveTrial, ObservedCurves
from wrn_search.curves.shared_epochs import MOST, first_rung, shared_epochs


def whole(epochs: int, count: int = 4) -> ObservedCurves:
    trials = tuple(
        CurveTrial(str(n), str(n), {}, tuple(range(1, epochs + 1)), (10.0,) * epochs, "completed")
        for n in range(count)
    )
    return ObservedCurves(trials, 100, epochs)


def test_the_rungs_and_the_end_are_shared() -> None:
    assert set(EPOCHS) <= set(shared_epochs(made_up(60)))
    assert first_rung(made_up(60)) == EPOCHS[0]


def test_without_rungs_a_few_epochs_are_spread_to_the_end() -> None:
    epochs = shared_epochs(whole(100))
    assert len(epochs) <= MOST
    assert epochs[-1] == 100
    assert epochs == tuple(sorted(set(epochs)))


def test_epochs_where_trials_were_stopped_come_in() -> None:
    table = whole(100)
    cut = tuple(
        replace(each, epochs=each.epochs[:37], wrong=each.wrong[:37], status="stopped")
        for each in table.trials
    )
    both = replace(table, trials=(*(replace(each, trial=f"{each.trial}s") for each in cut), *table.trials))
    assert 37 in shared_epochs(both)
    assert first_rung(both) == 37


def test_one_epoch_far_before_the_end_comes_in_before_the_first_rung() -> None:
    for rungs, before in (((3, 9, 27), [1]), ((10, 40), [5]), ((12, 36), [5]), ((30, 60), [])):
        epochs = shared_epochs(replace(whole(100), rungs=rungs))
        assert set(rungs) <= set(epochs)
        assert [each for each in epochs if each < 0.7 * rungs[0]] == before
    assert shared_epochs(replace(whole(9), rungs=(1, 3)))[0] == 1  # nothing lies before the first epoch


def test_one_epoch_is_the_end() -> None:
    assert shared_epochs(whole(1)) == (1,)
