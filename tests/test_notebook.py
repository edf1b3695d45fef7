"""The package as a notebook uses it: completion, what a cell shows, and reading several searches."""

from __future__ import annotations

from pathlib import Path

import pytest

import wrn_search
from tests.analysis.planted import Plan, plant
from tests.cli.commands import run
from tests.decisions.playing import conductor_of, new_record, play, space_of
from wrn_search.end_reason import EndReason
from wrn_search.errors import InputError
from wrn_search.session.search_result import SearchResult


def test_completion_finds_what_there_is() -> None:
    done = run("-c", "import wrn_search; print(*(n for n in dir(wrn_search) if not n.startswith('_')))")
    assert {"run", "read", "load_model"} <= set(done.stdout.split())
    assert {name for name in wrn_search.__all__ if not hasattr(wrn_search, name)} == set()
    assert "TYPE_CHECKING" not in done.stdout.split()


def test_a_result_is_shown_in_one_line(tmp_path: Path) -> None:
    space = space_of(model={"depth": {"choice": [10, 16]}, "widen_factor": {"choice": [1, 2]}})
    with new_record(tmp_path / "events.jsonl", space) as record:
        conductor = conductor_of(space, record)
        play(conductor, lambda assignment, epoch: 30.0 / epoch + assignment.config.depth)
    result = SearchResult(tmp_path, conductor.state, EndReason.FINISHED)
    trials = conductor.state.trials
    assert repr(result).startswith(f"SearchResult('{tmp_path}', finished, {len(trials)} trials: ")
    assert len(repr(result)) < 200 + len(str(tmp_path))
    assert "completed" in repr(result)


def test_several_searches_are_read_by_name_or_as_a_list(tmp_path: Path) -> None:
    one, other = plant(tmp_path / "one", Plan()), plant(tmp_path / "other", Plan(seed=1))
    by_name, _ = wrn_search.read(one, other)
    for given in ([one, other], (str(one), other)):
        trials, epochs = wrn_search.read(given)
        assert trials.equals(by_name)
        assert set(epochs["trial_id"]) <= set(trials["trial_id"])


@pytest.mark.parametrize("given", [3, None, {"a": 1}, [3], b"x"])
def test_what_is_no_path_is_told(given: object) -> None:
    with pytest.raises(InputError, match=r"^must be the path of a results directory, but got "):
        wrn_search.read(given)  # type: ignore[call-overload]
    with pytest.raises(InputError, match=r"^at least one results directory must be named"):
        wrn_search.read([])
