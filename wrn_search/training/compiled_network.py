"""A network compiled by `torch.compile`: as a whole on a CPU, block by block on CUDA."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import torch
from torch import nn

# Shapes of blocks, in whole batches and a smaller last one; torch gives up after eight by default.
_SHAPES = 64
_THREADS = "TORCHINDUCTOR_COMPILE_THREADS"


def compiled_network(network: nn.Module, device: torch.device, backend: str = "inductor") -> nn.Module:
    """What trains instead of the network, whose parameters it shares.

    On CUDA each block is compiled in place, and blocks of one shape share their code: WRN-28-10 has six shapes for
    twelve blocks. Its compiler has as many threads as torch, where `TORCHINDUCTOR_COMPILE_THREADS` does not say it.

    Args:
        network: stays what it is on a CPU; on CUDA its blocks are compiled wherever it is called, but in
            `plain_blocks`.
        device: of the network.
        backend: of torch.compile.
    """
    if device.type != "cuda":
        compiled: Any = torch.compile(network, backend=backend)
        return cast("nn.Module", compiled)
    # Half a second, which only who compiles waits for.
    from torch._dynamo import config as of_dynamo
    from torch._inductor import config as of_inductor

    of_dynamo.recompile_limit = max(of_dynamo.recompile_limit, _SHAPES)
    if _THREADS not in os.environ:
        of_inductor.compile_threads = torch.get_num_threads()
    for block in blocks(network):
        block.compile(backend=backend, dynamic=False)
    return network


def blocks(network: nn.Module) -> Iterator[nn.Module]:
    """The residual blocks: modules with layers of their own that stand in a sequence."""
    for module in network.modules():
        if isinstance(module, nn.Sequential):
            for part in module:
                if not isinstance(part, nn.Sequential) and any(True for _ in part.children()):
                    yield part


def plain_blocks(is_compiled: bool) -> AbstractContextManager[Any]:
    """Inside, compiled blocks run as they are: evaluation has other batches, and would be compiled anew."""
    if not is_compiled:
        return nullcontext()
    stance: AbstractContextManager[Any] = torch.compiler.set_stance("force_eager")
    return stance
