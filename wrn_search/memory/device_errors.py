"""Whether an exception says that memory was wanting, and whether the process that raised it can go on with its GPU.

No GPU was there to raise one: the texts are those in torch's source and in the reports of its users.
"""

from __future__ import annotations

# Libraries that ask torch's allocator for room swallow its exception and say only that they found no way.
_TEXTS_OF_WANT = (
    "can't allocate memory",  # torch's allocator on a CPU
    "out of memory",  # "CUDA out of memory", "CUDA error: out of memory", "CUDA driver error: out of memory"
    "unable to find an engine to execute this computation",  # cuDNN 8 and 9: "GET was", "FIND was"
    "unable to find a valid cudnn algorithm",
    "status_alloc_failed",  # of cuBLAS, cuDNN, cuSOLVER, cuSPARSE
    "allocation_failed",  # CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED and the host's
    "cublas_status_not_initialized",  # their handles are made when a first layer needs them
    "cudnn_status_not_initialized",
)
# After one of these every later call on the GPU fails too, also that of another trial in the process.
_TEXTS_OF_A_BROKEN_GPU = (
    "cuda error:",
    "cuda driver error:",
    "status_execution_failed",
    "status_mapping_error",
    "status_internal_error",
    "status_arch_mismatch",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Of the device or of the machine, also when a library wraps or swallows it."""
    import torch

    while True:
        text = str(error).lower()
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or any(w in text for w in _TEXTS_OF_WANT):
            return True
        if error.__cause__ is None:
            return False
        error = error.__cause__


def has_broken_gpu(error: BaseException) -> bool:
    """Whether this process can use its GPU no more: a sticky CUDA error, of its own or of a neighbour that crashed."""
    import torch

    if is_out_of_memory(error):
        return False
    text = str(error).lower()
    if isinstance(error, torch.AcceleratorError) or any(broken in text for broken in _TEXTS_OF_A_BROKEN_GPU):
        return True
    if not torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        return False
    try:
        torch.cuda.synchronize()
    except RuntimeError:  # the error of an earlier kernel, told late
        return True
    return False
