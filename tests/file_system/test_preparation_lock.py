"""Preparing images under a lock: where the file system has none, and where somebody holds it for too long."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from tests.file_system.without_locks import ERRORS, environment
from wrn_search.datasets.dataset import Place, Source
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.errors import InputError
from wrn_search.file_system.preparation_lock import preparation_lock
from wrn_search.images.cache_keys import folders_of
from wrn_search.images.prepared_data import prepare
from wrn_search.space.dataset_section import DatasetSettings


@pytest.mark.parametrize("error", ["ENOLCK", "EOPNOTSUPP"])
def test_images_are_prepared_on_a_file_system_without_locks_and_that_is_said(error, tmp_path) -> None:
    (tmp_path / "library").mkdir()
    told = environment(tmp_path / "library", ERRORS[error]) | {"WRN_SEARCH_DATA": str(tmp_path / "data")}
    code = (
        "from wrn_search.images.prepared_data import prepare\n"
        "from wrn_search.space.dataset_section import DatasetSettings\n"
        "print(prepare(DatasetSettings(name='digits')).train_images)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=told, capture_output=True, text=True)
    assert done.stdout == "1197\n", done.stderr
    assert f"warning: {tmp_path / 'data' / 'prepared'}: this file system has no locks" in done.stderr


def test_who_waits_for_images_too_long_is_told_for_whom(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path))
    dataset = DatasetSettings(name="digits")
    lock = folders_of(dataset).lock
    lock.parent.mkdir(parents=True, exist_ok=True)
    who = f"process {os.getpid()} on {socket.gethostname()}"
    with preparation_lock(lock):
        monkeypatch.setenv("WRN_SEARCH_PREPARE_SECONDS", "0.05")
        with pytest.raises(
            InputError, match=rf"but {who} has held {re.escape(str(lock))} for more than 0\.05 s"
        ):
            prepare(dataset)


def test_preparing_images_ends_when_it_hangs(tmp_path, monkeypatch) -> None:
    """A pipe that nobody writes to stands for a network directory that does not answer."""
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("WRN_SEARCH_PREPARE_SECONDS", "0.2")
    os.mkfifo(tmp_path / "hangs")

    def read(place: Place) -> Source:
        return (tmp_path / "hangs").read_bytes()

    monkeypatch.setitem(DATASETS, "digits", replace(DATASETS["digits"], read_training_images=read))
    timer = signal.getitimer(signal.ITIMER_REAL)  # that of the tests' own limit
    began = time.monotonic()
    with pytest.raises(
        InputError, match=r"preparing them took more than 0\.2 s \(WRN_SEARCH_PREPARE_SECONDS\)"
    ):
        prepare(DatasetSettings(name="digits"))
    assert time.monotonic() - began < 60
    assert signal.getitimer(signal.ITIMER_REAL) == pytest.approx(timer, abs=60)
    with preparation_lock(folders_of(DatasetSettings(name="digits")).lock):
        pass  # nobody holds it any more
