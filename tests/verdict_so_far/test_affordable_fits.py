"""The verdict beside the progress: what it says, and that it never costs more than a hundredth of the time."""

from __future__ import annotations

import pytest

from tests.curves.made_up_curves import made_up
from wrn_search.curves.curve_fit import fit
from wrn_search.curves.settings_of_cells import cells_of
from wrn_search.curves.winner_and_smallest import retrained
from wrn_search.verdict_so_far import affordable_fits as module
from wrn_search.verdict_so_far.affordable_fits import (
    FIRST_COST,
    LEAST_SECONDS,
    SHARE,
    VerdictWatch,
    is_affordable,
    verdict_of,
)


@pytest.mark.parametrize("cost", [0.1, 1.0, 7.0])
def test_fits_cost_a_hundredth_of_the_time_at_most_and_never_come_faster_than_every_half_minute(cost) -> None:
    """A clock of whole seconds, ten hours of it."""
    since, spent = 0.0, 0.0
    for now in range(36_000):
        if is_affordable(float(now), since, cost):
            spent += cost
            since = float(now)
            assert spent <= SHARE * now + 1e-9
    assert spent > 0
    assert spent <= cost * 36_000 / LEAST_SECONDS


@pytest.fixture(scope="module")
def table():
    return made_up(40, width=-0.6, seed=1)


def test_it_tells_the_winner_and_the_three_likeliest_networks(table) -> None:
    chosen = fit(table, draws=100)
    names = {cell: f"WRN-{cell[0]:g}-{cell[1]:g}" for cell in cells_of(chosen)}
    found = verdict_of(chosen, names)
    assert len(found.leading) == 3
    chances = [chance for _, chance in found.leading]
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) <= 1 + 1e-9
    assert found.winner is not None
    name, expected, low, high = found.winner
    assert name in names.values()
    assert low < expected < high
    ended = [trial.trial for trial in table.trials if trial.status == "completed"]
    assert expected == pytest.approx(min(retrained(chosen, trial).expected for trial in ended))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_watch_fits_when_something_happened_and_it_is_affordable(table) -> None:
    looks = []
    clock = Clock()
    names = {(depth, width): "x" for depth in (16.0, 22.0, 28.0, 40.0) for width in (1.0, 2.0, 4.0, 8.0)}
    watch = VerdictWatch(lambda: looks.append(clock.now) or (table, names), clock)
    watch.changes = 1
    watch.tick()
    assert looks == []  # the first fit is not affordable yet
    clock.now = FIRST_COST / SHARE
    watch.tick()
    watch.join()
    assert len(looks) == 1
    assert watch.verdict is not None
    assert 0 < watch.cost < 60
    clock.now += max(LEAST_SECONDS, watch.cost / SHARE) + 1
    watch.tick()
    watch.join()
    assert len(looks) == 1  # nothing has happened since
    watch.changes = 2
    watch.tick()
    watch.join()
    assert len(looks) == 2


def test_what_goes_wrong_in_a_fit_ends_no_search(table, monkeypatch) -> None:
    monkeypatch.setattr(module, "fit", lambda *_, **__: 1 / 0)
    clock = Clock()
    watch = VerdictWatch(lambda: (table, {}), clock)
    watch.changes = 1
    clock.now = 1e6
    watch.tick()
    watch.join()
    assert watch.verdict is None
    other = VerdictWatch(lambda: 1 / 0, clock)
    other.changes = 1
    clock.now = 2e6
    other.tick()
    assert other.verdict is None
