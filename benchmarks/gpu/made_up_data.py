"""Prepared images without a data set, and trainings on them: nothing is downloaded, decoded or split."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch

from benchmarks.images import CLASSES, made_up
from wrn_search.images.augmentation import AUGMENTATIONS, pad_images
from wrn_search.images.prepared_data import PreparedData
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.memory.workload_of_training import workload_of_training
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.space_file import space_from_mapping
from wrn_search.space.trial_config import TrialConfig

_PREPARED = AUGMENTATIONS["flip_crop"]


def made_up_data(folder: Path, images: int, validation: int) -> PreparedData:
    """Images of CIFAR's size as a search would have prepared them; a folder that is there is used again."""
    pixels, labels = made_up(images + validation)
    if not folder.exists():
        folder.mkdir(parents=True)
        np.save(folder / "train_images.npy", pad_images(pixels[:images], _PREPARED))
        np.save(folder / "validation_images.npy", pixels[images:])
        np.save(folder / "train_labels.npy", labels[:images])
        np.save(folder / "validation_labels.npy", labels[images:])
    names = tuple(str(number) for number in range(CLASSES))
    return PreparedData(
        directory=folder,
        num_classes=CLASSES,
        class_names=names,
        image_shape=(32, 32, 3),
        train_images=images,
        validation_images=validation,
        split_hash="made up",
        chance_error=90.0,
        padding=_PREPARED.padding,
        mean=(125.3, 123.0, 113.9),
        std=(63.0, 62.1, 66.7),
    )


def config_of(
    network: str, batch_size: int, precision: str, *, compile: str = "off", cuda_graph: str = "off"
) -> TrialConfig:
    """A training of WRN-`network`, such as 16-2, by the recipe's defaults."""
    depth, _, width = network.partition("-")
    space = space_from_mapping(
        {
            "dataset": DatasetSettings(name="cifar10").model_dump(),
            "model": {"depth": int(depth), "widen_factor": float(width)},
            "training": {"learning_rate": 0.01, "batch_size": batch_size, "epochs": 1000},
        }
    )
    config = space.trial_config({}, 0, precision=precision, compile=compile)
    return dataclasses.replace(config, cuda_graph=cuda_graph)


def workload_of(config: TrialConfig, data: PreparedData) -> Workload:
    """What the prediction must know of a training on this device."""
    return workload_of_training(
        config,
        data.num_classes,
        data.image_shape,
        device=device_here(),
        train_images=data.train_images,
        validation_images=data.validation_images,
        data_bytes=sum(path.stat().st_size for path in data.directory.glob("*.npy")),
    )


def device_here() -> str:
    """`cuda` where there is a GPU, else `cpu`."""
    return "cuda" if torch.cuda.is_available() else "cpu"
