"""Preprocessing as pure functions; every statistic comes from the images that are trained on only."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from wrn_search.datasets.dataset import Images
from wrn_search.errors import Problem

Floats = npt.NDArray[np.float32]

# The paper's authors whitened with pylearn2's make_cifar10_gcn_whitened.py (says the README of
# szagoruyko/wide-residual-networks): CIFAR10(gcn=55.), then ZCA() with its defaults.
GCN_SCALE = 55.0
GCN_MIN_DIVISOR = 1e-8
ZCA_FILTER_BIAS = 0.1
CIFAR10_MEAN, CIFAR10_STD = (
    (125.3, 123.0, 113.9),
    (63.0, 62.1, 66.7),
)  # of 0 to 255; the authors' PyTorch port
IMAGENET_MEAN, IMAGENET_STD = (  # of 0 to 1; datasets/imagenet.lua of fb.resnet.torch, torchvision's too
    (0.485, 0.456, 0.406),
    (0.229, 0.224, 0.225),
)
ZCA_MAX_SIDE = 32  # pixels: a 64x64 image would need a covariance of 12,288 x 12,288 numbers

_CHUNK, _CHUNK_BYTES = 2000, 64 << 20  # images at once, and their bytes: bounds the memory of copies


@dataclass(frozen=True, eq=False)
class ChosenImages:
    """Images at some indices of an array that may be a map larger than memory: read a slice at a time."""

    images: Images  # (n, H, W, C)
    indices: npt.NDArray[np.int64]  # (m,)

    @property
    def shape(self) -> tuple[int, ...]:
        """(m, H, W, C)."""
        return (len(self.indices), *self.images.shape[1:])

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, part: slice) -> Images:
        chosen: Images = self.images[self.indices[part]]
        return chosen


AnyImages: TypeAlias = Images | ChosenImages


@dataclass(frozen=True, eq=False)
class Whitening:
    """x -> (x - centre) matrix, of images that are contrast-normalised and flattened to (n, H W C)."""

    centre: Floats  # (H W C,)
    matrix: Floats  # (H W C, H W C), symmetric


@dataclass(frozen=True, eq=False)
class Preprocessing:
    """What is stored of an image, and what each batch still does to it: (stored - mean) / std per channel."""

    mean: tuple[float, ...]  # (C,)
    std: tuple[float, ...]  # (C,)
    dtype: str  # of the stored images
    store: Callable[[Images], npt.NDArray[np.uint8] | Floats]  # (n, H, W, C) -> (n, H, W, C)
    whitening: Whitening | None = None  # what `store` does, for those who export a network


def meanstd(images: AnyImages) -> Preprocessing:
    """Mean and (population) standard deviation of each channel of (n, H, W, C), over images and pixels.

    A channel that never varies is only centred.
    """
    channels = images.shape[-1]
    levels = np.zeros((channels, 256), dtype=np.int64)
    for chunk in _chunks(images):
        for channel in range(channels):
            levels[channel] += np.bincount(chunk[..., channel].reshape(-1), minlength=256)
    values = np.arange(256)
    pixels = levels.sum(axis=1)
    mean = (levels @ values) / pixels
    variance = np.array([(levels[c] @ (values - mean[c]) ** 2) / pixels[c] for c in range(channels)])
    std = np.where(variance > 0, np.sqrt(variance), 1.0)
    return unwhitened(tuple(mean.tolist()), tuple(std.tolist()))


def divide255(images: AnyImages) -> Preprocessing:
    """Pixels to [0, 1], the paper's preprocessing of SVHN (section 3)."""
    channels = images.shape[-1]
    return Preprocessing((0.0,) * channels, (255.0,) * channels, "uint8", _unchanged)


