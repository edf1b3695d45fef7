"""Where the kernel shows the control groups that limit this process, in cgroup v2 and v1."""

from __future__ import annotations

from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


def folders_of_own_groups(*controllers: str) -> list[Path]:
    """The group of this process and all above it, of v2 and of these controllers of v1; not all need be there."""
    try:
        groups = [line.split(":", 2) for line in OWN_CGROUPS.read_text().splitlines()]
    except OSError:
        groups = []
    # A container sees its own group at the top, whatever path the file tells.
    paths = {"/"} | {path for _, _, path in (group for group in groups if len(group) == 3)}
    tops = [CGROUPS / name for name in ("", "unified", *controllers)]
    return sorted({Path(top, *parts[1:]) for path in paths for parts in _upwards(Path(path)) for top in tops})


def _upwards(path: Path) -> list[tuple[str, ...]]:
    """The parts of a path and of all folders above it."""
    return [each.parts for each in (path, *path.parents) if ".." not in each.parts]
