"""Streamed batches: every image once, the same with any number of workers and in any process, broken files told."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.datasets.imagenet.imagenet_data import write_imagenet
from wrn_search.datasets.image_decoding import decode_image
from wrn_search.datasets.image_fit import ImageFit
from wrn_search.errors import InputError
from wrn_search.images.normalisation_and_zca import IMAGENET_MEAN, IMAGENET_STD
from wrn_search.images.prepared_data import PreparedData, prepare
from wrn_search.images.streamed.decoding_workers import decoding_workers
from wrn_search.images.streamed.prepared_listing import Listing
from wrn_search.images.streamed.streamed_batches import (
    StreamedEvaluationBatches,
    StreamedTrainBatches,
)
from wrn_search.space.dataset_section import DatasetSettings

SIZE = 24


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_imagenet(tmp_path_factory.mktemp("imagenet"), train_each=30)


@pytest.fixture(scope="module")
def data(root: Path) -> PreparedData:
    return prepare(settings(root))


def settings(root: Path, **changes: object) -> DatasetSettings:
    values = {"name": "imagenet", "root": str(root), "image_size": SIZE, "validation": 20}
    return DatasetSettings.model_validate(values | changes)


def an_epoch(data: PreparedData, seed: int = 0, **arguments: object) -> list[tuple[Tensor, Tensor]]:
    values: dict[str, object] = {"batch_size": 40, "augmentation": "resized_crop_colour", "workers": 0}
    batches = StreamedTrainBatches(data, **(values | arguments))  # type: ignore[arg-type]
    found = list(batches.epoch(torch.Generator().manual_seed(seed)))
    assert len(batches) == len(found)
    assert batches.num_images == sum(len(labels) for _, labels in found)
    return found


def is_same(left: list[tuple[Tensor, Tensor]], right: list[tuple[Tensor, Tensor]]) -> bool:
    pairs = zip(left, right, strict=True)
    return all(torch.equal(a, c) and torch.equal(b, d) for (a, b), (c, d) in pairs)


def test_workers_change_nothing(data: PreparedData) -> None:
    """40 images a batch are two parts, of 32 and of 8: both workers decode some of each."""
    here = an_epoch(data)
    assert is_same(here, an_epoch(data, workers=1))
    assert is_same(here, an_epoch(data, workers=2))
    assert not is_same(here, an_epoch(data, seed=1))


def test_a_second_epoch_uses_the_same_workers_and_draws_anew(data: PreparedData) -> None:
    batches = StreamedTrainBatches(data, batch_size=40, augmentation="resized_crop", workers=1)
    generator = torch.Generator().manual_seed(0)
    epochs = [list(batches.epoch(generator)) for _ in range(2)]
    again = StreamedTrainBatches(data, batch_size=40, augmentation="resized_crop", workers=0)
    generator = torch.Generator().manual_seed(0)
    assert all(is_same(epoch, list(again.epoch(generator))) for epoch in epochs)
    assert not is_same(*epochs)


def test_an_epoch_that_is_left_disturbs_none_after_it(data: PreparedData) -> None:
    """As where a loss turned out not to be finite."""
    batches = StreamedTrainBatches(data, batch_size=8, augmentation="resized_crop", workers=1)
    next(batches.epoch(torch.Generator().manual_seed(5)))
    found = list(batches.epoch(torch.Generator().manual_seed(0)))
    assert is_same(found, an_epoch(data, batch_size=8, augmentation="resized_crop"))


def test_draws_leave_the_process_its_own(data: PreparedData) -> None:
    torch.manual_seed(3)
    wanted = torch.rand(4)
    torch.manual_seed(3)
    an_epoch(data)
    assert torch.equal(torch.rand(4), wanted)


def test_every_image_comes_once_with_its_own_label(data: PreparedData, root: Path) -> None:
    """Not augmented, an image is known by its pixels."""
    found = an_epoch(data, augmentation="none", keeps_last_batch=True)
    assert [len(labels) for _, labels in found] == [40, 40, 20]
    listing = Listing.of_split(data.directory, "train")
    names = [listing.name(index) for index in range(len(listing))]
    seen = {
        expected(root, name).tobytes(): int(label) for name, label in zip(names, listing.labels, strict=True)
    }
    assert len(seen) == 100
    told = {
        image.permute(1, 2, 0).contiguous().numpy().tobytes(): int(label)
        for inputs, labels in found
        for image, label in zip(inputs, labels, strict=True)
    }
    assert told == seen
    assert an_epoch(data, augmentation="none")[-1][1].shape == (40,)  # what is left is dropped


def expected(root: Path, name: str) -> np.ndarray:
    """(S, S, 3) as evaluated, by another way: the shorter side scaled, the centre cut out, the paper's constants."""
    pixels = decode_image(name, root / name, fit=ImageFit(SIZE, "centre")).pixels
    colours = np.broadcast_to(pixels, (SIZE, SIZE, 3)).astype(np.float32)
    mean, std = (np.float32(255 * np.array(values)) for values in (IMAGENET_MEAN, IMAGENET_STD))
    normalised: np.ndarray = (colours - mean) / std
    return normalised


