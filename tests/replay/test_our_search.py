"""Our own searches as players: the conductor decides, on recorded configurations."""

from __future__ import annotations

import dataclasses

import pytest

from tests.replay.hand_made import curve, falling, table_of
from wrn_search.errors import InputError
from wrn_search.replay.curve_table import CurveTable
from wrn_search.replay.methods import Method, space_of
from wrn_search.replay.our_search import OurSearch
from wrn_search.replay.simulated_clock import Clock, Play, play
from wrn_search.schedulers.scheduler_table import SCHEDULERS
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.space_file import space_from_mapping


def played(
    table: CurveTable,
    searcher: str,
    scheduler: str,
    *settings: str,
    workers: int = 1,
    budget: int = 10**6,
    seed: int = 0,
) -> tuple[OurSearch, Play]:
    space = space_of(table, Method("m", searcher, scheduler), settings, None, seed)
    clock = Clock()
    player = OurSearch(space, table, workers, clock)
    return player, play(player, table, workers, budget, clock)


@pytest.mark.parametrize(
    "searcher", [name for name, kind in SEARCHERS.items() if not kind.needs_finite_space]
)
@pytest.mark.parametrize("workers", [1, 4])
def test_every_configuration_is_trained_once(searcher: str, workers: int) -> None:
    table = falling(20)
    player, result = played(table, searcher, "none", workers=workers)
    assert sorted(result.configuration.values()) == list(range(20))
    assert result.counts["completed"] == 20
    assert result.epochs == 180
    for number, trial in player.state.trials.items():
        assert trial.hparams == table.configurations[result.configuration[number]]
        assert trial.status == "completed"


def test_asha_stops_by_its_rule() -> None:
    """Arrivals at epoch 1 with errors 50, 40, 60: the first goes on, the second is better, the third is not."""
    table = table_of({0.0: curve(50, 45, 44), 0.5: curve(40, 35, 30), 1.0: curve(60, 1, 1)})
    space = space_of(
        table, Method("m", "random", "asha"), ("search.rungs=[1]", "search.promote=false"), None, 0
    )
    player = OurSearch(space, table, 3, Clock())
    begun = {}
    while (each := player.next_trial()) is not None:
        begun[each.configuration] = each.trial
    assert player.reported(begun[0], 1, 50.0)
    assert player.reported(begun[1], 1, 40.0)
    assert not player.reported(begun[2], 1, 60.0)
    assert player.state.trials[begun[2]].status == "stopped"


def test_who_decides_by_all_epochs_hears_of_all_in_a_play() -> None:
    """One is the worst at the rung, but was the best two epochs before: by all epochs it goes on."""
    alike = {x / 4: curve(40, 30, 29, 10) for x in range(4)}
    table = table_of(alike | {1.0: curve(10, 50, 50, 5)})
    settings = ("search.rungs=[3]", "search.grace_period=1", "search.anchors=0", "search.min_samples=1")
    for seed in range(4):
        _, result = played(table, "random", "median", *settings, seed=seed)
        assert result.counts["completed"] == 5
    late = ("search.grace_period=2", *settings[2:], settings[0])
    counts = [played(table, "random", "median", *late, seed=seed)[1].counts["completed"] for seed in range(4)]
    assert min(counts) == 4


@pytest.mark.parametrize("scheduler", list(SCHEDULERS))
def test_every_scheduler_is_played_to_the_end_of_a_table(scheduler: str) -> None:
    player, result = played(falling(20), "random", scheduler, workers=3)
    ends = [trial.status for trial in player.state.trials.values()]
    assert len(ends) == 20
    assert "completed" in ends
    assert result.epochs == sum(result.last_epoch.values())


def test_one_that_waited_at_a_rung_goes_on_from_there() -> None:
    """No epoch is trained twice, though a play's record has only those at rungs."""
    player, result = played(
        falling(20), "random", "asha", "search.rungs=[3,6]", "search.anchors=0", workers=3
    )
    assert result.counts["completed"] >= 1
    assert {trial.status for trial in player.state.trials.values()} == {"completed", "stopped"}
    assert result.epochs == sum(result.last_epoch.values())
    assert set(result.last_epoch.values()) == {3, 6, 9}


def test_the_searcher_learns_from_the_play() -> None:
    """Ends fall with x: of 60 configurations 20 are tried, and TPE's later ones lie lower than random ones."""
    table = falling(60, epochs=2)
    late = {}
    for searcher in ("tpe", "random"):
        places: list[int] = []
        for seed in range(6):
            _, result = played(table, searcher, "none", budget=60, seed=seed)
            places += [place for trial, place in result.configuration.items() if trial >= 15]
        late[searcher] = sum(places) / len(places)
    assert late["tpe"] < 0.7 * late["random"]


def test_repeats_use_different_recorded_seeds() -> None:
    table = table_of({x / 4: [curve(50, 40 + seed) for seed in range(3)] for x in range(5)})
    player, result = played(table, "random", "none", "search.repeats=2")
    ends: dict[int, set[float | None]] = {}
    for trial in player.state.trials.values():
        assert trial.last is not None
        ends.setdefault(trial.configuration, set()).add(trial.last.val_error)
    assert all(len(each) == 2 for each in ends.values())
    assert len(ends) == 5
    assert result.epochs == 20


