"""What a terminal shows: everything that must be there, within its size, and in its place at the next look."""

from __future__ import annotations

import time

import pytest

from tests.progress.pictures import VERDICT, progress_of
from tests.results.searches import START, reported
from wrn_search.progress.search_progress import Progress
from wrn_search.progress.terminal_lines import STYLES, Line, terminal_lines

NOW = START + 1200.0


class Budget:
    text, left_text, seconds_left = "1,240 of 2,000 epochs, 3.1 of 8 hours", "760 epochs, 4.9 hours", 17_640.0


@pytest.mark.parametrize("running", [0, 1, 30, 1000])
def test_it_fits_and_shows_every_part(running: int) -> None:
    progress = progress_of(running, funds=Budget())
    for columns in (39, 40, 60, 80, 120, 200):
        for rows in (8, 12, 24, 50):
            _check(terminal_lines(progress, NOW, columns, rows, VERDICT), columns, rows, running)


def _check(lines: list[Line], columns: int, rows: int, running: int) -> None:
    assert len(lines) <= rows
    assert max(len(line.text) for line in lines) <= columns
    assert {line.style for line in lines} <= set(STYLES)
    assert all(line.text.isascii() and line.text.isprintable() for line in lines)
    text = " ".join(line.text for line in lines)
    for part in ("37 of", "budget:", "left:") if rows > 8 or columns > 60 else ("37 of",):
        assert part in text
    if rows >= 24:
        for part in ("verdict so far: winner WRN-16-2", "25.00 %", "039", "promoted: "):
            assert part in text
        assert ("error now" in text) == bool(running)
        assert running < 1000 or "more: epochs 1 to 50" in text


def test_a_wide_terminal_tells_a_trial_on_one_row() -> None:
    lines = [line.text for line in terminal_lines(progress_of(3), NOW, 120, 40, VERDICT)]

    head = next(place for place, line in enumerate(lines) if line.startswith("running "))
    assert lines[head].split() == ["running", "node", "epoch", "error", "now", "images/s"]
    assert lines[head + 1].split() == (
        ["040_WRN-16-4_p0.30_wd5e-4", "node-a", "41", "of", "60", "6.90", "%", "24"]
    )
    best = lines[lines.index("best so far") + 1]
    assert best.strip().split("  ") == [
        "25.00 %",
        "020_WRN-16-4_p0.30_wd5e-4",
        "expected when retrained 5.5 % (4.5 to 6.5)",
    ]


def test_what_happened_last_says_why() -> None:
    lines = [line.text for line in terminal_lines(progress_of(0), START + 160.0, 120, 40)]

    last = lines[lines.index("what happened last") + 1 :]
    assert last[0] == "1 min ago: 039_WRN-16-4_p0.30_wd5e-4 promoted: goes on from epoch 18"
    assert last[1].endswith("waits: at epoch 18, 7 of 11 trials at this rung were better")
    assert any(line.endswith("037_WRN-16-4_p0.30_wd5e-4 failed: RuntimeError: bad") for line in last)
    assert any("retried: its process died (killed by signal 9)" in line for line in last)


def test_rows_stay_where_they_were() -> None:
    """Of 1,000 running trials one reports: no row but its own and the sums change."""
    progress = progress_of(1000)
    before = terminal_lines(progress, NOW, 100, 40, VERDICT)
    progress.apply(NOW, reported(41, 50, val_error=3.25))
    after = terminal_lines(progress, NOW, 100, 40, VERDICT)

    changed = [now.text for then, now in zip(before, after, strict=True) if then != now]
    assert len(before) == len(after) == 40
    assert any(line.startswith("041_") and "50 of 60" in line and "3.25 %" in line for line in changed)
    assert len(changed) <= 3


def test_before_it_trains_it_says_what_it_waits_for() -> None:
    lines = terminal_lines(Progress(64, 60, START, search="s"), START + 3, 80, 24, awaited="Ray")

    assert [line.text for line in lines] == [
        f"s: 0 of 64 trials [{'-' * 40}] 0 %",
        "0 running | 3 s so far | 0 of 3,840 epochs",
        "waiting for Ray",
    ]


def test_a_frame_of_a_thousand_trials_costs_little() -> None:
    """Drawn twice a second it may take 1 % of a core: 5 ms; measured 0.6 ms of CPU."""
    progress = progress_of(1000)
    terminal_lines(progress, NOW, 200, 60, VERDICT)
    began = time.process_time()
    for _ in range(20):
        terminal_lines(progress, NOW, 200, 60, VERDICT)
    assert (time.process_time() - began) / 20 < 0.005


def test_what_a_name_or_node_may_hold_is_spelt_out() -> None:
    progress = Progress(1, 60, START, search="a\x1b[31m")
    assert terminal_lines(progress, START, 80, 24)[0].text.startswith("a\\x1b[31m: 0 of 1 trials")
