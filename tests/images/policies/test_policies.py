"""A policy on whole batches against its operations on one image after another; how evenly it draws; the same bits."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.images.policies.test_image_operations import SIGNED, on_a_batch, photographs
from tests.images.test_batches import seeded, stored
from wrn_search.images.batches import TrainBatches
from wrn_search.images.policies.policies import OPERATIONS, POLICIES, STRENGTHS, Drawn, PolicyOfAnEpoch

SIDES = (14, 12)
CPU = torch.device("cpu")


def drawn_by(name: str, steps: int, batch_size: int, seed: int = 0) -> Drawn:
    return POLICIES[name](steps, batch_size, SIDES, seeded(seed))


def one_by_one(images: Tensor, drawn: Drawn, step: int) -> Tensor:
    """A batch of an epoch, each image by itself."""
    done = []
    for place, image in enumerate(images):
        for operations, strengths in zip(drawn.operations[:, step], drawn.strengths[:, step], strict=True):
            image = on_a_batch(OPERATIONS[operations[place]], image[None], strengths[place, None])[0]
        done.append(image)
    return torch.stack(done)


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("together", [1, 2, 8])
def test_each_image_gets_what_was_drawn_for_it(name: str, together: int) -> None:
    images, sizes = photographs(20), [8, 8, 4]
    drawn, batches = drawn_by(name, 3, 8), torch.split(images, sizes)
    policy = PolicyOfAnEpoch(name, sizes, SIDES, seeded(), CPU, together=together)
    ours = list(policy.applied(iter(batch.clone() for batch in batches)))
    assert [len(batch) for batch in ours] == sizes
    for step, (batch, changed) in enumerate(zip(batches, ours, strict=True)):
        assert torch.equal(changed, one_by_one(batch, drawn, step))
    assert not torch.equal(torch.cat(ours), images)


def test_trivial_draws_one_of_all_operations_and_strengths_evenly_and_half_of_the_signs() -> None:
    drawn = drawn_by("trivial", 100, 500)
    assert drawn.operations.shape == (1, 100, 500)
    counts = Counter(drawn.operations.flatten().tolist())
    share = 50_000 / len(OPERATIONS)
    assert all(abs(counts[number] - share) < 5 * share**0.5 for number in range(len(OPERATIONS)))
    for number, name in enumerate(OPERATIONS):
        own = drawn.strengths[drawn.operations == number]
        assert bool((own < 0).any()) == (name in SIGNED)
    sheared = drawn.strengths[drawn.operations == OPERATIONS.index("shear_x")]
    values = Counter((sheared.abs() / 0.99 * (STRENGTHS - 1)).round().tolist())
    share = len(sheared) / STRENGTHS
    assert all(abs(values[step] - share) < 5 * share**0.5 for step in range(STRENGTHS))
    assert abs(int((sheared < 0).sum()) - (len(sheared) - values[0]) / 2) < 5 * (len(sheared) / 4) ** 0.5


def test_randaugment_draws_two_operations_independently_at_the_same_strength() -> None:
    drawn = drawn_by("randaugment", 100, 500)
    pairs = Counter(zip(*(round_.flatten().tolist() for round_ in drawn.operations), strict=True))
    share = 50_000 / len(OPERATIONS) ** 2
    assert len(pairs) == len(OPERATIONS) ** 2
    assert all(abs(count - share) < 5 * share**0.5 for count in pairs.values())
    degrees = drawn.strengths[drawn.operations == OPERATIONS.index("rotate")]
    assert sorted(set(degrees.tolist())) == [-9, 9]


def test_color_jitter_changes_three_things_in_every_order_by_factors_around_1() -> None:
    drawn = drawn_by("color_jitter", 60, 100)
    orders = Counter(zip(*(round_.flatten().tolist() for round_ in drawn.operations), strict=True))
    assert {tuple(sorted(OPERATIONS[number] for number in order)) for order in orders} == {
        ("brightness", "colour", "contrast")
    }
    assert len(orders) == 6
    assert all(abs(count - 1000) < 5 * 1000**0.5 for count in orders.values())
    assert -0.4 <= drawn.strengths.min() < -0.399
    assert 0.399 < drawn.strengths.max() <= 0.4
    assert abs(float(drawn.strengths.mean())) < 0.01


@pytest.mark.parametrize("name", POLICIES)
def test_batches_have_the_order_and_windows_of_flip_crop_and_the_policy_after_them(
    name: str, tmp_path: Path
) -> None:
    images = photographs(22).numpy()
    data = stored(tmp_path, images, "flip_crop", mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    generator = seeded(3)
    plain, changed = (
        list(TrainBatches(data, batch_size=8, augmentation=augmentation, keeps_last_batch=True).epoch(draws))
        for augmentation, draws in (("flip_crop", generator), (name, seeded(3)))
    )
    drawn = POLICIES[name](3, 8, SIDES, generator)  # it goes on from there
    for step, ((windows, labels), (inputs, same_labels)) in enumerate(zip(plain, changed, strict=True)):
        assert torch.equal(labels, same_labels)
        assert inputs.is_contiguous(memory_format=torch.channels_last)
        as_stored = windows.permute(0, 2, 3, 1).to(torch.uint8)
        assert torch.equal(inputs.permute(0, 2, 3, 1), one_by_one(as_stored, drawn, step).to(torch.float32))


@pytest.mark.parametrize("name", [*POLICIES, *(f"shift_{name}" for name in POLICIES)])
def test_an_epoch_is_drawn_from_its_generator_alone_and_at_once(name: str, tmp_path: Path) -> None:
    batches = TrainBatches(stored(tmp_path, photographs(20).numpy(), name), batch_size=6, augmentation=name)
    generator, others = seeded(5), torch.get_rng_state()
    epoch = batches.epoch(generator)
    state = generator.get_state()
    first = [inputs for inputs, _ in epoch]
    assert torch.equal(state, generator.get_state())
    assert torch.equal(others, torch.get_rng_state())
    again = [inputs for inputs, _ in batches.epoch(seeded(5))]
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))


def test_after_a_shift_nothing_is_mirrored(tmp_path: Path) -> None:
    images = photographs(22).numpy()
    data = stored(tmp_path, images, "shift_trivial", mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    generator = seeded(3)
    plain = list(TrainBatches(data, batch_size=22, augmentation="shift").epoch(generator))
    changed = list(TrainBatches(data, batch_size=22, augmentation="shift_trivial").epoch(seeded(3)))
    drawn = POLICIES["trivial"](1, 22, SIDES, generator)
    as_stored = plain[0][0].permute(0, 2, 3, 1).to(torch.uint8)
    assert torch.equal(changed[0][0].permute(0, 2, 3, 1), one_by_one(as_stored, drawn, 0).to(torch.float32))
