"""What a node of a cluster finds when it looks whether it can train for a search; runs in a process on that node."""

from __future__ import annotations

import hashlib
import time
import uuid
from pathlib import Path
from typing import Any

from wrn_search.errors import InputError
from wrn_search.file_system.write_probe import PROBE
from wrn_search.hardware.arithmetic_on_offer import arithmetic_here
from wrn_search.results.manifest import versions
from wrn_search.space.dataset_section import DatasetSettings

# What changes the numbers of a trial. Ray itself refuses nodes with another Ray or another Python.
_COMPARED = ("torch", "torchvision", "numpy", "ray")
_PACKAGE = Path(__file__).resolve().parents[1]


def looked(probe: str, content: str, dataset: DatasetSettings | None) -> dict[str, Any]:
    """The fields of a `node_check.Look` as plain values."""
    found: dict[str, Any] = {
        "versions": own_versions(),
        "storage": storage_error(Path(probe), content),
        "arithmetic": arithmetic_here(),
    }
    if dataset is not None and found["storage"] is None:
        from wrn_search.images.prepared_data import prepare

        try:
            found["split_hash"] = prepare(dataset).split_hash
        except InputError as error:
            found["data_error"] = str(error)
    return found


def own_versions() -> dict[str, str | None]:
    """What this process would train with: a digest of our code, Python's minor version, packages.

    Builds of one version for other hardware (2.9.0+cpu, 2.9.0+cu128) count as the same: a head node needs no GPU.
    """
    known = versions()
    packages = {name: known[name] and str(known[name]).partition("+")[0] for name in _COMPARED}
    python = ".".join(str(known["python"]).split(".")[:2])
    return {"wrn-search": code_digest(), "python": python, **packages}


def code_digest(package: Path = _PACKAGE) -> str:
    """12 hexadecimal digits that change with any source file of the package."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package).as_posix()}\0".encode())
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def storage_error(probe: Path, content: str, seconds: float = 5.0) -> str | None:
    """What keeps this process from using the driver's results directory; None when nothing does.

    Args:
        probe: the driver's file in it.
        content: what the file holds.
        seconds: how long a file of the driver may need to become visible (network file systems).
    """
    end = time.monotonic() + seconds
    while True:
        try:
            seen = probe.read_text(encoding="utf-8")
            break
        except FileNotFoundError:
            if time.monotonic() >= end:
                return f"the driver's files are not in {probe.parent}"
            time.sleep(0.1)
        except OSError as error:
            return f"{error.strerror} ({probe.parent})"
    if seen != content:
        return f"other files than the driver's are in {probe.parent}"
    own = probe.with_name(f"{PROBE}{uuid.uuid4().hex}")
    try:
        own.write_text(content, encoding="utf-8")
        own.unlink()
    except OSError as error:
        return f"{error.strerror} ({probe.parent})"
    return None
