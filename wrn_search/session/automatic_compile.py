"""Whether trials are compiled by torch.compile: decided once for a whole search."""

from __future__ import annotations

from collections.abc import Sequence

from wrn_search.errors import InputError
from wrn_search.hardware.arithmetic_on_offer import ArithmeticOnOffer
from wrn_search.results.state_from_events import SearchState


def resolved_compile(
    asked: str, gpu_fraction: float, machines: Sequence[ArithmeticOnOffer], state: SearchState | None = None
) -> str:
    """`on` or `off` for `auto | on | off`; a search that is resumed keeps what it began with.

    `auto` is off. On CPUs compiled networks train as fast as plain ones and take half a minute to begin
    (`benchmarks/compiling.py`), so it never pays back within a trial; on GPUs nobody has measured it yet.

    Args:
        asked: `training.compile`.
        gpu_fraction: of a GPU for each trial.
        machines: those that will train.
        state: of the search to resume.

    Raises:
        InputError: `on`, for CPUs one of which lacks the C++ compiler that torch needs there.
    """
    asked = next((str(trial.config["compile"]) for trial in state.trials.values()), asked) if state else asked
    if asked == "on" and not gpu_fraction and not all(machine.compiler for machine in machines):
        where = "none was found" if len(machines) == 1 else "none was found on one of the nodes"
        text = f"a C++ compiler must be installed (g++ or clang++), but {where}"
        raise InputError.of("training.compile", f"{text}; use off")
    return "on" if asked == "on" else "off"
