"""Networks of every family train, and go on from a checkpoint to the same bits, stochastic depth drawn alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.training.trainings import config_of, differences, learned, new_training, state_of

FAMILIES: dict[str, dict[str, Any]] = {
    "thin": {"family": "preact_resnet", "depth": 11, "block": "bottleneck"},
    "for ImageNet": {"family": "imagenet_resnet", "depth": 18, "block": "basic", "dropout": 0.0},
}


@pytest.mark.parametrize("leaves", FAMILIES.values(), ids=FAMILIES)
def test_a_family_trains_and_goes_on_from_its_checkpoint(leaves: dict[str, Any], tmp_path: Path) -> None:
    width = 1.0 if leaves["family"] == "preact_resnet" else 0.125
    own = {"deepening_factor": None, "widen_factor": width, "stochastic_depth": 0.5, "epochs": 2}
    config = config_of(**own, **leaves)
    training = new_training(config)
    training.run_epoch()
    training.save(tmp_path / "after-1.pt")
    whole = training.run_epoch()

    resumed = new_training(config)
    resumed.restore(tmp_path / "after-1.pt")
    rest = resumed.run_epoch()

    assert learned(rest) == learned(whole)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert differences(state_of(training, tmp_path / "a"), state_of(resumed, tmp_path / "b")) == []


def test_a_checkpoint_of_before_families_is_one_of_a_wide_network(tmp_path: Path) -> None:
    import torch

    training = new_training(config_of(epochs=2))
    training.save(tmp_path / "now.pt")
    content = torch.load(tmp_path / "now.pt", weights_only=True)
    for later in ("family", "stochastic_depth"):
        del content["state"]["config"][later]
    torch.save(content, tmp_path / "before.pt")

    new_training(config_of(epochs=2)).restore(tmp_path / "before.pt")
