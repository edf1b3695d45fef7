"""Finished plays on disk: a broken-off comparison goes on, more seeds are added, nothing is played twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import played_arms
from benchmarks.played_arms import ArmPlayed, played
from benchmarks.search_arms import Arm, groups
from tests.benchmarks.made_tables import made_table

TABLES = [made_table(12, 9)]
RANDOM = next(arm for arm in groups()["ours"] if arm.name == "random+asha")


def arm_played(seeds: int, keep: Path | None, arm: Arm = RANDOM) -> ArmPlayed:
    return played(arm, TABLES, seeds, 3, 1, keep)


def test_a_run_with_more_seeds_plays_only_those_that_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = arm_played(4, None)
    arm_played(2, tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_text(file.read_text() + '{"table": "made", "se')  # as a kill leaves it
    asked: list[int] = []
    before = played_arms.plays_in_turn

    def counted(*arguments):  # type: ignore[no-untyped-def]
        asked.append(len(arguments[1]))
        return before(*arguments)

    monkeypatch.setattr(played_arms, "plays_in_turn", counted)
    whole = arm_played(4, tmp_path)
    assert asked == [2]
    assert len(file.read_text().splitlines()) == 4
    for table, regrets in fresh.regrets.items():
        np.testing.assert_array_equal(whole.regrets[table], regrets)
    assert whole.counts == fresh.counts
    again = arm_played(4, tmp_path)
    assert asked == [2, 0]
    assert again.cpu_seconds == whole.cpu_seconds


def test_each_arm_keeps_its_own(tmp_path: Path) -> None:
    arms = groups()["reduction"]
    for arm in arms:
        arm_played(1, tmp_path, arm)
    assert len(list(tmp_path.iterdir())) == len(arms)
