"""A follower brings every row of the record to its tracker once, whatever fails and whenever it is killed."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.results.searches import every_event, record_of
from wrn_search.errors import InputError
from wrn_search.results.event_lines import to_line
from wrn_search.results.events import TimedEvent
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.trackers import follower as module
from wrn_search.trackers.follower import Follower, why
from wrn_search.trackers.tracker import TrackerKind, is_shown

Row = tuple[int, int, float]


class Place:
    """Somebody's server: it keeps rows as often as they are sent, and does not always answer."""

    def __init__(self, generator: random.Random | None = None, failing: float = 0.0):
        self.rows: list[Row] = []
        self.statuses: dict[int, str] = {}
        self.closed: list[bool] = []
        self._generator, self._failing = generator or random.Random(0), failing

    def answer(self) -> None:
        """Raises where it does not."""
        if self._generator.random() < self._failing:
            raise ConnectionError("no answer")

    @property
    def kind(self) -> TrackerKind:
        return TrackerKind(lambda directory, state: Rows(self))


class Rows:
    """A tracker that asks what is there when it is opened, and sends rows one by one."""

    place = "somebody's server"

    def __init__(self, where: Place):
        where.answer()
        self._where, self._sent = where, set(where.rows)

    def update(self, state: SearchState, changed: Iterable[int]) -> None:
        for number in sorted(changed):
            trial = state.trials[number]
            for row in rows_of(state) & {(number, *key) for key in keys(trial)} - self._sent:
                self._where.answer()
                self._where.rows.append(row)
                self._sent.add(row)
            if is_shown(trial):
                self._where.answer()
                self._where.statuses[number] = trial.status

    def close(self, state: SearchState, is_running: bool) -> None:
        self._where.answer()
        self._where.closed.append(is_running)


def keys(trial) -> set[tuple[int, float]]:
    return {(metrics.epoch, metrics.val_error) for _, metrics in trial.reports}


def rows_of(state: SearchState) -> set[Row]:
    """Trial, epoch and error of every epoch on record."""
    return {(number, *key) for number, trial in state.trials.items() for key in keys(trial)}


def lines_of(events: list[TimedEvent]) -> bytes:
    """The record."""
    return b"".join(
        to_line(event, seq, moment).encode() + b"\n" for seq, (moment, event) in enumerate(events)
    )


@pytest.mark.parametrize("seed", range(20))
def test_no_row_is_lost_or_doubled_over_kills_and_failures(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECONDS_BEFORE_ANOTHER_TRY", 0.0)
    generator = random.Random(seed)
    events, where = every_event(), Place(generator, failing=0.3)
    lines, told = lines_of(events), list[str]()
    directory = ResultsDirectory(tmp_path)
    follower = Follower(directory, "rows", where.kind, told.append)
    size = 0
    while size < len(lines):
        size = min(len(lines), size + generator.randint(1, 1500))  # anywhere in a line
        directory.events.write_bytes(lines[:size])
        if generator.random() < 0.4:  # killed
            follower = Follower(directory, "rows", where.kind, told.append)
        follower.step()
    where._failing = 0.0
    follower.close(is_running=False)
    state = fold(events)
    assert not follower.is_behind
    assert sorted(where.rows) == sorted(rows_of(state))
    assert len(where.rows) == 9
    assert where.statuses == {number: trial.status for number, trial in state.trials.items()}
    assert where.closed == [False]


def test_who_does_not_answer_is_told_once_and_tried_again_after_seconds(tmp_path: Path) -> None:
    where, told = Place(failing=1.0), list[str]()
    (tmp_path / "events.jsonl").write_bytes(lines_of(every_event()))
    follower = Follower(ResultsDirectory(tmp_path), "rows", where.kind, told.append)
    for _ in range(3):
        follower.step()
    assert told == ["no answer"]
    assert follower.is_behind
    where._failing = 0.0
    follower.step()
    assert where.rows == []
    follower.step(at_once=True)
    assert len(where.rows) == 9
    assert not follower.is_behind


def test_a_report_that_does_not_arrive_is_not_forgotten(tmp_path: Path) -> None:
    where, told = Place(), list[str]()
    (tmp_path / "events.jsonl").write_bytes(lines_of(every_event()))
    follower = Follower(ResultsDirectory(tmp_path), "rows", where.kind, told.append)
    follower.step()
    where._failing = 1.0
    follower.close(is_running=True)
    assert follower.is_behind
    assert told == ["no answer"]


def test_one_process_at_a_time_follows(tmp_path: Path) -> None:
    record_of(tmp_path / "events.jsonl", every_event()).close()
    first, second = (Follower(ResultsDirectory(tmp_path), "rows", Place().kind, print) for _ in range(2))
    assert first.take()
    assert first.take()
    assert not second.take()
    assert Follower(ResultsDirectory(tmp_path), "others", Place().kind, print).take()


@pytest.mark.parametrize(
    ("harm", "text"),
    [
        (lambda lines: lines.replace(b'"epoch":2', b'"epoch":3', 1), r"events.jsonl:\d+: crc: "),
        (lambda lines: lines[: len(lines) // 2], "a record must only grow"),
        (lambda lines: lines.split(b"\n", 1)[1], "a record must only grow|must be numbered"),
    ],
)
def test_a_record_that_is_not_what_it_was_is_refused(harm, text: str, tmp_path: Path) -> None:
    lines, path = lines_of(every_event()), tmp_path / "events.jsonl"
    path.write_bytes(lines)
    follower = Follower(ResultsDirectory(tmp_path), "rows", Place().kind, print)
    if "crc" not in text:
        follower.step()
    path.write_bytes(harm(lines))
    with pytest.raises(InputError, match=text):
        follower.step()


def test_of_a_chain_of_errors_the_first_reason_is_told() -> None:
    error = RuntimeError("API request failed")
    error.__cause__ = ConnectionError("Connection refused")
    assert why(error) == "API request failed (Connection refused)"
    assert why(ValueError()) == "ValueError"
