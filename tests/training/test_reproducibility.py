"""Same config, same bits: in another process, after an interruption, beside other trainings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.trainings import (
    DIGITS,
    config_of,
    differences,
    learned,
    new_training,
    run_in_new_process,
    run_to_the_end,
    state_of,
)
from wrn_search.training.checkpoints.checkpoint_file import load_checkpoint

EPOCHS = config_of().epochs
Straight = tuple[list[dict[str, float]], Path]


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Straight:
    """A training in a process of its own: what it learned, and the folder of its checkpoints."""
    folder = tmp_path_factory.mktemp("straight") / "run"
    return run_in_new_process(config_of(), folder), folder


LEFT_OUT = [pytest.mark.slow, pytest.mark.exhaustive]


@pytest.mark.parametrize(
    "epoch", [pytest.param(each, marks=[] if each == 2 else LEFT_OUT) for each in range(1, EPOCHS)]
)
def test_continuing_in_a_new_process_changes_no_bit(epoch: int, straight: Straight, tmp_path: Path) -> None:
    epochs, folder = straight

    continued = run_in_new_process(config_of(), tmp_path / "run", restore=folder / f"after-{epoch}.pt")

    assert continued == epochs[epoch:]
    for later in range(epoch + 1, EPOCHS + 1):
        name = f"after-{later}.pt"
        assert differences(load_checkpoint(tmp_path / "run" / name), load_checkpoint(folder / name)) == []


def test_the_same_seed_gives_the_same_bits_in_another_process(straight: Straight, tmp_path: Path) -> None:
    epochs, folder = straight
    torch.rand(7)  # the process's own generator has no part in it
    training = new_training(config_of())

    assert [learned(metrics) for metrics in run_to_the_end(training)] == epochs
    training.save(tmp_path / "end.pt")
    assert (
        differences(load_checkpoint(tmp_path / "end.pt"), load_checkpoint(folder / f"after-{EPOCHS}.pt"))
        == []
    )


def test_a_checkpoint_holds_every_weight_buffer_momentum_and_generator(straight: Straight) -> None:
    state = load_checkpoint(straight[1] / "after-1.pt")
    after = load_checkpoint(straight[1] / "after-2.pt")
    moved = differences(state, after)

    network = new_training(config_of()).network
    assert state["network"].keys() == network.state_dict().keys()
    assert {f"/network/{name}" for name in state["network"]} <= set(moved)
    for number in range(len(list(network.parameters()))):
        assert f"/optimiser/state/{number}/momentum_buffer" in moved
    assert {"/randomness/cpu", "/randomness/batches", "/history"} <= set(moved)


@pytest.mark.parametrize("changes", [{"seed": 1}, {"dropout": 0.2}, {"weight_decay": 4e-4}])
def test_another_seed_or_value_gives_other_numbers(changes: dict[str, Any], straight: Straight) -> None:
    metrics = learned(new_training(config_of(**changes)).run_epoch())

    assert metrics["train_loss"] != straight[0][0]["train_loss"]
    assert metrics["val_loss"] != straight[0][0]["val_loss"]


def test_seeds_change_the_weights_and_the_order_of_images() -> None:
    one, other = (new_training(config_of(seed=seed)) for seed in (3, 4))

    assert not torch.equal(one.network.stem.weight, other.network.stem.weight)
    first_labels = [next(each.train_batches.epoch(each.randomness.batches))[1] for each in (one, other)]
    assert not torch.equal(*first_labels)


def test_an_earlier_training_leaves_no_trace(straight: Straight) -> None:
    earlier = new_training(config_of(seed=5, widen_factor=1, precision="bf16", dropout=0.5))
    earlier.run_epoch()
    earlier.close()

    assert [learned(metrics) for metrics in run_to_the_end(new_training(config_of()))] == straight[0]


def test_trainings_that_take_turns_do_not_disturb_each_other(straight: Straight, tmp_path: Path) -> None:
    training = new_training(config_of())
    other = new_training(config_of(seed=6, widen_factor=1, learning_rate=0.03))
    epochs = []
    for _ in range(EPOCHS):
        epochs.append(learned(training.run_epoch()))
        other.run_epoch()

    assert epochs == straight[0]


def test_the_generator_of_the_process_is_left_alone() -> None:
    torch.manual_seed(11)
    before = torch.get_rng_state()
    training = new_training(config_of())
    training.run_epoch()

    assert torch.equal(torch.get_rng_state(), before)


def test_saving_and_restoring_within_a_process(tmp_path: Path) -> None:
    training = new_training(config_of())
    training.run_epoch()
    training.save(tmp_path / "after-1.pt")
    second = learned(training.run_epoch())
    end = state_of(training, tmp_path)

    training.restore(tmp_path / "after-1.pt")  # back in time
    assert training.epoch == 1
    assert learned(training.run_epoch()) == second
    assert differences(state_of(training, tmp_path), end) == []


def test_balanced_sampling_continues_and_repeats_bit_for_bit(tmp_path: Path) -> None:
    config = config_of(dataset=DIGITS.model_copy(update={"sampling": "balanced"}), epochs=3)
    straight, again = new_training(config), new_training(config)
    told = [learned(straight.run_epoch())]
    straight.save(tmp_path / "after-1.pt")
    told += [learned(metrics) for metrics in run_to_the_end(straight)]

    continued = new_training(config)
    continued.restore(tmp_path / "after-1.pt")

    assert [learned(metrics) for metrics in run_to_the_end(again)] == told
    assert [learned(metrics) for metrics in run_to_the_end(continued)] == told[1:]
    uniform = learned(new_training(config_of(epochs=3)).run_epoch())
    assert uniform["train_loss"] != told[0]["train_loss"]


def test_balanced_sampling_is_what_a_training_is_given() -> None:
    config = config_of(dataset=DIGITS.model_copy(update={"sampling": "balanced"}))
    training = new_training(config)
    labels = torch.cat([each for _, each in training.train_batches.epoch(training.randomness.batches)])
    counts = torch.bincount(labels, minlength=10)
    assert (int(counts.sum()), int(counts.max() - counts.min())) == (192, 1)
