"""What a node of a cluster finds when it looks whether it can train for a search; runs in a process on that node."""

from __future__ import annotations

import hashlib
import time
import uuid
from pathlib import Path
from typing import Any, NamedTuple

from wrn_search.errors import InputError
from wrn_search.file_system.write_probe import PROBE
from wrn_search.hardware.arithmetic_on_offer import arithmetic_here
from wrn_search.plugins import known_plugins
from wrn_search.results.manifest import versions
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.rules.starting_file import RANDOM, told_file

# What changes the numbers of a trial. Ray itself refuses nodes with another Ray or another Python.
_COMPARED = ("torch", "torchvision", "numpy", "ray")
_PACKAGE = Path(__file__).resolve().parents[1]


def looked(
    probe: str, content: str, dataset: DatasetSettings | None, weights: str = RANDOM
) -> dict[str, Any]:
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
    if weights != RANDOM and found["storage"] is None:
        found["weights_error"] = _weights_error(weights)
    return found


def _weights_error(weights: str) -> str | None:
    """What keeps this node from the file of `model.init_from`; None when nothing does."""
    from wrn_search.pretrained.weights_file import digest_of

    path, wanted = told_file(weights)
    try:
        digest = digest_of(Path(path))
    except InputError as error:
        return str(error)
    return None if wanted in (None, digest) else f"another file in {path} (SHA-256 {digest})"


def own_versions() -> dict[str, str | None]:
    """What this process would train with: a digest of our code, Python's minor version, packages.

    Builds of one version for other hardware (2.9.0+cpu, 2.9.0+cu128) count as the same: a head node needs no GPU.
    """
    known = versions()
    packages = {name: known[name] and str(known[name]).partition("+")[0] for name in _COMPARED}
    python = ".".join(str(known["python"]).split(".")[:2])
    return {"wrn-search": code_digest(), "python": python, **packages}


def code_digest(package: Path = _PACKAGE) -> str:
    """12 hexadecimal digits that change with any source file of the package, and with the plugins."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package).as_posix()}\0".encode())
        digest.update(path.read_bytes() + b"\0")
    for label, code in known_plugins().items():
        digest.update(f"{label}\0{code}\0".encode())
    return digest.hexdigest()[:12]


class _Unlike(NamedTuple):
    """Why a file is not what the driver wrote, and whether waiting cannot change that."""

    text: str
    lasts: bool


def _unlike(probe: Path, content: str) -> _Unlike | None:
    try:
        seen = probe.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return _Unlike(f"the driver's files are not in {probe.parent}", lasts=False)
    except OSError as error:
        return _Unlike(f"{error.strerror} ({probe.parent})", lasts=True)
    if seen == content:
        return None
    half_there = content.startswith(seen)
    return _Unlike(f"other files than the driver's are in {probe.parent}", lasts=not half_there)


def storage_error(probe: Path, content: str, seconds: float = 5.0) -> str | None:
    """What keeps this process from using the driver's results directory; None when nothing does.

    Args:
        probe: the driver's file in it.
        content: what the file holds.
        seconds: how long a file of the driver may need to become visible, with all that it holds (on network file
            systems its name can be there before its content).
    """
    end = time.monotonic() + seconds
    while (problem := _unlike(probe, content)) is not None:
        if time.monotonic() >= end or problem.lasts:
            return problem.text
        time.sleep(0.1)
    own = probe.with_name(f"{PROBE}{uuid.uuid4().hex}")
    try:
        own.write_text(content, encoding="utf-8")
        own.unlink()
    except OSError as error:
        return f"{error.strerror} ({probe.parent})"
    return None
