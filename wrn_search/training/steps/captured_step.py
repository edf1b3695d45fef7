"""A training's step on CUDA as one graph: captured once, then replayed by a single launch.

For networks whose kernels take less time than it takes to launch them one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch

# Before, what a step makes once is made: momentum, cuDNN's choices, libraries' workspaces.
_EAGER_STEPS = 3


class CapturedStep:
    """Runs a step whose tensors stay at their places and which asks nothing of the host.

    On CUDA it runs as it is for some steps, on a stream of its own, and then as a graph; elsewhere always as it is.

    Args:
        step: has no argument and no answer: what it reads and writes are tensors that stay.
        device: where they are.
    """

    def __init__(self, step: Callable[[], None], device: torch.device):
        self._step, self._device = step, device
        self._graph: torch.cuda.CUDAGraph | None = None
        self._eager_steps = 0

    def __call__(self) -> None:
        """One step."""
        if self._graph is not None:
            self._graph.replay()
        elif self._device.type != "cuda":
            self._step()
        elif self._eager_steps < _EAGER_STEPS:
            self._eager_steps += 1
            self._aside()
        else:
            self._graph = self._captured()
            self._graph.replay()  # capturing runs nothing

    def forget(self) -> None:
        """Something that the step reads or writes has another place now: it is captured anew."""
        self._graph, self._eager_steps = None, 0

    def _captured(self) -> torch.cuda.CUDAGraph:
        """The step as a graph.

        Raises:
            torch.OutOfMemoryError: its memory does not fit beside what is there; what torch makes of the end of a
                capture that failed is left out.
        """
        graph, too_much = torch.cuda.CUDAGraph(), None
        try:
            # Other threads, which write checkpoints, may call CUDA meanwhile.
            with torch.cuda.graph(
                graph, stream=_stream_beside(self._device), capture_error_mode="thread_local"
            ):
                try:
                    self._step()
                except torch.OutOfMemoryError as error:
                    too_much = error
                    raise
        except RuntimeError:
            if too_much is None:
                raise
            raise too_much from None
        return graph

    def _aside(self) -> None:
        """On another stream, as a capture is: autograd remembers on which one a parameter was first used."""
        current = torch.cuda.current_stream(self._device)
        aside = _stream_beside(self._device)
        aside.wait_stream(current)
        with torch.cuda.stream(aside):
            self._step()
        current.wait_stream(aside)


@cache
def _stream_beside(device: torch.device) -> torch.cuda.Stream:
    """One for all steps of a process: cuBLAS keeps a workspace for each stream that it was ever called on."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
