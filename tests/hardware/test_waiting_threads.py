"""OpenMP's threads wait asleep where torch is imported for it, and the process keeps the environment that it had."""

from __future__ import annotations

import os

from wrn_search.hardware.waiting_threads import waiting_threads_asleep


def test_the_environment_is_as_before(monkeypatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    before = dict(os.environ)
    with waiting_threads_asleep():
        assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
        assert os.environ["GOMP_SPINCOUNT"] == "7"  # what the user chose stays
    assert {name: value for name, value in os.environ.items() if not name.startswith("KMP_")} == {
        name: value for name, value in before.items() if not name.startswith("KMP_")
    }
