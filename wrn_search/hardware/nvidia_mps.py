"""NVIDIA's multi-process service: whether it is on. Only the user starts it; see docs/gpus.md."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

_DEFAULT_PIPES = "/tmp/nvidia-mps"
_PROC = Path("/proc")
_NAME = "nvidia-cuda-mps"  # of its control daemon and its server, as far as the kernel keeps a name


def mps_state() -> dict[str, Any]:
    """For the manifest: `on`, and the `pipe_directory` that CUDA uses; of this machine.

    On means that its daemon runs here, or, where a container hides the host's processes, that the pipes are there.
    """
    folder = Path(os.environ.get("CUDA_MPS_PIPE_DIRECTORY") or _DEFAULT_PIPES)
    pipes = (folder / "control").exists()
    return {"on": _runs() or pipes, "pipe_directory": str(folder) if pipes else None}


def _runs() -> bool:
    """Whether a process has the service's name."""
    for path in _PROC.glob("[0-9]*/comm"):
        try:
            if path.read_text(errors="replace").startswith(_NAME):
                return True
        except OSError:  # it has ended meanwhile
            continue
    return False
