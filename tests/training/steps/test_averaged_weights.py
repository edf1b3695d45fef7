"""The moving average against torch's own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from tests.training.trainings import config_of, new_training
from wrn_search.training.steps.averaged_weights import AveragedWeights


@pytest.mark.parametrize("decay", [0.5, 0.99])
def test_it_is_torchs_averaged_model(decay: float) -> None:
    network = new_training(config_of()).network
    ours = AveragedWeights(network, decay)
    theirs = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
    generator = torch.Generator().manual_seed(0)
    for _ in range(5):
        with torch.no_grad():
            for tensor in network.state_dict().values():
                tensor += torch.ones_like(tensor) + torch.rand(tensor.shape, generator=generator).to(
                    tensor.dtype
                )
        ours.update()
        theirs.update_parameters(network)
    expected = theirs.module.state_dict()
    counted = [name for name in expected if name.endswith("num_batches_tracked")]

    assert ours.values.keys() == expected.keys()
    for name, value in ours.values.items():
        if name not in counted:  # of which an average says nothing: they are those of the last step
            torch.testing.assert_close(value, expected[name], msg=name)
    assert {int(ours.values[name]) for name in counted} == {5}


def test_its_error_is_that_of_a_network_with_its_weights() -> None:
    training = new_training(config_of(ema=0.9, learning_rate=0.02))
    for _ in range(2):
        metrics = training.run_epoch()
    assert training.val_batches is not None
    plain = {name: tensor.clone() for name, tensor in training.network.state_dict().items()}
    state = training._averaged
    assert state is not None
    training.network.load_state_dict(state.values)
    assert training.evaluate(training.val_batches, 2, "validation loss")[1] == metrics.ema_val_error
    training.network.load_state_dict(plain)
    assert training.evaluate(training.val_batches, 2, "validation loss")[1] == metrics.val_error
    # Evaluating it has not touched what is trained on.
    assert any(not torch.equal(plain[name], state.values[name]) for name in plain)


def test_training_goes_as_without_it(tmp_path: Path) -> None:
    with_it, without = (new_training(config_of(ema=ema)) for ema in (0.99, 0.0))
    for _ in range(2):
        ours, theirs = with_it.run_epoch(), without.run_epoch()
        assert (ours.train_loss, ours.val_loss) == (theirs.train_loss, theirs.val_loss)
    assert theirs.ema_val_error is None
    without.save(tmp_path / "plain.pt")
    assert "averaged" not in torch.load(tmp_path / "plain.pt", weights_only=True)["state"]
