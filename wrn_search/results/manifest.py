"""The manifest: what made a search, so that its numbers can be explained and repeated."""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from wrn_search.plugins import known_plugins
from wrn_search.results.atomic_files import atomic_write_text

# Named, not imported: the manifest must not load torch or ray.
PACKAGES = (
    "wrn-search",
    "torch",
    "torchvision",
    "ray",
    "optuna",
    "pyarrow",
    "tensorboard",
    "numpy",
    "pandas",
    "scikit-learn",
)
_GIT_SECONDS = 10
_PACKAGE = Path(__file__).resolve().parents[1]


def new_search_id() -> str:
    """A name that no other search has: 32 hexadecimal digits."""
    return uuid.uuid4().hex


def manifest(
    search_id: str, seed: int, command: Sequence[str], hardware: Mapping[str, Any], details: Mapping[str, Any]
) -> dict[str, Any]:
    """All that is known of a search at its start; `details` adds what other rooms know, under its own keys.

    `details` are such as precision, threads, the split's hash and facts of the data set.
    """
    known = {
        "search_id": search_id,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": list(command),
        "seeds": {"search": seed},
        "versions": versions(),
        "git": git_state(),
        "hardware": dict(hardware),
    }
    assert not known.keys() & details.keys(), "details do not overwrite what the manifest finds out"
    return known | dict(details)


def write_manifest(path: Path, values: Mapping[str, Any]) -> None:
    """Writes the manifest as a whole, for people and programs."""
    atomic_write_text(path, json.dumps(values, indent=2, allow_nan=False) + "\n")


def add_to_manifest(path: Path, details: Mapping[str, Any]) -> None:
    """Adds what a session found out after its start; keys that are there are replaced."""
    known = json.loads(path.read_text(encoding="utf-8"))
    write_manifest(path, known | dict(details))


def add_change(path: Path, changed: Mapping[str, Sequence[Any]]) -> None:
    """Adds to `changes` what was different from now on: key of the space file -> [value before, value after]."""
    known = json.loads(path.read_text(encoding="utf-8"))
    at = datetime.now(UTC).isoformat(timespec="seconds")
    write_manifest(
        path, known | {"changes": [*known.get("changes", []), {"at": at, "changed": dict(changed)}]}
    )


def versions() -> dict[str, str | None]:
    """Version of Python and of each package, None where it is not installed; of each plugin a digest of its code."""
    plugins = {f"plugin {label}": digest for label, digest in known_plugins().items()}
    return {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES} | plugins


def hardware(cores: int, gpus: Sequence[str] = ()) -> dict[str, Any]:
    """This machine: processor, cores that this process may use, memory, names of its GPUs."""
    return {
        "hostname": socket.gethostname(),
        "platform": platform.platform(),
        "cpu": _cpu_model(),
        "cores": cores,
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "gpus": list(gpus),
    }


def git_state(folder: Path = _PACKAGE) -> dict[str, Any] | None:
    """Commit of the package's checkout, and whether it has changes; None where there is no checkout."""
    # A virtual environment may lie inside someone else's checkout, so the package must be tracked there.
    if _git(folder, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    commit = _git(folder, "rev-parse", "HEAD")
    changes = _git(folder, "status", "--porcelain")
    if commit is None or changes is None:
        return None
    return {"commit": commit, "dirty": bool(changes)}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints, None if it fails or is not there."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=_GIT_SECONDS,
            env=os.environ | {"GIT_OPTIONAL_LOCKS": "0"},  # a question does not write
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout.strip()


def _cpu_model() -> str:
    """The processor's name, as the kernel gives it on Linux."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
