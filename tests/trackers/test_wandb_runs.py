"""`wandb`, offline: read from the files that it writes, each epoch stands once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.tracker_rows import wandb_history
from tests.results.searches import every_event
from tests.trackers.test_follower import lines_of
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import fold
from wrn_search.trackers.follower import Follower
from wrn_search.trackers.wandb_runs import WANDB


@pytest.mark.slow
def test_runs_of_trials_and_of_the_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "online")  # a search sends nothing by itself, whatever is set
    events = every_event()
    lines = lines_of(events).splitlines(keepends=True)
    for count in (
        16,
        len(lines),
    ):  # the second follower writes on from the files of the first, which was killed
        (tmp_path / "events.jsonl").write_bytes(b"".join(lines[:count]))
        follower = Follower(ResultsDirectory(tmp_path), "wandb", WANDB, pytest.fail)
        follower.step()
    (tmp_path / "report.html").write_text("<p>the answer</p>")
    follower.close(is_running=False)
    assert not follower.is_behind
    state = fold(events)
    found = {
        path.stem.removeprefix("run-"): path for path in tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    }
    assert set(found) == {state.search_id, *(f"{state.search_id}-{number:05d}" for number in state.trials)}
    assert len(list(tmp_path.glob("wandb/offline-run-*"))) == len(found)
    for number, trial in state.trials.items():
        path = found[f"{state.search_id}-{number:05d}"]
        rows = [(row["_step"], row["val_error"], row["train_loss"]) for row in wandb_history(path)]
        assert rows == [(each.epoch, each.val_error, each.train_loss) for _, each in trial.reports]
        told = json.loads((path.parent / "wrn_search.json").read_text())
        assert told["status"] == trial.status
    assert (found[state.search_id].parent / "files" / "report.html").read_text() == "<p>the answer</p>"

    before = {path: path.read_bytes() for path in found.values()}
    Follower(ResultsDirectory(tmp_path), "wandb", WANDB, pytest.fail).close(is_running=False)
    kept = {path for path in before if path.exists() and path.read_bytes() == before[path]}
    ended = [trial for trial in state.trials.values() if trial.status not in ("running", "interrupted")]
    assert len(kept) >= len(ended) + 1, "what is whole is not written again"