def test_a_diverged_trial_counts_as_chance() -> None:
    table = table_of({0.0: curve(20, diverged=True), 1.0: curve(30, 25)})
    player, result = played(table, "random", "none")
    assert sorted(trial.status for trial in player.state.trials.values()) == ["completed", "diverged"]
    assert table.ends.tolist() == [90.0, 25.0]
    assert result.named[-1][2] == 1


def test_max_hours_are_simulated_ones() -> None:
    """Epochs of 600 s and an hour: six epochs, the running one included."""
    table = table_of({x / 9: curve(*range(20, 11, -1), seconds=600) for x in range(10)})
    space = space_of(table, Method("m", "random", "none"), ("search.max_hours=1",), None, 0)
    clock = Clock()
    assert play(OurSearch(space, table, 1, clock), table, 1, 1000, clock).epochs == 6


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("searcher", ["random", "tpe"])
def test_a_budget_in_epochs_ends_a_play(searcher: str, workers: int) -> None:
    """Never an epoch more, and what is left is too little to be compared with anything."""
    table = falling(60)
    player, result = played(table, searcher, "asha", "search.budget.epochs=100", workers=workers)
    assert result.epochs == sum(result.last_epoch.values()) <= 100
    assert 100 - result.epochs < 1, "the first rung is the first epoch"
    assert set(result.last_epoch.values()) <= {1, 3, 9}
    assert result.counts["completed"] >= 1
    assert player.state.spent == {}  # no session ended; the conductor knows
    assert player._conductor.funds.left == {"epochs": 0}


def test_budgets_in_hours_are_simulated_ones() -> None:
    """Epochs of 600 s and two workers: GPU-hours of both count, hours pass for both."""
    table = table_of({x / 39: curve(*range(60, 51, -1), seconds=600) for x in range(40)})
    for settings, epochs in (
        ("search.budget.hours=3", 36),
        ("search.budget.gpu_hours=3", 18),
        ("search.budget={epochs: 12, hours: 3}", 12),
    ):
        _, result = played(table, "random", "none", settings, workers=2)
        assert epochs - 9 < result.epochs <= epochs, "one of nine epochs that has no room is not begun"


def test_a_play_has_no_images_to_spend() -> None:
    with pytest.raises(InputError, match=r"can spend epochs, hours and gpu_hours .* got network_passes"):
        space_of(falling(3), Method("m", "random", "none"), ("search.budget.network_passes=1e18",), None, 0)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_search_that_knows_its_budget_goes_on_with_those_that_wait(workers: int) -> None:
    """20 configurations begin and most wait; whoever does not know of a budget ends there, the other spends it."""
    table = falling(20)
    spent = {}
    for known in (None, 120):
        space = space_of(table, Method("m", "random", "asha"), ("search.anchors=0",), None, 0, known)
        clock = Clock()
        spent[known] = play(OurSearch(space, table, workers, clock), table, workers, 120, clock).epochs
    assert spent[None] < 100
    assert spent[120] > 112  # what is left pays for nobody's way to the next rung


def test_a_budget_of_a_setting_stands_beside_that_of_the_play() -> None:
    method = Method("m", "random", "asha", ("search.budget.epochs=50",))
    assert space_of(falling(5), method, (), None, 0, 120).search.budget == {"epochs": 50}
    assert space_of(falling(5), Method("m", "random", "asha"), (), None, 0, 120).search.budget == {
        "epochs": 120
    }


def test_the_tradeoff_needs_depths_and_widths_in_the_table() -> None:
    with pytest.raises(InputError, match=r"tradeoff needs several values of depth"):
        space_of(falling(5), Method("m", "curves", "curves"), ("search.goal=tradeoff",), None, 0)
    with pytest.raises(InputError, match=r"search.goal: must be one of best, tradeoff"):
        space_of(falling(5), Method("m", "curves", "curves"), ("search.goal=tradeof",), None, 0)


@pytest.mark.parametrize("name", ["inference_ms", "inference_ms_64"])
def test_a_play_has_nothing_that_a_process_measures(name: str) -> None:
    table, method = falling(3), Method("m", "random", "none")
    document = table.space.to_document() | {"objectives": ["val_error", name]}
    recorded = dataclasses.replace(table, space=space_from_mapping(document))
    with pytest.raises(InputError, match=rf"^objectives: a play can rank by val_error, .*, but got {name}: "):
        space_of(recorded, method, (), None, 0)
    assert space_of(recorded, method, ("objectives=[val_error]",), None, 0).objectives == ("val_error",)


def test_what_never_acted_in_a_recorded_search_does_not_keep_it_from_being_played() -> None:
    table = falling(3)
    document = table.space.to_document()
    document["training"] |= {"lr_schedule": "cosine", "lr_drop_factor": 0.1}
    recorded = dataclasses.replace(table, space=space_from_mapping(document, on_record=True))
    with pytest.raises(InputError, match="lr_drop_factor"):
        space_from_mapping(document)
    assert space_of(recorded, Method("m", "random", "none"), (), None, 0).training.lr_schedule == "cosine"
