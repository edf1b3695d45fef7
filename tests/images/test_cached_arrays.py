"""A folder is whole or it is not there, whatever happens to it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wrn_search.images.cached_arrays import build_folder, read_meta, write_array

FACTS = {"classes": 3, "names": ["a", "b"]}


def fill(target: Path) -> dict[str, Any]:
    np.save(target / "a.npy", np.arange(10))
    return FACTS


def test_what_is_built_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    assert read_meta(folder) is None
    assert build_folder(folder, fill) == FACTS
    assert read_meta(folder) == FACTS
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def change_a_byte(folder: Path) -> None:
    content = bytearray((folder / "a.npy").read_bytes())
    content[-1] ^= 1
    (folder / "a.npy").write_bytes(content)


def truncate(folder: Path) -> None:
    os.truncate(folder / "a.npy", (folder / "a.npy").stat().st_size - 1)


DAMAGES: list[Callable[[Path], None]] = [
    change_a_byte,
    truncate,
    lambda folder: (folder / "a.npy").unlink(),
    lambda folder: (folder / "meta.json").unlink(),
    lambda folder: (folder / "meta.json").write_text("{"),
    lambda folder: (folder / "meta.json").write_bytes(b"\xff\xfe"),
    lambda folder: (folder / "meta.json").write_text("[]"),
    lambda folder: (folder / "meta.json").write_text(json.dumps({"facts": {}})),
    lambda folder: (folder / "meta.json").write_text(json.dumps({"facts": 3, "arrays": {"a.npy": 1}})),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_seen_and_built_anew(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    folder = tmp_path / "x"
    build_folder(folder, fill)
    damage(folder)
    assert read_meta(folder) is None
    build_folder(folder, fill)
    assert read_meta(folder) == FACTS
    np.testing.assert_array_equal(np.load(folder / "a.npy"), np.arange(10))


def test_a_copied_folder_is_whole_though_its_times_differ(tmp_path: Path) -> None:
    build_folder(tmp_path / "x", fill)
    os.utime(tmp_path / "x" / "a.npy", (1, 1))
    assert read_meta(tmp_path / "x") == FACTS


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".x.unfinished").mkdir()
    (tmp_path / ".x.unfinished" / "b.npy").write_bytes(b"half")
    build_folder(tmp_path / "x", fill)
    assert sorted(path.name for path in (tmp_path / "x").iterdir()) == ["a.npy", "meta.json"]
    assert not (tmp_path / ".x.unfinished").exists()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_fails_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    def fail(target: Path) -> dict[str, Any]:
        fill(target)
        raise error

    with pytest.raises(error):
        build_folder(tmp_path / "x", fail)
    assert list(tmp_path.iterdir()) == []


def test_a_map_outlives_the_folder(tmp_path: Path) -> None:
    build_folder(tmp_path / "x", fill)
    mapped = np.load(tmp_path / "x" / "a.npy", mmap_mode="r")
    build_folder(tmp_path / "x", lambda target: np.save(target / "a.npy", np.zeros(10)) or {})
    np.testing.assert_array_equal(mapped, np.arange(10))


def test_an_array_written_in_parts_is_the_whole(tmp_path: Path) -> None:
    whole = np.arange(2 * 5 * 3, dtype=np.float32).reshape(5, 3, 2).transpose(0, 2, 1)
    write_array(tmp_path / "a.npy", whole.shape, "float32", iter([whole[:2], whole[2:2], whole[2:]]))
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy", mmap_mode="r"), whole)
    with pytest.raises(AssertionError, match="has not the shape"):
        write_array(tmp_path / "b.npy", (6, 2, 3), "float32", iter([whole]))


def test_a_full_disk_is_an_os_error() -> None:
    with pytest.raises(OSError, match="No space left"):
        write_array(Path("/dev/full"), (100_000,), "uint8", iter([np.zeros(100_000, dtype=np.uint8)]))
