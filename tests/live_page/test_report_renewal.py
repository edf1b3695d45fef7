"""When a live page's report is made anew: soon where nothing stands in the way, seldom where a search runs."""

from __future__ import annotations

from typing import Any

import pytest

from wrn_search.live_page.report_renewal import Report, is_due


def made(**changes: Any) -> Report:
    values: dict[str, Any] = {
        **{"number": 1, "values": {"seconds": 6.0}, "asked_at": 1000.0, "versions": (50, 7)},
        **{"running": True, "with_model": True},
    }
    return Report(**values | changes)


@pytest.mark.parametrize(
    ("last", "now", "versions", "running", "due"),
    [
        (None, 0.0, (0, 0), True, True),
        (made(with_model=False), 1000.0, (50, 7), True, True),  # the model follows at once
        (made(), 1119.0, (51, 7), True, False),  # 6 s are 5 % of two minutes
        (made(), 1120.0, (51, 7), True, True),
        (made(), 99999.0, (50, 7), True, False),  # nothing is new
        (made(values={"seconds": 0.1}), 1009.0, (51, 7), True, False),
        (made(values={"seconds": 0.1}), 1010.0, (50, 8), True, True),
        (made(), 1001.0, (51, 7), False, True),  # the search has ended
        (made(running=False), 1001.0, (50, 7), False, False),
        (
            made(with_model=False, values={"seconds": 0.0, "problem": "none yet"}),
            1005.0,
            (51, 7),
            True,
            False,
        ),
        (made(with_model=False, values={"seconds": 0.0, "problem": "none yet"}), 1010.0, (51, 7), True, True),
    ],
)
def test_when_it_is_due(
    last: Report | None, now: float, versions: tuple[int, ...], running: bool, due: bool
) -> None:
    assert is_due(last, now, versions, running) == due


@pytest.mark.parametrize("seconds", [0.1, 2.0, 6.0, 60.0])
def test_reports_take_a_twentieth_of_a_core_at_most(seconds: float) -> None:
    report = made(values={"seconds": seconds})
    assert seconds / report.pause <= 0.05
    assert report.pause >= 10
