"""Batches against an explicit pad, flip and slice; draws from the given generator and nothing else."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.datasets.image_data import random_images
from wrn_search.errors import InputError
from wrn_search.images import batches as batches_module
from wrn_search.images.augmentation import AUGMENTATIONS, pad_images
from wrn_search.images.batches import EvaluationBatches, TrainBatches
from wrn_search.images.prepared_data import PreparedData

MEAN, STD = (120.5, 100.25, 90.125), (60.5, 61.25, 62.75)


def stored(
    directory: Path,
    images: np.ndarray,
    augmentation: str,
    mean: tuple[float, ...] = MEAN,
    std: tuple[float, ...] = STD,
) -> PreparedData:
    """Prepared data whose training and validation images are the same; label = position."""
    count, labels = len(images), np.arange(len(images))
    np.save(directory / "train_images.npy", pad_images(images, AUGMENTATIONS[augmentation]))
    np.save(directory / "validation_images.npy", images)
    np.save(directory / "train_labels.npy", labels)
    np.save(directory / "validation_labels.npy", labels)
    names = tuple(str(label) for label in labels)
    shape = (images.shape[1], images.shape[2], images.shape[3])
    return PreparedData(
        directory, count, names, shape, count, count, "", 90.0, AUGMENTATIONS[augmentation].padding, mean, std
    )  # fmt: skip


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def windows(image: np.ndarray, padding: int, mode: str) -> dict[bytes, tuple[int, int, bool]]:
    """Every augmented version of an (H, W, C) image -> (top, left, flipped), made one at a time."""
    height, width, _ = image.shape
    padded = np.pad(image, ((padding, padding), (padding, padding), (0, 0)), mode=mode)  # type: ignore[call-overload]
    found = {}
    for top in range(2 * padding + 1):
        for left in range(2 * padding + 1):
            window = padded[top : top + height, left : left + width]
            found[window.tobytes()] = (top, left, False)
            found[window[:, ::-1].tobytes()] = (top, left, True)
    return found


def pixels(inputs: torch.Tensor) -> np.ndarray:
    """(B, C, H, W) inputs -> the (B, H, W, C) uint8 they were, checking the normalisation on the way."""
    mean, std = np.float32(MEAN), np.float32(STD)
    levels = np.rint(inputs.permute(0, 2, 3, 1).numpy() * std + mean).astype(np.uint8)
    np.testing.assert_array_equal(
        inputs.permute(0, 2, 3, 1).numpy(), (levels.astype(np.float32) - mean) / std
    )
    return levels


@pytest.mark.parametrize(
    ("augmentation", "padding", "mode", "versions"),
    [
        ("flip_crop", 4, "reflect", 2 * 81),
        ("crop", 4, "reflect", 81),
        ("flip", 0, "constant", 2),
        ("shift", 1, "constant", 9),
        ("none", 0, "constant", 1),
    ],
)
def test_every_version_of_every_image_occurs_and_no_other(
    tmp_path: Path, augmentation: str, padding: int, mode: str, versions: int
) -> None:
    images = random_images(8, 12, 10)
    expected = [windows(image, padding, mode) for image in images]
    batches = TrainBatches(stored(tmp_path, images, augmentation), batch_size=4, augmentation=augmentation)
    generator, epochs = seeded(), 400
    seen: Counter[tuple[int, int, bool]] = Counter()
    varied = 0  # batches whose images differ in both offsets
    for _ in range(epochs):
        for inputs, labels in batches.epoch(generator):
            drawn = [
                expected[label][image.tobytes()]
                for image, label in zip(pixels(inputs), labels.tolist(), strict=True)
            ]
            seen.update(drawn)
            varied += all(len(set(axis)) > 1 for axis in list(zip(*drawn, strict=True))[:2])
    assert len(seen) == versions
    total = 8 * epochs
    # A count is binomial: 5 deviations hold for all of 162 at once but for 1 seed in 10,000.
    share = total / versions
    assert max(abs(count - share) for count in seen.values()) < 5 * share**0.5
    # 4 images agree in an offset by chance in one of 9^3 or, with `shift`, 3^3 batches.
    assert varied > 0.9 * 2 * epochs or padding == 0
    flipped = sum(count for (_, _, flip), count in seen.items() if flip)
    assert abs(flipped - (total / 2 if AUGMENTATIONS[augmentation].flip else 0)) < 5 * (total / 4) ** 0.5


def test_images_of_a_batch_are_flipped_independently(tmp_path: Path) -> None:
    images = random_images(2, 12, 10)
    expected = [windows(image, 4, "reflect") for image in images]
    batches = TrainBatches(stored(tmp_path, images, "flip_crop"), batch_size=2, augmentation="flip_crop")
    generator = seeded()
    pairs: Counter[tuple[bool, bool]] = Counter()
    for _ in range(2000):
        ((inputs, labels),) = batches.epoch(generator)
        flips = {
            label: expected[label][image.tobytes()][2]
            for image, label in zip(pixels(inputs), labels.tolist(), strict=True)
        }
        pairs[flips[0], flips[1]] += 1
    assert all(abs(pairs[a, b] - 500) < 5 * 500**0.5 for a in (False, True) for b in (False, True))


def test_an_epoch_is_whole_batches_of_different_images_in_channels_last(tmp_path: Path) -> None:
    batches = TrainBatches(
        stored(tmp_path, random_images(11), "shift"), batch_size=4, augmentation="shift", device="cpu"
    )
    epoch = list(batches.epoch(seeded()))
    assert (len(batches), batches.num_images, len(epoch)) == (2, 8, 2)
    labels = torch.cat([labels for _, labels in epoch]).tolist()
    assert len(set(labels)) == 8
    for inputs, batch_labels in epoch:
        assert inputs.shape == (4, 3, 8, 8)
        assert inputs.dtype == torch.float32
        assert inputs.is_contiguous(memory_format=torch.channels_last)
        assert batch_labels.dtype == torch.int64


def test_the_order_is_a_new_one_each_epoch(tmp_path: Path) -> None:
    batches = TrainBatches(stored(tmp_path, random_images(50), "none"), batch_size=50, augmentation="none")
    generator = seeded()
    orders = [next(batches.epoch(generator))[1].tolist() for _ in range(3)]
    assert len({tuple(order) for order in orders}) == 3
    assert all(sorted(order) == list(range(50)) for order in orders)


def test_draws_come_from_the_given_generator_alone_and_at_once(tmp_path: Path) -> None:
    batches = TrainBatches(
        stored(tmp_path, random_images(20), "flip_crop"), batch_size=6, augmentation="flip_crop"
    )
    generator, others = seeded(5), torch.get_rng_state()
    epoch = batches.epoch(generator)
    state = generator.get_state()
    first = list(epoch)
    assert torch.equal(state, generator.get_state())
    assert torch.equal(others, torch.get_rng_state())
    torch.manual_seed(99)
    for (inputs, labels), (again, labels_again) in zip(first, batches.epoch(seeded(5)), strict=True):
        assert torch.equal(inputs, again)
        assert torch.equal(labels, labels_again)


def test_validation_images_come_in_order_each_once_and_unaugmented(tmp_path: Path) -> None:
    images = random_images(11)
    batches = EvaluationBatches(stored(tmp_path, images, "flip_crop"), batch_size=4)
    assert (len(batches), batches.num_images) == (3, 11)
    for _ in range(2):
        seen = list(batches)
        assert [len(labels) for _, labels in seen] == [4, 4, 3]
        np.testing.assert_array_equal(np.concatenate([pixels(inputs) for inputs, _ in seen]), images)
        assert torch.cat([labels for _, labels in seen]).tolist() == list(range(11))
        assert all(inputs.is_contiguous(memory_format=torch.channels_last) for inputs, _ in seen)


def test_whitened_images_are_cropped_and_given_as_they_are(tmp_path: Path) -> None:
    images = random_images(6, 12, 10).astype(np.float32) / 7
    data = stored(tmp_path, images, "flip_crop", mean=(0.0,) * 3, std=(1.0,) * 3)
    expected = [windows(image, 4, "reflect") for image in images]
    for inputs, labels in TrainBatches(data, batch_size=3, augmentation="flip_crop").epoch(seeded()):
        for image, label in zip(inputs.permute(0, 2, 3, 1).numpy(), labels.tolist(), strict=True):
            assert image.tobytes() in expected[label]
    ((inputs, _),) = EvaluationBatches(data, batch_size=6)
    np.testing.assert_array_equal(inputs.permute(0, 2, 3, 1).numpy(), images)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_batches_are_copies_that_may_be_written_to(tmp_path: Path, dtype: type) -> None:
    images = random_images(6).astype(dtype)
    data = stored(tmp_path, images, "none", mean=(0.0,) * 3, std=(1.0,) * 3)
    train = TrainBatches(data, batch_size=6, augmentation="none")
    validation = EvaluationBatches(data, batch_size=6)
    for _ in range(2):
        for inputs, labels in (next(train.epoch(seeded())), next(iter(validation))):
            np.testing.assert_array_equal(inputs.permute(0, 2, 3, 1).numpy(), images[labels])
            inputs.zero_()  # of a mapped file this would end the process


def test_single_channel_images(tmp_path: Path) -> None:
    data = stored(tmp_path, random_images(4, channels=1), "shift", mean=(10.0,), std=(5.0,))
    ((inputs, _),) = TrainBatches(data, batch_size=4, augmentation="shift").epoch(seeded())
    assert inputs.shape == (4, 1, 8, 8)
    assert inputs.is_contiguous(memory_format=torch.channels_last)


def test_a_batch_larger_than_the_training_split_is_refused(tmp_path: Path) -> None:
    data = stored(tmp_path, random_images(4), "none")
    assert len(TrainBatches(data, batch_size=4, augmentation="none")) == 1
    with pytest.raises(InputError) as error:
        TrainBatches(data, batch_size=5, augmentation="none")
    assert str(error.value) == (
        "training.batch_size: must be at most 4, the number of training images, but got 5"
    )


def test_mapping_read_only_files_warns_of_nothing(tmp_path: Path) -> None:
    data = stored(tmp_path, random_images(4), "none")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TrainBatches(data, batch_size=4, augmentation="none")
        EvaluationBatches(data, batch_size=4)


def test_a_device_keeps_one_data_set_and_never_the_test_split(tmp_path: Path) -> None:
    """A process of a confirmation trains on one set of images after the other; `meta` stands for a GPU."""
    images = random_images(6)
    device = torch.device("meta")
    for name in ("split", "joined"):
        (tmp_path / name).mkdir()
        data = stored(tmp_path / name, images, "flip_crop")
        TrainBatches(data, batch_size=2, augmentation="flip_crop", device=device)
        EvaluationBatches(data, batch_size=2, device=device)
    assert {path.parent.name for path, on in batches_module._kept if on == device} == {"joined"}

    held_out = torch.from_numpy(images), torch.arange(6)
    tests = EvaluationBatches(data, batch_size=2, device=device, held_out=held_out)
    assert {tests._images.device, tests._labels.device} == {torch.device("cpu")}
    assert {tensor.device for batch in tests for tensor in batch} == {device}


def test_a_crop_of_a_batch_is_one_for_all_and_half_of_them_are_flipped(tmp_path: Path) -> None:
    """The authors' Lua: one window a batch, and of a random order of B images the first B / 2 flipped."""
    images = random_images(14, 12, 10)
    expected = [windows(image, 4, "reflect") for image in images]
    name = "flip_crop_batch"
    batches = TrainBatches(stored(tmp_path, images, name), batch_size=7, augmentation=name)
    generator = seeded()
    seen, flipped = Counter[tuple[int, int]](), Counter[int]()
    for _ in range(200):
        for inputs, labels in batches.epoch(generator):
            drawn = [
                expected[label][image.tobytes()]
                for image, label in zip(pixels(inputs), labels.tolist(), strict=True)
            ]
            assert len({place[:2] for place in drawn}) == 1
            assert sum(flip for *_, flip in drawn) == 3
            seen[drawn[0][:2]] += 1
            flipped.update(label for label, (*_, flip) in zip(labels.tolist(), drawn, strict=True) if flip)
    assert 70 < len(seen) <= 81  # of 400 draws all but half a window of 81 are to be expected
    assert all(50 < flipped[label] < 121 for label in range(14))  # 3/7 of 200 each, within five deviations


