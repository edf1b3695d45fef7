"""Which arithmetic `precision: auto` means, and whether the machines can compute what is asked for.

Decided once for a whole search, so that no ranking mixes two.
"""

from __future__ import annotations

from collections.abc import Sequence

from wrn_search.errors import InputError, Problem
from wrn_search.hardware.arithmetic_on_offer import TF32_RULE, ArithmeticOnOffer, lacks_tf32
from wrn_search.results.state_from_events import SearchState
from wrn_search.space.sections.training_keys import TrainingSettings

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
    """What is asked for; `auto` becomes `fp32` or `bf16`. A search that is resumed keeps what it began with.

    `auto` is bf16 where it pays on every machine: the weakest decides. It is never tf32 or fp16.

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


def check_arithmetic(
    asked: TrainingSettings, gpu_fraction: float, machines: Sequence[ArithmeticOnOffer]
) -> None:
    """That every machine which will train has what `precision: tf32` and `cuda_graph: on` need.

    fp16 is computed on CPUs too, slowly.

    Raises:
        InputError: one has not; GPUs that are there in name only are none.
    """
    offers = [machine.cuda_capabilities for machine in machines if machine.cuda_capabilities != ()]
    on_gpus = bool(gpu_fraction and offers)
    problems = []
    if asked.precision == "tf32":
        if not on_gpus:
            text = f"{TF32_RULE}, but trials train on CPUs; write fp32 or auto"
            problems.append(Problem("training.precision", text))
        elif (got := lacks_tf32(machines)) is not None:
            text = f"{TF32_RULE}, but one has {got}; write fp32 or fp16"
            problems.append(Problem("training.precision", text))
    if asked.cuda_graph == "on" and not on_gpus:
        rule = "cuda_graph: on needs GPUs, on which a step is captured"
        problems.append(
            Problem("training.cuda_graph", f"{rule}, but trials train on CPUs; write auto or off")
        )
    if problems:
        raise InputError(problems)


def _pays(machine: ArithmeticOnOffer, image_shape: tuple[int, int, int], gpu_fraction: float) -> bool:
    """Whether bf16 is faster than fp32 on a machine; a simulated GPU goes by the CPU."""
    if gpu_fraction and machine.cuda_capabilities != ():
        return (
            machine.cuda_capabilities is not None and min(machine.cuda_capabilities) >= _FIRST_CUDA_WITH_BF16
        )
    return machine.fast_bf16 and min(image_shape[:2]) >= _SMALLEST_SIDE_FOR_BF16
