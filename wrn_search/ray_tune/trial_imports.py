"""What the processes of a private Ray import: this package, and nothing that happens to lie where the user works.

Ray puts the folder of the script and the working directory in front of their search paths, before Python's own
library: a user's statistics.py would be imported there instead of Python's.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from wrn_search.memory.probe.tasks_on_nodes import runtime_env
from wrn_search.plugins import environment_here
from wrn_search.ray_tune.ray_environment import PACKAGE

if TYPE_CHECKING:
    from ray.job_config import JobConfig


@contextmanager
def package_alone(scratch: Path) -> Iterator[None]:
    """Processes that are started in the block find this package: by a folder on PYTHONPATH with nothing else in it.

    Not by the folder that holds the package, which may be the one that the user works in. PYTHONPATH as the user has
    set it counts as well, but for the working directory.

    Args:
        scratch: a folder in which one may be made for as long as the block lasts.
    """
    before = os.environ.get("PYTHONPATH")
    with tempfile.TemporaryDirectory(prefix="package-", dir=scratch) as alone:
        Path(alone, PACKAGE.name).symlink_to(PACKAGE, target_is_directory=True)
        given = [entry for entry in (before or "").split(os.pathsep) if entry and not _is_here(entry)]
        os.environ["PYTHONPATH"] = os.pathsep.join([alone, *given])
        try:
            yield
        finally:
            if before is None:
                os.environ.pop("PYTHONPATH", None)
            else:
                os.environ["PYTHONPATH"] = before


@contextmanager
def package_in_a_running_ray() -> Iterator[None]:
    """Trials and tasks that a Ray of the user's runs on this machine find this package, too.

    It began before we were asked, perhaps where a notebook has put the package on its own search path only. Tune hands
    some environment variables on to its trials; for as long as the block lasts PYTHONPATH is one of them.
    """
    from ray.tune.execution import class_cache

    names: set[str] = getattr(
        class_cache, "ENV_VARS_TO_PROPAGATE", set()
    )  # another Ray may have no such list
    with package_alone(Path(tempfile.gettempdir())):
        handed_on = {"PYTHONPATH": os.environ["PYTHONPATH"], **environment_here()}
        token = runtime_env.set({"env_vars": handed_on})
        new = handed_on.keys() - names
        names |= new
        try:
            yield
        finally:
            runtime_env.reset(token)
            names -= new


def _is_here(entry: str) -> bool:
    return Path(entry).resolve() == Path.cwd()


class _None(list[str]):
    """Search paths that stay as few as they are; Ray has no option for it (2.60)."""

    def extend(self, paths: Iterable[str], /) -> None:
        """Ray hands over the script's folder and the working directory."""


def nothing_from_here() -> JobConfig:
    """Ray's job without search paths of the driver."""
    from ray.job_config import JobConfig

    job = JobConfig()
    job._py_driver_sys_path = _None()
    return job
