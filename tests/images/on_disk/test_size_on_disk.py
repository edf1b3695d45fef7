"""What a prepared copy will take is what it takes, is told before, and is refused where the disk has no room."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.datasets.image_data import random_images, write_folder
from wrn_search.errors import InputError
from wrn_search.images.cached_arrays import META
from wrn_search.images.on_disk.size_on_disk import SizeOnDisk, check_room, size_text
from wrn_search.images.on_disk.stays_mapped import bytes_on_gpu, stays_mapped
from wrn_search.images.prepared_data import prepare, size_to_write
from wrn_search.space.dataset_section import DatasetSettings, JoinedSettings


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


def folder(tmp_path: Path, channels: int = 3, **changes: Any) -> DatasetSettings:
    root = write_folder(tmp_path / "data", random_images(60, 9, 8, channels), [i % 3 for i in range(60)])
    return DatasetSettings(**{"name": "folder", "root": str(root), "validation": 12, **changes})


def pixels(folder: Path) -> int:
    """Bytes of the images below a folder, without headers and labels."""
    arrays = [np.load(path, mmap_mode="r") for path in folder.rglob("*images.npy")]
    return sum(array.nbytes for array in arrays)


@pytest.mark.parametrize(
    ("channels", "changes"),
    [
        (3, {}),
        (1, {}),
        (3, {"augmentation": "shift", "validation": 0.25}),
        (3, {"preprocessing": "zca", "augmentation": "none"}),
        (3, {"train_images": 20}),
        (3, {"image_size": 16, "augmentation": "flip_crop"}),
    ],
)
def test_what_is_told_is_what_is_written(
    tmp_path: Path, cache: Path, channels: int, changes: dict[str, Any]
) -> None:
    settings = folder(tmp_path, channels, **changes)
    told = size_to_write(settings)
    assert told is not None
    assert not cache.exists()  # a look writes nothing
    prepare(settings)
    assert told.to_write == pixels(cache)
    assert size_to_write(settings) is None


def test_what_is_decoded_already_is_not_told_again(tmp_path: Path, cache: Path) -> None:
    settings = folder(tmp_path)
    prepare(settings)
    before = pixels(cache)
    for other in (settings.model_copy(update={"validation": 6}), JoinedSettings.of(settings)):
        told = size_to_write(other)
        assert told is not None
        assert told.decoded == 0
        prepare(other)
        assert told.to_write == pixels(cache) - before
        before = pixels(cache)


def test_a_disk_without_room_is_refused_before_an_image_is_decoded(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = folder(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=20_000))
    rule = "WRN_SEARCH_DATA: must be on a disk with room for the prepared images, 31.4 KB, but got 20 KB free"
    with pytest.raises(InputError, match=rule):
        prepare(settings)
    assert not list(cache.rglob(META))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10**9))
    assert prepare(settings).train_images == 48


def test_room_and_words() -> None:
    size = SizeOnDisk(614_400_000, 745_000_000, Path("/cache/prepared"), 2_000_000_000)
    check_room(size)
    assert size.text.startswith("1.36 GB to be written in /cache/prepared (614 MB decoded, 745 MB ready")
    with pytest.raises(
        InputError, match=r"1.36 GB, but got 1 GB free for /cache/prepared; set WRN_SEARCH_DATA"
    ):
        check_room(SizeOnDisk(614_400_000, 745_000_000, Path("/cache/prepared"), 1_000_000_000))
    assert [size_text(value) for value in (0, 999, 10**15)] == ["0 B", "999 B", "1e+03 TB"]


def test_a_full_disk_is_the_cache_s_and_not_the_images_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = folder(tmp_path)

    class Full:
        def __init__(self, *arguments: Any) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("wrn_search.datasets.decoded.room_for_images.RoomInFile", Full)
    with pytest.raises(
        InputError, match=r"^WRN_SEARCH_DATA: must be a folder with room for the prepared images"
    ):
        prepare(settings)


def test_images_of_one_s_own_are_mapped_from_the_file_that_they_were_decoded_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not decoded into memory and saved: `np.save` writes labels and digests alone."""
    saved: list[int] = []
    save = np.save

    def counted(path: Any, array: Any, **options: Any) -> None:
        saved.append(np.asarray(array).nbytes)
        save(path, array, **options)

    monkeypatch.setattr(np, "save", counted)
    prepare(folder(tmp_path, image_size=32))
    assert saved
    assert max(saved) <= 60 * 8


def test_a_gpu_gets_no_copy_of_a_data_set_that_is_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = prepare(folder(tmp_path))
    assert not stays_mapped(data.directory)
    monkeypatch.setattr("wrn_search.images.on_disk.stays_mapped.LARGEST_COPY", 1000)
    assert stays_mapped(data.directory)
    assert (bytes_on_gpu(1000), bytes_on_gpu(1001)) == (1000, 0)