@pytest.mark.parametrize("augmentation", ["flip_crop", "flip_crop_batch", "none"])
def test_a_last_batch_that_is_kept_holds_what_is_left_once(tmp_path: Path, augmentation: str) -> None:
    data = stored(tmp_path, random_images(11, 12, 10), augmentation)
    kept = TrainBatches(data, batch_size=4, augmentation=augmentation, keeps_last_batch=True)
    dropped = TrainBatches(data, batch_size=4, augmentation=augmentation)
    assert (len(kept), kept.num_images, len(dropped), dropped.num_images) == (3, 11, 2, 8)
    drawn = list(kept.epoch(seeded()))
    assert [len(labels) for _, labels in drawn] == [4, 4, 3]
    assert sorted(label for _, labels in drawn for label in labels.tolist()) == list(range(11))
    again = list(kept.epoch(seeded()))
    assert all(torch.equal(one, other) for (one, _), (other, _) in zip(drawn, again, strict=True))


def test_nothing_is_left_of_whole_batches(tmp_path: Path) -> None:
    data = stored(tmp_path, random_images(8, 12, 10), "flip_crop")
    kept = TrainBatches(data, batch_size=4, augmentation="flip_crop", keeps_last_batch=True)
    dropped = TrainBatches(data, batch_size=4, augmentation="flip_crop")
    pairs = zip(kept.epoch(seeded()), dropped.epoch(seeded()), strict=True)
    assert all(torch.equal(one, other) for (one, _), (other, _) in pairs)


