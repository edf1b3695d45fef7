"""Processes on a file system without locks: `flock` answers them with an errno, as NFS without lockd and FUSE do."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path

ERRORS = {"ENOSYS": errno.ENOSYS, "ENOLCK": errno.ENOLCK, "EOPNOTSUPP": errno.EOPNOTSUPP}
_C = """#include <errno.h>
int flock(int descriptor, int operation) { errno = %d; return -1; }
"""
# Where no C compiler is: Python looks for this module at its start.
_SITECUSTOMIZE = """import fcntl, os
def flock(descriptor, operation):
    raise OSError(%d, os.strerror(%d))
fcntl.flock = flock
"""


def environment(folder: Path, number: int) -> dict[str, str]:
    """The environment of a process whose `flock` fails with an errno.

    Args:
        folder: an empty one, for what makes it fail.
        number: the errno.
    """
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        (folder / "sitecustomize.py").write_text(_SITECUSTOMIZE % (number, number))
        return os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}
    source, library = folder / "without_flock.c", folder / "without_flock.so"
    source.write_text(_C % number)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    return os.environ | {"LD_PRELOAD": str(library)}
