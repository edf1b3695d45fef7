"""Anchors: which configurations they are and what they are follows from the seed alone."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrn_search.searchers.anchors import Anchors, anchor_share, anchors_of
from wrn_search.searchers.searcher import SearchedSpace
from wrn_search.space.domains import Choice, Domain, Uniform

NETWORKS: dict[str, Domain] = {"depth": Choice((10, 16)), "widen_factor": Choice((1.0, 2.0, 4.0))}
SPACE = SearchedSpace({**NETWORKS, "dropout": Uniform(0.0, 0.5)}, None, 7)


@given(st.floats(0.01, 0.5), st.integers(1, 400), st.integers(0, 5))
def test_there_is_one_in_each_stretch(share: float, trials: int, seed: int) -> None:
    """So many as the share says, give or take the one of the last stretch, each with a number of its own."""
    anchors = Anchors(SearchedSpace(SPACE.hyperparameters, None, seed), share)
    places = [place for n in range(trials) if (place := anchors.place(n)) is not None]
    assert places == list(range(len(places)))
    assert len(places) - anchors_of(share, trials) in (0, 1)


def test_a_longer_search_has_the_same_anchors_first() -> None:
    anchors = Anchors(SPACE, 0.2)
    assert [n for n in range(40) if anchors.place(n) is not None] == [
        n for n in range(200) if anchors.place(n) is not None
    ][:8]


def test_without_a_share_there_is_none() -> None:
    assert all(Anchors(SPACE, 0.0).place(n) is None for n in range(100))


def test_every_network_comes_once_before_any_comes_again() -> None:
    anchors = Anchors(SPACE, 0.25)
    drawn = [anchors.draw(n) for n in range(72) if anchors.place(n) is not None]
    assert len(drawn) == 18
    for turn in range(3):
        cells = Counter(
            (each["depth"], each["widen_factor"]) for each in drawn[6 * turn : 6 * turn + 6] if each
        )
        assert set(cells.values()) == {1}
        assert len(cells) == 6
    dropouts = sorted(float(each["dropout"]) for each in drawn if each)
    assert dropouts[0] < 0.12 < 0.38 < dropouts[-1]


def test_it_is_no_result_that_chooses() -> None:
    """Whatever was proposed between them: the same anchors."""
    quiet, busy = Anchors(SPACE, 0.25), Anchors(SPACE, 0.25)
    for n in range(40):
        if quiet.place(n) is not None:
            assert quiet.draw(n) == busy.draw(n)
        busy.proposed({"depth": 10, "widen_factor": 1.0, "dropout": n / 100})


def test_none_is_tried_twice_in_a_finite_space() -> None:
    anchors = Anchors(SearchedSpace(NETWORKS, 6, 0), 0.5)
    seen = []
    for n in range(0, 40):
        if anchors.place(n) is not None and (drawn := anchors.draw(n)) is not None:
            anchors.proposed(drawn)
            seen.append(tuple(drawn.values()))
    assert len(seen) == len(set(seen)) == 6


@pytest.mark.parametrize("share", [0.1, 0.2])
def test_the_search_stops_none_of_them(share: float, tmp_path) -> None:
    from tests.decisions.playing import conductor_of, new_record, play, space_of
    from wrn_search.decisions.trial_to_train import Assignment

    space = space_of(search={"trials": 40, "searcher": "random", "anchors": share})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space), concurrent=3)

    def curve(trial: Assignment, epoch: int) -> float:
        return 20 + trial.number % 17 + 30 / epoch

    play(conductor, curve)
    anchors = [trial for trial in conductor.state.trials.values() if trial.anchor]
    assert len(anchors) - anchors_of(anchor_share(share, 0.1, (6, 12, 16), 3, 20), 40) in (0, 1)
    assert {trial.status for trial in anchors} == {"completed"}
    others = Counter(trial.status for trial in conductor.state.trials.values() if not trial.anchor)
    assert others["stopped"] > others["completed"] > 0


def test_where_nothing_is_stopped_there_are_none(tmp_path) -> None:
    from tests.decisions.playing import conductor_of, new_record, play, space_of

    space = space_of(search={"trials": 40, "searcher": "random", "scheduler": "none", "anchors": 0.2})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    play(conductor, lambda trial, epoch: 50.0)
    assert not any(trial.anchor for trial in conductor.state.trials.values())
