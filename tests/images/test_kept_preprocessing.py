"""Whitening is fitted once a node and kept with the images; it whitens as its regularisation says."""

from __future__ import annotations

import numpy as np
import pytest

from tests.datasets.image_data import random_images
from wrn_search.images import prepared_data
from wrn_search.images.kept_preprocessing import keep_preprocessing, kept_preprocessing
from wrn_search.images.normalisation_and_zca import PREPROCESSINGS, ZCA_FILTER_BIAS, zca
from wrn_search.images.prepared_data import fitted_preprocessing, prepare, raw_validation
from wrn_search.space.dataset_section import DatasetSettings, JoinedSettings


def test_the_covariance_is_what_the_regularisation_predicts() -> None:
    """C (C + 0.1 I)^-1, C of the contrast-normalised images, by a solver where the code takes eigenvectors."""
    noise = random_images(3000, 9, 9).astype(float)
    images = np.rint((noise[:, :-1, :-1] + noise[:, 1:, :-1] + noise[:, :-1, 1:] + noise[:, 1:, 1:]) / 4)
    images = images.astype(np.uint8)
    flat = images.reshape(len(images), -1).astype(float)
    flat -= flat.mean(axis=1, keepdims=True)
    flat *= 55 / np.linalg.norm(flat, axis=1, keepdims=True)
    before = np.cov(flat, rowvar=False, bias=True)
    predicted = np.linalg.solve(before + ZCA_FILTER_BIAS * np.eye(len(before)), before)
    whitened = zca(images).store(images).reshape(len(images), -1).astype(float)
    after = np.cov(whitened, rowvar=False, bias=True)
    assert np.abs(after - predicted).max() < 1e-3
    assert np.abs(after - np.eye(len(after))).max() > 1e-3  # which is not the same as whitening without it


def test_it_is_fitted_once_and_read_by_all_that_come_later(monkeypatch: pytest.MonkeyPatch) -> None:
    fits: list[int] = []
    monkeypatch.setitem(PREPROCESSINGS, "zca", lambda images: fits.append(len(images)) or zca(images))
    for dataset in (
        DatasetSettings(name="digits", preprocessing="zca", train_images=120),
        JoinedSettings.whole(DatasetSettings(name="digits", preprocessing="zca", train_images=130)),
    ):
        data = prepare(dataset)
        assert fits == [data.train_images]
        images = random_images(20, 8, 8, 1)
        shown = raw_validation(dataset)
        kept = fitted_preprocessing(dataset)
        np.testing.assert_array_equal(kept.store(images), shown.preprocessing.store(images))
        assert prepare(dataset) == data
        assert fits == [data.train_images]
        (data.directory / "whitening.npz").unlink()  # as versions before this one prepared it
        fits.clear()
        monkeypatch.setattr(prepared_data, "kept_preprocessing", lambda folder, name: None)
        np.testing.assert_array_equal(fitted_preprocessing(dataset).store(images), kept.store(images))
        assert fits == [data.train_images]
        fits.clear()
        monkeypatch.setattr(prepared_data, "kept_preprocessing", kept_preprocessing)


@pytest.mark.parametrize("name", ["meanstd", "divide255"])
def test_others_are_told_by_the_facts_of_the_folder(name: str) -> None:
    dataset = DatasetSettings(name="digits", preprocessing=name, train_images=110)
    data = prepare(dataset)
    kept = kept_preprocessing(data.directory, name)
    assert kept is not None
    assert (kept.mean, kept.std, kept.dtype) == (data.mean, data.std, "uint8")
    assert not (data.directory / "whitening.npz").exists()


def test_a_folder_that_is_not_there_keeps_nothing(tmp_path) -> None:
    keep_preprocessing(tmp_path, zca(random_images(30, 4, 4)))
    assert (tmp_path / "whitening.npz").is_file()
    assert kept_preprocessing(tmp_path, "zca") is None  # no folder that was prepared to its end
