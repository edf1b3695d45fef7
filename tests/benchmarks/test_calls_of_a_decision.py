"""What a decision costs, in calls: seconds of a test would tell more of the machine than of the code."""

from __future__ import annotations

import sys
from types import FrameType

from benchmarks.decisions_per_second import play

# 134 when this was written, and 256 before reports were learned in fewer: a call that each report makes is one more.
MOST_CALLS = 150


def test_a_decision_of_random_and_asha_takes_few_calls() -> None:
    play("random", 20, 9, 2)  # what is imported and remembered
    calls = 0

    def count(frame: FrameType, what: str, argument: object) -> None:
        nonlocal calls
        calls += what in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        decisions = play("random", 300, 60, 50)
    finally:
        sys.setprofile(before)
    assert decisions == 3513  # the very same as ever: what is counted is not less work
    assert calls / decisions <= MOST_CALLS