def test_parts_of_batches_make_up_the_batches(data: PreparedData) -> None:
    """Every other image each, drawn as for the whole; of 20 left over three have 6 each."""
    whole = an_epoch(data, keeps_last_batch=True)
    for size in (2, 3):
        parts = [an_epoch(data, keeps_last_batch=True, part=(rank, size)) for rank in range(size)]
        for rank, part in enumerate(parts):
            for (inputs, labels), (all_inputs, all_labels) in zip(part, whole, strict=True):
                end = size * (len(all_labels) // size)
                assert torch.equal(labels, all_labels[rank:end:size])
                assert torch.equal(inputs, all_inputs[rank:end:size])
    assert [len(labels) for _, labels in an_epoch(data, part=(1, 3))] == [13, 13]


def test_evaluation_sees_every_image_once_in_order(data: PreparedData, root: Path) -> None:
    listing = Listing.of_split(data.directory, "validation")
    for workers in (0, 2):
        batches = StreamedEvaluationBatches(data, batch_size=16, workers=workers)
        passes = [list(batches) for _ in range(2)]
        assert is_same(*passes)
        assert batches.num_images == 20
        assert torch.cat([labels for _, labels in passes[0]]).tolist() == listing.labels.tolist()
        inputs = torch.cat([inputs for inputs, _ in passes[0]])
        assert inputs.is_contiguous(memory_format=torch.channels_last)
        images = inputs.permute(0, 2, 3, 1).numpy()
        np.testing.assert_array_equal(images, [expected(root, listing.name(at)) for at in range(20)])


def test_a_file_that_went_bad_is_told_and_ends_the_epoch(tmp_path: Path) -> None:
    """It was whole when it was listed."""
    root = write_imagenet(tmp_path)
    data = prepare(settings(root, validation=8))
    name = Listing.of_split(data.directory, "train").name(0)
    (root / name).write_bytes((root / name).read_bytes()[:300])
    for workers in (0, 1):
        with pytest.raises(InputError, match=rf"every image must be readable, but got .*\({name}\)"):
            an_epoch(data, batch_size=8, workers=workers)
    (root / name).unlink()
    with pytest.raises(InputError, match=f"No such file or directory.*{name}"):
        an_epoch(data, batch_size=8, workers=1)


def test_a_batch_larger_than_the_training_images_is_refused(data: PreparedData) -> None:
    with pytest.raises(InputError, match="must be at most 100, the number of training images, but got 101"):
        StreamedTrainBatches(data, batch_size=101, augmentation="none")


def test_workers_end_with_the_batches(data: PreparedData) -> None:
    before = children()
    batches = StreamedTrainBatches(data, batch_size=40, augmentation="none", workers=2)
    next(batches.epoch(torch.Generator()))
    assert len(children() - before) == 2
    del batches
    assert children() <= before


def children() -> set[int]:
    """Process ids of this process's own, as Linux tells them."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == os.getpid() and fields[0] != "Z":
                found.add(int(entry.name))
    return found


def test_cores_of_a_trial_become_workers() -> None:
    assert [decoding_workers(threads, on_gpu=True) for threads in (1, 2, 8, 16)] == [1, 1, 7, 15]
    assert [decoding_workers(threads, on_gpu=False) for threads in (1, 8, 16)] == [1, 1, 2]


def test_balanced_sampling_shows_each_class_equally_often(data: PreparedData) -> None:
    drawn = [
        torch.cat([labels for _, labels in an_epoch(data, sampling=each)]) for each in ("uniform", "balanced")
    ]
    assert len(drawn[0]) == len(drawn[1])
    counts = torch.bincount(drawn[1], minlength=data.num_classes)
    assert int(counts.max() - counts.min()) <= 1
    assert is_same(an_epoch(data, sampling="balanced"), an_epoch(data, sampling="balanced"))
