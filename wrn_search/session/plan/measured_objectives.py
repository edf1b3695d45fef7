"""Whether the machines that will train can measure what the objectives ask for; asked before anything is written."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from wrn_search.cluster.living_nodes import LivingNode
from wrn_search.errors import InputError, Problem
from wrn_search.hardware.arithmetic_on_offer import ArithmeticOnOffer, arithmetic_here, gpus_are_simulated
from wrn_search.hardware.gpu_energy import energy_problem_text

ENERGY = "energy_kwh"


def offers_of(training: Sequence[LivingNode]) -> list[tuple[str, ArithmeticOnOffer]]:
    """(name, what it can compute with) of the nodes that answered; of this machine where there are none."""
    told = [(node.name, node.arithmetic) for node in training if node.arithmetic is not None]
    return told or [(socket.gethostname(), arithmetic_here())]


def check_energy(
    costs: Sequence[str], gpu_fraction: float, offers: Sequence[tuple[str, ArithmeticOnOffer]]
) -> None:
    """That every machine which will train has the counters that `energy_kwh` needs.

    Args:
        costs: objectives other than the error.
        gpu_fraction: of a GPU for each trial, as resolved.
        offers: of the machines, each with its name.

    Raises:
        InputError: at `objectives`, naming each that has none and why; GPUs that are there in name only have none.
    """
    if ENERGY not in costs:
        return
    if not gpu_fraction or gpus_are_simulated():
        rule = "energy_kwh is told by the counters of GPUs (NVML)"
        on = "GPUs that are there in name only" if gpu_fraction else "CPUs"
        raise InputError.of(
            "objectives", f"{rule}, but trials train on {on}; write seconds_per_epoch or macs"
        )
    problems = [
        Problem("objectives", energy_problem_text(name, offer.energy_missing))
        for name, offer in offers
        if offer.energy_missing is not None and offer.cuda_capabilities != ()
    ]
    if problems:
        raise InputError(problems)
