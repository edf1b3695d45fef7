"""Which arithmetic `precision: auto` means: decided once for a whole search, so that no ranking mixes two."""

from __future__ import annotations

from collections.abc import Sequence

from wrn_search.hardware.arithmetic_on_offer import ArithmeticOnOffer
from wrn_search.results.state_from_events import SearchState

# Below, convolutions are too small for bf16 to pay (measured at 8x8: no gain).
_SMALLEST_SIDE_FOR_BF16 = 32
_FIRST_CUDA_WITH_BF16 = (8, 0)


def resolved_precision(
    asked: str,
    image_shape: tuple[int, int, int],
    gpu_fraction: float,
    machines: Sequence[ArithmeticOnOffer],
    state: SearchState | None = None,
) -> str:
    """`fp32` or `bf16` for `auto | fp32 | bf16`; a search that is resumed keeps what it began with.

    `auto` is bf16 where it pays on every machine: the weakest decides.

    Args:
        asked: `training.precision`.
        image_shape: height, width, channels.
        gpu_fraction: of a GPU for each trial.
        machines: those that will train, at least one.
        state: of the search to resume.
    """
    for trial in state.trials.values() if state else ():
        return str(trial.config["precision"])
    if asked != "auto":
        return asked
    if gpu_fraction:  # nodes without a GPU do not train
        machines = [machine for machine in machines if machine.cuda_capabilities != ()] or machines
    return "bf16" if all(_pays(machine, image_shape, gpu_fraction) for machine in machines) else "fp32"


def _pays(machine: ArithmeticOnOffer, image_shape: tuple[int, int, int], gpu_fraction: float) -> bool:
    """Whether bf16 is faster than fp32 on a machine; a simulated GPU goes by the CPU."""
    if gpu_fraction and machine.cuda_capabilities != ():
        return (
            machine.cuda_capabilities is not None and min(machine.cuda_capabilities) >= _FIRST_CUDA_WITH_BF16
        )
    return machine.fast_bf16 and min(image_shape[:2]) >= _SMALLEST_SIDE_FOR_BF16
