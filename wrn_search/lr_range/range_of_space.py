"""A range test of a space, from its images to what is suggested."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from wrn_search.errors import InputError
from wrn_search.hardware.arithmetic_on_offer import arithmetic_here
from wrn_search.images.prepared_data import prepare
from wrn_search.lr_range.middle_trial import middle_trial
from wrn_search.lr_range.range_in_words import RangeTest
from wrn_search.lr_range.range_test import run_range, steps_per_epoch
from wrn_search.lr_range.suggestion import LEAST_STEPS, MOST_STEPS, rates_of, suggestion
from wrn_search.session.automatic_precision import check_arithmetic, resolved_precision
from wrn_search.space.network_budgets import check_images
from wrn_search.space.rules.across_keys.rules_of_augmentation import check_training_of_images
from wrn_search.space.space import Space


@dataclass(frozen=True)
class Asked:
    """How a space is to be tested."""

    low: float  # the learning rate of the first step
    high: float  # of the last one
    steps: int | None  # None: as `epochs` say
    epochs: float | None  # instead, also a part of one
    seed: int
    device: str  # cpu | cuda
    threads: int  # of a CPU


def range_test_of(
    space: Space, asked: Asked, told: Callable[[int, int], object] = lambda step, of: None
) -> RangeTest:
    """One network of the space, trained at rising rates; `told` hears of each step and of how many there are.

    Raises:
        InputError: its images or its memory are not there, or the epochs make too few steps.
    """
    data = prepare(space.dataset)
    check_images(space, data.num_classes, data.image_shape)
    check_training_of_images(space, data.num_classes, data.image_shape)
    check_arithmetic(space.training, float(asked.device == "cuda"), [arithmetic_here()])
    precision = space.training.precision
    if precision == "auto":
        on_gpu = float(asked.device == "cuda")
        precision = resolved_precision(precision, data.image_shape, on_gpu, [arithmetic_here()])
    trial = middle_trial(space, data.num_classes, data.image_shape[2], asked.seed, precision)
    steps = asked.steps or round((asked.epochs or 0.0) * steps_per_epoch(trial.config, data))
    if not LEAST_STEPS <= steps <= MOST_STEPS:
        rule = f"must make {LEAST_STEPS} to {MOST_STEPS} steps"
        raise InputError.of("--epochs", f"{rule}, but {asked.epochs:g} make {steps}")
    started = time.perf_counter()
    run = run_range(
        trial.config,
        data,
        rates_of(asked.low, asked.high, steps),
        device=asked.device,
        threads=asked.threads,
        told=lambda step: told(step, steps),
    )
    seconds = time.perf_counter() - started
    found = suggestion(run.rates, run.losses, steps)
    return RangeTest(space.name, trial, asked.device, run, found, seconds)
