"""Timing: every network in every round, each with its batch, and torch's threads as they were."""

from __future__ import annotations

import pytest
import torch

from wrn_search.networks.network_names import named_network
from wrn_search.speed.timed_networks import Batch, Setting, timed_networks


@pytest.mark.parametrize("clock", ["wall", "cpu"])
def test_each_network_is_timed_in_each_round(clock: str) -> None:
    before, told = torch.get_num_threads(), []
    batches = {
        "WRN-10-0.5": Batch(4, (8, 8, 3), 10),
        "ResNet-8": Batch(4, (8, 8, 3), 10),
        "WRN-18-0.125": Batch(2, (64, 64, 3), 5),
    }
    networks = [(named_network(name), batch) for name, batch in batches.items()]
    timed = timed_networks(networks, Setting("cpu", "fp32", 1, rounds=2, clock=clock), told.append)

    assert [(each.network.name, each.batch) for each in timed] == list(batches.items())
    assert all(len(each.milliseconds) == 2 for each in timed)
    assert all(0 < value < 60_000 for each in timed for value in each.milliseconds)
    assert told[-2:] == ["round 1 of 2", "round 2 of 2"]
    assert torch.get_num_threads() == before
