"""Momentum that restarts at drops, a last batch that is kept, uniform weights: against plain SGD, exactly resumed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.training.trainings import config_of, differences, learned, new_training, run_to_the_end, state_of
from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.checkpoints.checkpoint_file import load_checkpoint, save_checkpoint
from wrn_search.training.learning_rate import restarts_momentum
from wrn_search.training.loss import training_loss
from wrn_search.training.optimiser import build_optimiser

AUTHORS = {
    "bn_weight": "uniform",
    "linear_init": "uniform",
    "momentum_at_drops": "restart",
    "last_batch": "keep",
}


def test_momentum_restarts_in_the_first_epoch_after_each_drop_of_a_step_schedule() -> None:
    config = config_of(epochs=200, lr_drops=(0.3, 0.6, 0.8), momentum_at_drops="restart")
    assert [epoch for epoch in range(1, 201) if restarts_momentum(epoch, config)] == [60, 120, 160]
    for other in ({"momentum_at_drops": "keep"}, {"lr_schedule": "cosine"}, {"lr_drops": ()}):
        changed = config_of(**{"epochs": 200, "momentum_at_drops": "restart", **other})
        assert not any(restarts_momentum(epoch, changed) for epoch in range(1, 201))


def test_a_restart_is_the_rebuilt_optimiser_of_the_authors() -> None:
    config = config_of(epochs=2, lr_drops=(0.9,), momentum_at_drops="restart", dropout=0.0)
    assert restarts_momentum(2, config)
    ours, theirs = new_training(config), new_training(config)
    run_to_the_end(ours)
    theirs.run_epoch()
    # As tablex.deepcopy(opt) makes a new state.
    theirs.optimiser.load_state_dict(build_optimiser(theirs.network, config).state_dict())
    theirs.run_epoch()
    kept = new_training(config_of(epochs=2, lr_drops=(0.9,), dropout=0.0))
    run_to_the_end(kept)
    weights = [training.network.linear.weight for training in (ours, theirs, kept)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_smaller_last_batch_weighs_less_in_the_mean_loss() -> None:
    config = config_of(epochs=1, batch_size=150, last_batch="keep", learning_rate=1e-9, dropout=0.0)
    training, twin = new_training(config), new_training(config)
    batches = list(twin.train_batches.epoch(twin.randomness.batches))
    assert [len(labels) for _, labels in batches] == [150, 50]
    twin.network.train()
    losses = [training_loss(twin.network(inputs), labels).item() for inputs, labels in batches]
    assert training.run_epoch().train_loss == pytest.approx((3 * losses[0] + losses[1]) / 4, rel=1e-5)
    assert abs(losses[0] - losses[1]) > 1e-3


def test_the_whole_recipe_goes_on_from_a_checkpoint_bit_by_bit(tmp_path: Path) -> None:
    config = config_of(
        **AUTHORS, dataset=config_of().dataset.model_copy(update={"augmentation": "flip_crop_batch"})
    )
    straight = new_training(config)
    epochs = [learned(straight.run_epoch())]
    straight.save(tmp_path / "first.pt")
    epochs += [learned(metrics) for metrics in run_to_the_end(straight)]
    again = new_training(config)
    again.restore(tmp_path / "first.pt")
    assert [learned(metrics) for metrics in run_to_the_end(again)] == epochs[1:]
    assert differences(state_of(again, tmp_path), state_of(straight, tmp_path)) == []


def test_a_checkpoint_of_before_these_keys_is_one_of_their_defaults(tmp_path: Path) -> None:
    training = new_training(config_of(epochs=2))
    training.run_epoch()
    training.save(tmp_path / "new.pt")
    state = load_checkpoint(tmp_path / "new.pt")
    for name in AUTHORS:
        del state["config"][name]
    save_checkpoint(tmp_path / "old.pt", state)
    again = new_training(config_of(epochs=2))
    again.restore(tmp_path / "old.pt")
    assert again.epoch == 1
    with pytest.raises(Exception, match="last_batch must be keep, but is drop"):
        new_training(config_of(epochs=2, last_batch="keep")).restore(tmp_path / "old.pt")


def test_a_config_of_before_these_keys_is_trained_as_then() -> None:
    values = config_of().to_dict()
    old = {name: value for name, value in values.items() if name not in AUTHORS}
    assert TrialConfig.from_dict(old) == config_of()