def test_a_data_set_that_stays_mapped_gives_the_same_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a GPU, where there is one: gathered from the map and copied, rather than from a copy of all."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    data = stored(tmp_path, random_images(20), "flip_crop")
    found = []
    for largest in (10**9, 0):
        monkeypatch.setattr("wrn_search.images.on_disk.stays_mapped.LARGEST_COPY", largest)
        train = TrainBatches(data, batch_size=8, augmentation="flip_crop", device=device)
        evaluated = EvaluationBatches(data, batch_size=8, device=device)
        found.append([*train.epoch(seeded()), *evaluated])
    for (images, labels), (others, their_labels) in zip(*found, strict=True):
        assert (
            images.device.type
            == others.device.type
            == labels.device.type
            == their_labels.device.type
            == device
        )
        assert torch.equal(images, others)
        assert torch.equal(labels, their_labels)


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="needs Linux's count of a process's own memory"
)
def test_an_epoch_of_mapped_images_takes_no_memory_for_them(tmp_path: Path) -> None:
    """120 MB of which a batch has 0.8: what is mapped is the system's to keep or to drop."""
    images = np.lib.format.open_memmap(
        tmp_path / "train_images.npy", mode="w+", dtype=np.uint8, shape=(2400, 128, 130, 3)
    )
    images[::100] = 7
    images.flush()
    del images
    np.save(tmp_path / "train_labels.npy", np.arange(2400) % 10)
    names = tuple(map(str, range(10)))
    data = PreparedData(tmp_path, 10, names, (128, 130, 3), 2400, 0, "", 90.0, 0, MEAN, STD)
    batches = TrainBatches(data, batch_size=16, augmentation="none", sampling="balanced")
    next(batches.epoch(seeded()))  # what the first batch of a process takes for good
    before = most = _own_bytes()
    for number, _ in enumerate(batches.epoch(seeded())):
        most = max(most, _own_bytes()) if number % 8 == 0 else most
    assert most - before < 40e6, (most - before) / 1e6


def _own_bytes() -> int:
    """Memory of this process that no file stands behind."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))
