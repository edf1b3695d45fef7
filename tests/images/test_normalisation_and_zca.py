"""Preprocessing against direct formulae in float64."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

from tests.datasets.image_data import random_images
from wrn_search.images.normalisation_and_zca import divide255, meanstd, preprocessing_problems, zca


def direct_zca(train: np.ndarray, images: np.ndarray) -> np.ndarray:
    """GCN, then the inverse square root of the regularised covariance by another algorithm (Schur, not eigh)."""

    def gcn(x: np.ndarray) -> np.ndarray:
        x = x.reshape(len(x), -1).astype(np.float64)
        x = x - x.mean(axis=1, keepdims=True)
        return 55 * x / np.sqrt((x**2).sum(axis=1, keepdims=True))

    fitted = gcn(train)
    covariance = np.cov(fitted, rowvar=False, bias=True) + 0.1 * np.eye(fitted.shape[1])
    matrix = np.linalg.inv(scipy.linalg.sqrtm(covariance))
    return ((gcn(images) - fitted.mean(axis=0)) @ matrix).reshape(images.shape)


@pytest.mark.parametrize("channels", [1, 3])
def test_meanstd_is_the_mean_and_the_population_deviation_of_each_channel(channels: int) -> None:
    images = random_images(2500, 5, 4, channels)  # more than one chunk
    fitted = meanstd(images)
    np.testing.assert_allclose(fitted.mean, images.mean(axis=(0, 1, 2)), rtol=1e-13)
    np.testing.assert_allclose(fitted.std, images.std(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_array_equal(fitted.store(images), images)
    assert fitted.dtype == "uint8"


def test_a_channel_that_never_varies_is_only_centred() -> None:
    images = random_images(10)
    images[..., 1] = 7
    fitted = meanstd(images)
    assert (fitted.mean[1], fitted.std[1]) == (7.0, 1.0)


def test_divide255_brings_pixels_to_0_and_1() -> None:
    fitted = divide255(random_images(3))
    assert (fitted.mean, fitted.std) == ((0.0,) * 3, (255.0,) * 3)


def test_zca_is_the_direct_formula_fitted_to_the_training_images_alone() -> None:
    train, others = random_images(2300, 5, 4), random_images(40, 5, 4) // 3 + 90
    fitted = zca(train)
    for images in (train, others):
        whitened = fitted.store(images)
        assert whitened.dtype == np.float32
        np.testing.assert_allclose(whitened, direct_zca(train, images), atol=2e-4)
    assert (set(fitted.mean), set(fitted.std)) == ({0.0}, {1.0})


def test_zca_whitens() -> None:
    # Correlated pixels: each is the mean of its neighbours' noise. Variances far above the bias of 0.1 come to 1.
    noise = random_images(2000, 7, 7, 1).astype(float)
    smooth = (noise[:, :-1] + noise[:, 1:])[:, :, :-1] / 2
    images = np.rint(smooth).astype(np.uint8)
    flat = zca(images).store(images).reshape(len(images), -1)
    covariance = np.cov(flat, rowvar=False)
    eigenvalues = np.linalg.eigvalsh(covariance)
    assert eigenvalues[0] < 0.01  # the mean of each image, which GCN takes away
    assert np.all((eigenvalues[1:] > 0.97) & (eigenvalues[1:] < 1.01))


def test_zca_does_not_care_in_which_order_the_channels_come() -> None:
    images = random_images(300, 4, 4)
    swapped = zca(images[..., ::-1]).store(images[..., ::-1])
    np.testing.assert_allclose(swapped[..., ::-1], zca(images).store(images), atol=1e-3)


def test_zca_of_an_even_image_is_finite() -> None:
    images = random_images(50, 4, 4)
    images[3] = 200
    assert np.isfinite(zca(images).store(images)).all()


def test_zca_is_for_32x32_or_smaller() -> None:
    assert preprocessing_problems((32, 32, 3), "zca") == []
    assert preprocessing_problems((64, 64, 3), "meanstd") == []
    (problem,) = preprocessing_problems((32, 33, 3), "zca")
    assert str(problem) == "dataset.preprocessing: zca needs images of 32x32 or smaller, but got 32x33"
