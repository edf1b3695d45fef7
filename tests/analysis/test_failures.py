"""Every trial is counted once, and what went wrong is told by its reason."""

from __future__ import annotations

import pytest

from tests.analysis.planted import Plan, plant
from wrn_search.analysis.failures import MAX_NAMED, MAX_REASON, counts_of, failures_of
from wrn_search.analysis.input_tables.joined_tables import material_of
from wrn_search.results.trial_state import COUNTS_AS_CHANCE, STATUSES

HOSTILE = "<script>alert(1)</script>\n\x1b[31m second line"


def test_counts_and_reasons(tmp_path):
    ends = {
        0: ("failed", HOSTILE),
        1: ("failed", "  out of memory\n  trace"),
        2: ("failed", "out of memory"),
        3: ("diverged", "train loss is nan"),
        4: ("interrupted", "SIGINT"),
        5: ("running", None),
        6: ("failed", None),
    }
    material = material_of([plant(tmp_path / "a", Plan(ends=ends))])
    counts = counts_of(material)
    assert counts.by_status == {
        "completed": 9,
        "diverged": 1,
        "failed": 4,
        "interrupted": 1,
        "running": 1,
        "stopped": 0,
    }
    assert sum(counts.by_status.values()) == counts.trials == 16
    assert set(counts.by_status) == STATUSES
    assert (counts.ended, counts.configurations, counts.networks) == (14, 16, 16)
    assert counts.epochs_done == material.trials["epochs_done"].sum()
    assert counts.train_hours == pytest.approx(material.epochs["seconds"].sum() / 3600)
    assert [
        (reason.status, reason.reason, reason.count, reason.trials) for reason in failures_of(material)
    ] == [
        ("failed", "out of memory", 2, (1, 2)),
        ("diverged", "train loss is nan", 1, (3,)),
        ("failed", "<script>alert(1)</script>", 1, (0,)),
        ("failed", "no reason on record", 1, (6,)),
        ("interrupted", "SIGINT", 1, (4,)),
    ]


def test_long_reasons_and_long_lists_are_cut_but_counted(tmp_path):
    search = {"searcher": "grid", "scheduler": "none", "repeats": 10}
    ends = dict.fromkeys(range(MAX_NAMED + 20), ("failed", "x" * 1000))
    (reason,) = failures_of(material_of([plant(tmp_path / "a", Plan(search=search, ends=ends))]))
    assert (len(reason.reason), reason.count, len(reason.trials)) == (MAX_REASON, MAX_NAMED + 20, MAX_NAMED)


def test_what_counts_with_the_error_of_chance_is_said_to(tmp_path):
    """A trial that ran out of memory or diverged; the report says that it is a convention."""
    ends = {
        0: ("failed", f"out of memory\n{COUNTS_AS_CHANCE}"),
        1: ("diverged", "nan"),
        2: ("failed", "crashed"),
    }
    ends[3] = ("interrupted", "SIGINT")
    reasons = failures_of(material_of([plant(tmp_path / "a", Plan(ends=ends))]))
    assert {reason.reason: reason.at_chance for reason in reasons} == {
        "out of memory": True,
        "nan": True,
        "crashed": False,
        "SIGINT": False,
    }


def test_nothing_went_wrong(tmp_path):
    assert failures_of(material_of([plant(tmp_path / "a")])) == ()
