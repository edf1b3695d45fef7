"""The test split: the one way to a data set's test files, and only `readings/`, which counts them, imports it."""

from __future__ import annotations

import numpy as np
import torch

from wrn_search.datasets.dataset import Images, LabelledImages, ListedImages, bad_data
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.errors import InputError
from wrn_search.images.batches import EvaluationBatches
from wrn_search.images.checks_of_images import digests_of
from wrn_search.images.prepared_data import PreparedData, fitted_preprocessing, training_digests
from wrn_search.images.streamed.prepared_listing import Listing
from wrn_search.images.streamed.streamed_batches import StreamedEvaluationBatches
from wrn_search.space.data_folders import place_of
from wrn_search.space.dataset_section import DatasetSettings


def check_test_split(dataset: DatasetSettings, class_names: tuple[str, ...]) -> None:
    """Sees to it, before hours of training, that a test split is there whose classes are those that are trained on.

    Looks at names of files and folders, at checksums, and at what Parquet files say of themselves; what torchvision
    knows is downloaded where it is absent.

    Raises:
        InputError: it is not there, or has other classes.
    """
    try:
        DATASETS[dataset.name].check_test_images(place_of(dataset), class_names)
    except OSError as error:
        raise _unreadable(error) from None


def look_for_test_split(dataset: DatasetSettings) -> None:
    """The same before any image is prepared, for a plan: of files that a user may change; downloads nothing.

    Raises:
        InputError: see `check_test_split`; or the training images are not there.
    """
    if (class_names := DATASETS[dataset.name].class_names) is not None:
        try:
            names = class_names(place_of(dataset))
        except OSError as error:
            raise InputError.of(
                "dataset.root", f"must be a folder that can be read, but got: {error}"
            ) from None
        check_test_split(dataset, names)


def checked_test_split(dataset: DatasetSettings, data: PreparedData) -> list[str]:
    """Decodes all test files that a user may change as a retraining's end will, and forgets them: no network sees them.

    Returns what a user should know of them, a line each.

    Raises:
        InputError: see `read_test_split`.
    """
    check_test_split(dataset, data.class_names)
    if data.files is not None:  # too many to be compared with those that are trained on, pixel for pixel
        _listed(dataset, data)
        return []
    digests = training_digests(dataset)
    if digests is None:  # fixed by checksums
        return []
    split = read_test_split(dataset, data)
    seen = int(np.isin(digests_of(split.images), digests).sum())
    if not seen:
        return []
    rule = f"{seen:,} of {len(split.labels):,} test images are also trained on, pixel for pixel"
    return [f"{rule}: test errors will be too low"]


def read_test_split(dataset: DatasetSettings, data: PreparedData) -> LabelledImages:
    """The test images of a data set whose training images are `data`.

    Raises:
        InputError: they are not there, not as they must be, or unlike the training images.
    """
    check_test_split(dataset, data.class_names)
    try:
        split = DATASETS[dataset.name].read_test_images(place_of(dataset), data.class_names)
    except OSError as error:
        raise _unreadable(error) from None
    stray = split.labels[(split.labels < 0) | (split.labels >= data.num_classes)]
    if len(stray):
        rule = f"test labels must be those of the training images, 0 to {data.num_classes - 1}"
        raise bad_data(rule, f"{stray[0]}")
    return LabelledImages(_in_colours_of(split.images, data), split.labels)


def batches_of_test_split(
    dataset: DatasetSettings,
    data: PreparedData,
    batch_size: int,
    device: str | torch.device = "cpu",
    workers: int = 1,
) -> EvaluationBatches | StreamedEvaluationBatches:
    """The test images, prepared with what was fitted to the images that were trained on; on the CPU until needed.

    `workers`: processes that decode, for images that are decoded when they are evaluated.

    Raises:
        InputError: see `read_test_split`.
    """
    if data.files is not None:
        listing = Listing.of(_listed(dataset, data))
        return StreamedEvaluationBatches(
            data, batch_size=batch_size, device=device, workers=workers, listing=listing
        )
    split = read_test_split(dataset, data)
    stored = fitted_preprocessing(dataset).store(split.images)
    held_out = torch.from_numpy(stored), torch.from_numpy(split.labels)
    return EvaluationBatches(data, batch_size=batch_size, device=device, held_out=held_out)


def _listed(dataset: DatasetSettings, data: PreparedData) -> ListedImages:
    """The files of the test split, each seen to be a whole image.

    Raises:
        InputError: they are not there, or not so.
    """
    kind = DATASETS[dataset.name].streamed
    assert kind is not None, f"{dataset.name} is decoded beforehand"
    try:
        return kind.list_test_images(place_of(dataset), data.class_names)
    except OSError as error:
        raise _unreadable(error) from None


def _in_colours_of(images: Images, data: PreparedData) -> Images:
    """(N, H, W, C) with the training images' C, as `predict` does it.

    Greyscale test images among coloured ones have equal channels; coloured ones that show no colour are greyscale.

    Raises:
        InputError: another size, or colours where the training images have none.
    """
    wanted = data.image_shape
    if images.shape[3] == 1 and wanted[2] == 3:
        images = np.repeat(images, 3, axis=3)
    if images.shape[3] == 3 and wanted[2] == 1:
        if (images != images[..., :1]).any():
            raise bad_data("test images must be greyscale as the training images are", "colours")
        images = np.ascontiguousarray(images[..., :1])
    if images.shape[1:] != wanted:
        sizes = ["x".join(map(str, shape)) for shape in (wanted, images.shape[1:])]
        raise bad_data(f"test images must be {sizes[0]} as the training images are", sizes[1])
    return images


def _unreadable(error: OSError) -> InputError:
    return InputError.of("dataset.root", f"test files must be readable, but got: {error}")
