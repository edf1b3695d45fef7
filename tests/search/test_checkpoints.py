from pathlib import Path

import pytest

from tests.search.playing import metrics, space_of
from wrn_search.results.events import (
    Completed,
    Diverged,
    Event,
    Failed,
    Interrupted,
    Proposed,
    Reported,
    Stopped,
)
from wrn_search.search.checkpoints import CheckpointKeeper


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Checkpoints of five trials."""
    for number in range(5):
        (tmp_path / f"{number}.pt").write_bytes(b"weights")
    return tmp_path


def _proposed(number: int) -> Proposed:
    config = space_of().trial_config({"dropout": 0.1}, number, precision="fp32", compile="off")
    return Proposed(number, str(number), number, 0, {"dropout": 0.1}, config.to_dict(), 1, 1)


def _kept(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_only_what_can_still_be_needed_stays(folder) -> None:
    keeper = CheckpointKeeper(folder, 1)
    for number in range(5):
        keeper(0.0, _proposed(number))
    ends: list[tuple[Event, set[str]]] = [
        (Stopped(0, 3, "worse"), {"1.pt", "2.pt", "3.pt", "4.pt"}),
        (Diverged(1, 2, "nan"), {"2.pt", "3.pt", "4.pt"}),
        (Failed(2, "killed"), {"3.pt", "4.pt"}),
        (Interrupted(3, "Ctrl-C"), {"3.pt", "4.pt"}),
    ]
    for event, left in ends:
        keeper(0.0, event)
        assert _kept(folder) == left


def test_of_completed_trials_the_best_stays(folder) -> None:
    keeper = CheckpointKeeper(folder, 1)
    for number, val_error in enumerate([5.0, 7.0, 4.0, 4.0, 6.0]):
        keeper(0.0, _proposed(number))
        keeper(0.0, Reported(number, metrics(10, val_error), "node", "cpu"))
    for number, left in [(0, {0, 1, 2, 3, 4}), (1, {0, 2, 3, 4}), (2, {2, 3, 4}), (3, {2, 4}), (4, {2})]:
        keeper(0.0, Completed(number))
        assert _kept(folder) == {f"{each}.pt" for each in left}


@pytest.mark.parametrize("best", [2, 3, 7])
@pytest.mark.parametrize("errors", [[5.0, 7.0, 4.0, 4.0, 6.0], [1.0] * 5, [5.0, 4.0, 3.0, 2.0, 1.0]])
@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 2, 0, 3, 1]])
def test_the_k_best_stay_whatever_the_order_in_which_trials_complete(folder, best, errors, order) -> None:
    keeper = CheckpointKeeper(folder, best)
    for number, val_error in enumerate(errors):
        keeper(0.0, _proposed(number))
        keeper(0.0, Reported(number, metrics(10, val_error), "node", "cpu"))
    for number in order:
        keeper(0.0, Completed(number))
    ranked = sorted(range(5), key=lambda number: (errors[number], number))
    assert _kept(folder) == {f"{number}.pt" for number in ranked[:best]}


def test_a_sweep_takes_what_a_kill_left(folder) -> None:
    keeper = CheckpointKeeper(folder, 1)
    keeper(0.0, _proposed(3))
    (folder / "3.pt.tmp").write_bytes(b"half")
    keeper.sweep()
    assert _kept(folder) == {"3.pt"}