def zca(images: AnyImages) -> Preprocessing:
    """Global contrast normalisation, then ZCA whitening: X -> (X - m) P, P = V diag(1 / sqrt(e)) V^T, with
    e, V the eigenvalues and eigenvectors of cov(X) + 0.1 I (constants and their order: pylearn2).

    Ours: m and P come from the images that are trained on, where pylearn2's script takes all 50,000; and the
    covariance is summed and decomposed in float64, where pylearn2 warns that platforms differ in float32.
    """
    size = int(np.prod(images.shape[1:]))
    total = np.zeros(size, dtype=np.float64)
    for chunk in _chunks(images):
        total += _contrast_normalised(chunk).sum(axis=0, dtype=np.float64)
    centre = (total / len(images)).astype(np.float32)
    covariance = np.zeros((size, size), dtype=np.float64)
    for chunk in _chunks(images):
        centred = _contrast_normalised(chunk) - centre
        covariance += centred.T @ centred
    covariance = covariance / len(images) + ZCA_FILTER_BIAS * np.eye(size)
    eigenvalues, vectors = np.linalg.eigh(covariance)
    matrix = ((vectors / np.sqrt(eigenvalues)) @ vectors.T).astype(np.float32)
    return whitened_by(Whitening(centre, matrix), images.shape[-1])


def whitened_by(whitening: Whitening, channels: int) -> Preprocessing:
    """Global contrast normalisation, then a whitening that was fitted."""

    def whiten(chunk: Images) -> Floats:
        centred = np.subtract(_contrast_normalised(chunk), whitening.centre)
        whitened: Floats = np.matmul(centred, whitening.matrix).reshape(chunk.shape)
        return whitened

    return Preprocessing((0.0,) * channels, (1.0,) * channels, "float32", whiten, whitening)


def unwhitened(mean: tuple[float, ...], std: tuple[float, ...]) -> Preprocessing:
    """(stored - mean) / std of each channel, of images stored as they are."""
    return Preprocessing(mean, std, "uint8", _unchanged)


def meanstd_cifar10(images: AnyImages) -> Preprocessing:
    """The constants that the paper gives for CIFAR-10, which its authors used for CIFAR-100 too; three channels."""
    assert images.shape[-1] == 3, images.shape
    return unwhitened(CIFAR10_MEAN, CIFAR10_STD)


def meanstd_imagenet(images: AnyImages) -> Preprocessing:
    """The constants of the code that the authors trained on ImageNet with; three channels."""
    assert images.shape[-1] == 3, images.shape
    mean, std = (tuple(255 * value for value in values) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return unwhitened(mean, std)


PREPROCESSINGS: dict[str, Callable[[AnyImages], Preprocessing]] = {
    "meanstd": meanstd,
    "meanstd_cifar10": meanstd_cifar10,
    "meanstd_imagenet": meanstd_imagenet,
    "divide255": divide255,
    "zca": zca,
}


def preprocessing_problems(image_shape: tuple[int, int, int], preprocessing: str) -> list[Problem]:
    """Why images of (H, W, C) cannot be preprocessed so; empty if they can."""
    height, width, channels = image_shape
    if preprocessing.startswith("meanstd_") and channels != 3:
        rule = f"{preprocessing} is for images of 3 colours"
        return [Problem("dataset.preprocessing", f"{rule}, but got {channels}")]
    if preprocessing != "zca" or max(height, width) <= ZCA_MAX_SIDE:
        return []
    rule = f"zca needs images of {ZCA_MAX_SIDE}x{ZCA_MAX_SIDE} or smaller"
    return [Problem("dataset.preprocessing", f"{rule}, but got {height}x{width}")]


def _contrast_normalised(images: Images) -> Floats:
    """(n, H, W, C) -> (n, H W C): each image less its mean, scaled to a Euclidean norm of 55.

    pylearn2's `global_contrast_normalize` with its defaults: no bias under the root, and an image whose norm
    is nearly 0 is only centred. The order of pixels and channels is free: P permutes with them.
    """
    flat: Floats = images.reshape(len(images), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    divisor = np.linalg.norm(flat, axis=1, keepdims=True) / GCN_SCALE
    divisor[divisor < GCN_MIN_DIVISOR] = 1
    flat /= divisor
    return flat


def _chunks(images: AnyImages) -> Iterator[Images]:
    step = images_at_once(images.shape)
    for start in range(0, len(images), step):
        yield images[start : start + step]


def images_at_once(shape: tuple[int, ...]) -> int:
    """How many of (N, H, W, C) images of 8 bits are worked on at a time, whatever their size."""
    return max(1, min(_CHUNK, _CHUNK_BYTES // math.prod(shape[1:])))


def _unchanged(images: Images) -> Images:
    return images
