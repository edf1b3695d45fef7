"""CIFAR and SVHN in torchvision's layout; downloads from a server on this machine, by processes of their own."""

from __future__ import annotations

import functools
import http.server
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torchvision.datasets import CIFAR10, SVHN
from torchvision.datasets.utils import download_and_extract_archive

from tests.datasets.image_data import (
    CIFAR_IMAGES_A_FILE,
    random_images,
    write_cifar10,
    write_cifar10_archive,
    write_svhn,
)
from wrn_search.datasets import torchvision_downloads
from wrn_search.datasets.dataset import Presence, Source
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.errors import InputError
from wrn_search.images.prepared_data import prepare
from wrn_search.space.data_folders import place_of
from wrn_search.space.dataset_section import DatasetSettings

NOWHERE = "http://127.0.0.1:1/cifar-10-python.tar.gz"  # nothing listens there


def cifar10(root: Path) -> DatasetSettings:
    return DatasetSettings(name="cifar10", root=str(root), validation=20)


def read(dataset: DatasetSettings) -> Source:
    """All training images of a data set, as its file reads them."""
    return DATASETS[dataset.name].read_training_images(place_of(dataset))


def presence(dataset: DatasetSettings) -> Presence:
    """What a look at its files says."""
    return DATASETS[dataset.name].presence(place_of(dataset))


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def patch_cifar10(monkeypatch: pytest.MonkeyPatch, attributes: dict[str, Any], url: str = NOWHERE) -> None:
    for name, value in (attributes | {"url": url}).items():
        monkeypatch.setattr(CIFAR10, name, value)


