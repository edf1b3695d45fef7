"""Shares of a GPU by what a trial needs, and what probes and failures teach."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrn_search.memory.gpu_shares import (
    NO_CORRECTION,
    SHARES,
    Correction,
    ProbeResult,
    after_too_little,
    correction_of,
    needed_bytes,
    next_share,
    room_bytes,
    smallest_share,
)
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.networks.architecture import Architecture

GB = 10**9
WRN_28_10 = Workload(Architecture.of(28, 10))


@pytest.mark.parametrize(
    ("needed", "gpu", "share"),
    [(1, 80, 1 / 8), (9, 80, 1 / 8), (9.5, 80, 1 / 4), (30, 80, 1 / 2), (60, 80, 1.0), (80, 80, None)],
)
def test_the_smallest_class_that_fits_beside_the_context(
    needed: float, gpu: int, share: float | None
) -> None:
    assert smallest_share(int(needed * GB), gpu * GB, context_bytes=GB // 2 + 1) == share


@given(st.integers(0, 10**12), st.integers(10**9, 10**12))
def test_a_share_holds_what_is_needed_and_no_smaller_one_does(needed: int, gpu_bytes: int) -> None:
    share = smallest_share(needed, gpu_bytes)

    fitting = [each for each in SHARES if room_bytes(each, gpu_bytes) >= needed]
    assert share == (min(fitting) if fitting else None)


def test_shares_go_up_to_a_whole_gpu() -> None:
    chain = [SHARES[0]]
    while (larger := next_share(chain[-1])) is not None:
        chain.append(larger)
    assert chain == list(SHARES) == [1 / 8, 1 / 4, 1 / 2, 1]


def test_without_a_probe_the_prediction_stands() -> None:
    assert correction_of([]) == NO_CORRECTION


def test_two_probes_tell_what_is_constant_from_what_grows() -> None:
    """Made by a device that takes 1.2 times the prediction and 100 MB: the large trial's need is met within 1 %."""
    small, large = (
        ProbeResult(predicted, int(1.2 * predicted) + 10**8, context_bytes=7 * 10**8)
        for predicted in (2 * 10**8, 10 * GB)
    )
    correction = correction_of([large, small])

    assert correction.context_bytes == 7 * 10**8
    for probe in (small, large):
        corrected = correction.factor * probe.predicted_bytes + correction.extra_bytes
        assert probe.reserved_bytes <= corrected + 1
        assert corrected <= 1.01 * probe.reserved_bytes + 4 * 10**7


@given(
    st.lists(
        st.builds(ProbeResult, st.integers(10**6, 10**11), st.integers(1, 10**11), st.integers(0, 10**9)),
        min_size=1,
        max_size=2,
    )
)
def test_what_was_probed_is_never_under(probes: list[ProbeResult]) -> None:
    correction = correction_of(probes)

    for probe in probes:
        assert (
            correction.factor * probe.predicted_bytes + correction.extra_bytes >= 0.999 * probe.reserved_bytes
        )


def test_a_probe_below_the_prediction_lowers_it_by_a_fifth_at_most() -> None:
    assert correction_of([ProbeResult(GB, GB // 10, 0)]).factor == 0.8


def test_after_too_little_the_same_training_asks_for_more_room() -> None:
    gpu = 16 * GB
    needed = needed_bytes(WRN_28_10)
    share = smallest_share(needed, gpu)
    assert share is not None
    learned = after_too_little(NO_CORRECTION, needed, room_bytes(share, gpu))

    again = needed_bytes(WRN_28_10, learned)
    assert smallest_share(again, gpu) == next_share(share)
    # A training that needs a tenth is moved in proportion, not to the next class for nothing.
    small = replace(WRN_28_10, batch_size=8)
    assert needed_bytes(small, learned) / needed_bytes(small) == pytest.approx(again / needed, rel=1e-6)


def test_a_failure_within_what_is_known_teaches_nothing() -> None:
    known = Correction(factor=2.0)

    assert after_too_little(known, predicted_bytes=GB, room=GB) is known


def test_a_failure_far_from_the_prediction_moves_others_by_a_quarter_at_most() -> None:
    assert after_too_little(NO_CORRECTION, predicted_bytes=GB, room=50 * GB).factor == 1.25