class SlowFiles(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, slowly enough that others come while the first one downloads; lists what was fetched."""

    fetched: list[str]

    def do_GET(self) -> None:
        self.fetched.append(self.path)
        time.sleep(0.2)
        super().do_GET()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Path, str, list[str]]]:
    """A folder, the address it is served at, and the list of what was fetched."""
    folder = tmp_path / "server"
    folder.mkdir()
    fetched: list[str] = []
    handler = type("Handler", (SlowFiles,), {"fetched": fetched})
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(folder))
    ) as http_server:
        thread = threading.Thread(target=http_server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{http_server.server_port}", fetched
        http_server.shutdown()
        thread.join()


def test_cifar_that_is_there_is_read_and_its_folder_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patch_cifar10(monkeypatch, write_cifar10(tmp_path))
    before = sorted(tmp_path.rglob("*"))
    assert presence(cifar10(tmp_path)).text == f"found in {tmp_path}"
    source = read(cifar10(tmp_path))
    np.testing.assert_array_equal(source.images, random_images(5 * CIFAR_IMAGES_A_FILE, 32, 32))
    assert source.labels.tolist() == [number % 10 for number in range(100)]
    assert source.class_names == tuple(f"name_{label}" for label in range(10))
    assert sorted(tmp_path.rglob("*")) == before  # no lock either: the folder may be read-only


def test_svhn_is_one_file_or_two_and_its_digit_0_has_label_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    splits = {"train": write_svhn(tmp_path, "train", 30), "extra": write_svhn(tmp_path, "extra", 20)}
    monkeypatch.setattr(SVHN, "split_list", splits)
    train, extra = random_images(30, 32, 32), random_images(20, 32, 32)
    source = read(DatasetSettings(name="svhn", root=str(tmp_path), extra=False))
    np.testing.assert_array_equal(source.images, train)
    assert source.labels.tolist() == [number % 10 for number in range(30)]
    assert source.extra_images == 0
    both = read(DatasetSettings(name="svhn", root=str(tmp_path)))
    assert both.extra_images == 20
    np.testing.assert_array_equal(both.images, np.concatenate([train, extra]))


def test_presence_says_what_would_be_downloaded_and_writes_nothing(tmp_path: Path) -> None:
    assert presence(cifar10(tmp_path)).text == (
        f"not in {tmp_path} yet; the search downloads 170 MB from "
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    )
    assert presence(DatasetSettings(name="svhn", root=str(tmp_path), extra=True)).text == (
        f"not in {tmp_path} yet; the search downloads 182 MB from "
        "http://ufldl.stanford.edu/housenumbers/train_32x32.mat and 1,329 MB from "
        "http://ufldl.stanford.edu/housenumbers/extra_32x32.mat"
    )
    assert "169 MB" in presence(DatasetSettings(name="cifar100", root=str(tmp_path))).text
    assert list(tmp_path.iterdir()) == []


def test_a_failed_download_says_where_to_place_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patch_cifar10(monkeypatch, write_cifar10_archive(tmp_path / "elsewhere"))
    root = tmp_path / "root"
    with pytest.raises(InputError) as error:
        read(cifar10(root))
    text = str(error.value)
    assert text.startswith(
        f"dataset.root: must hold cifar-10-batches-py, but got none in {root}, and the download failed (<urlopen error"
    )
    names = "data_batch_1, data_batch_2, data_batch_3, data_batch_4, data_batch_5, batches.meta"
    assert text.endswith(
        f"; download {NOWHERE} elsewhere and place it as {root}/cifar-10-python.tar.gz, "
        f"or unpacked in {root}/cifar-10-batches-py ({names})"
    )
    assert not root.exists(), "nothing is left of what could not be downloaded"
    # Done as it says, it works, still without a network.
    root.mkdir()
    (tmp_path / "elsewhere" / "cifar-10-python.tar.gz").rename(root / "cifar-10-python.tar.gz")
    assert len(read(cifar10(root)).images) == 100


def test_svhn_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SVHN, "split_list", {"train": write_svhn(tmp_path / "elsewhere", "train", 30)})
    with pytest.raises(InputError) as error:
        read(DatasetSettings(name="svhn", root=str(tmp_path), extra=False))
    assert str(error.value).endswith(
        f"download http://127.0.0.1:1/train_32x32.mat elsewhere and place it as {tmp_path}/train_32x32.mat"
    )


def test_a_root_that_cannot_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(
        InputError, match=r"dataset\.root: .* the download failed \(.*(File exists|Not a dir)"
    ):
        read(cifar10(tmp_path / "file"))


def test_a_damaged_file_is_downloaded_again(
    tmp_path: Path, server: tuple[Path, str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, url, fetched = server
    patch_cifar10(monkeypatch, write_cifar10_archive(folder), f"{url}/cifar-10-python.tar.gz")
    expected = read(cifar10(tmp_path / "root")).images
    requests = len(fetched)
    batch = tmp_path / "root" / "cifar-10-batches-py" / "data_batch_3"
    batch.write_bytes(batch.read_bytes()[:-10])
    (tmp_path / "root" / "cifar-10-python.tar.gz").write_bytes(b"a broken download")
    np.testing.assert_array_equal(read(cifar10(tmp_path / "root")).images, expected)
    assert len(fetched) == 2 * requests


def test_threads_that_start_at_once_unpack_once(
    tmp_path: Path, server: tuple[Path, str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, url, _ = server
    patch_cifar10(monkeypatch, write_cifar10_archive(folder), f"{url}/cifar-10-python.tar.gz")
    unpacked = []

    def counted(*args: Any, **kwargs: Any) -> None:
        unpacked.append(args)
        download_and_extract_archive(*args, **kwargs)

    # Unpacking again would write the files anew while others read them.
    monkeypatch.setattr(torchvision_downloads, "download_and_extract_archive", counted)
    with ThreadPoolExecutor(3) as pool:
        sources = list(pool.map(read, [cifar10(tmp_path / "root")] * 3))
    assert [len(source.images) for source in sources] == [100] * 3
    assert len(unpacked) == 1


def test_an_archive_with_another_content_is_refused(
    tmp_path: Path, server: tuple[Path, str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, url, _ = server
    attributes = write_cifar10_archive(folder)
    attributes["train_list"] = [[name, "0" * 32] for name, _ in attributes["train_list"]]
    patch_cifar10(monkeypatch, attributes, f"{url}/cifar-10-python.tar.gz")
    with pytest.raises(InputError, match="the download holds other files than expected"):
        read(cifar10(tmp_path / "root"))
    patch_cifar10(monkeypatch, {"tgz_md5": "0" * 32}, f"{url}/cifar-10-python.tar.gz")
    with pytest.raises(InputError, match=r"the download failed \(File not found or corrupted"):
        read(cifar10(tmp_path / "root2"))


def prepare_at_once(barrier: Any, answers: Any, cache: str, root: str, attributes: dict[str, Any]) -> None:
    """What one of several processes does: wait for the others, then prepare."""
    os.environ["WRN_SEARCH_DATA"] = cache
    for name, value in attributes.items():
        setattr(CIFAR10, name, value)
    barrier.wait()
    answers.put(prepare(cifar10(Path(root))).split_hash)


def test_processes_that_start_at_once_download_once(
    tmp_path: Path, server: tuple[Path, str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, url, fetched = server
    attributes = write_cifar10_archive(folder) | {"url": f"{url}/cifar-10-python.tar.gz"}
    context = multiprocessing.get_context("forkserver")  # imports torchvision once for all of them
    context.set_forkserver_preload([__name__])
    barrier, answers = context.Barrier(3), context.Queue()
    processes = [
        # A cache each, as three users have: only the downloaded files are shared.
        context.Process(
            target=prepare_at_once,
            args=(barrier, answers, str(tmp_path / f"cache{number}"), str(tmp_path / "root"), attributes),
        )
        for number in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=120)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len({answers.get(timeout=10) for _ in processes}) == 1
    of_three = len(fetched)
    patch_cifar10(monkeypatch, attributes, attributes["url"])
    read(cifar10(tmp_path / "another root"))
    assert of_three == len(fetched) - of_three  # as many requests as one download makes


def test_missing_extra_images_are_told_with_the_way_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    splits = {"train": write_svhn(tmp_path, "train", 30), "extra": write_svhn(tmp_path / "away", "extra", 20)}
    monkeypatch.setattr(SVHN, "split_list", splits)
    with pytest.raises(
        InputError, match=r"^dataset\.extra: must hold extra_32x32\.mat, but .*dataset\.extra: false$"
    ):
        read(DatasetSettings(name="svhn", root=str(tmp_path)))
