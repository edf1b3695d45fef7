"""Rules of today's optimisers and schedules: which keys belong to which, and what must fit into the training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from wrn_search.space.axes.listed_points import ListedPoints
from wrn_search.space.axes.network_leaves import merged
from wrn_search.space.domains import Condition, Domain, LogUniform, Scalar, Uniform, finite_values, is_domain
from wrn_search.space.rules.broken_rule import Broken, Path, got, spelled
from wrn_search.space.section_keys import default_of
from wrn_search.space.sections.optimiser_keys import OWN_OPTIMISER
from wrn_search.space.space import Space

_INSTEAD = {
    "sgd": "adamw has beta1 and beta2 instead",
    "adamw": "sgd has momentum and nesterov instead",
}
_OPTIMISER: Path = ("training", "optimizer")


def _keys_are_of_the_optimiser(space: Space) -> Iterator[Broken]:
    """What the optimiser does not have stays at its default; a domain that does not apply to all trials says when."""
    if isinstance(space.axes, ListedPoints):
        yield from _keys_of_points(space)
        return
    optimisers = _values(space, "optimizer")
    for name, own in OWN_OPTIMISER.items():
        value = getattr(space.training, name)
        path: Path = ("training", name)
        reads = (path, _OPTIMISER, ("search", "points"))
        if own not in optimisers and (is_domain(value) or value != default_of(name)):
            rule = f"{name} is of optimizer: {own}; {_INSTEAD[own]}"
            yield Broken(path, f"{rule}, but got {_shown(value)} with {optimisers[0]}", reads)
        elif is_domain(value) and _applies_to_another(own, optimisers, dict(value.when).get("optimizer")):
            rule = f"{name} is of optimizer: {own} alone, so its domain must say when: {{optimizer: [{own}]}}"
            yield Broken(path, f"{rule}, but got {_shown(value)}", reads)


def _applies_to_another(own: str, optimisers: tuple[Scalar, ...], condition: Condition | None) -> bool:
    """Whether what only `own` has would be drawn for another optimiser of the space."""
    return any(each != own and (condition is None or condition.holds(each)) for each in optimisers)


def _keys_of_points(space: Space) -> Iterator[Broken]:
    """Of a list of points that is the space."""
    for place, point in enumerate(space.search.points):
        values = merged(space.leaves, point)
        for name, own in OWN_OPTIMISER.items():
            if values["optimizer"] != own and values[name] != default_of(name):
                at: Path = ("search", "points", place, name) if name in point else ("training", name)
                rule = f"{name} is of optimizer: {own}; {_INSTEAD[own]}"
                reads: tuple[Path, ...] = (("training", name), _OPTIMISER, ("search", "points"))
                yield Broken(at, f"{rule}, but got {spelled(values[name])} with {values['optimizer']}", reads)
                break


def _cooldown_is_of_wsd(space: Space) -> Iterator[Broken]:
    training, path = space.training, ("training", "lr_cooldown")
    if training.lr_schedule != "wsd" and training.lr_cooldown != default_of("lr_cooldown"):
        text = f"is of lr_schedule: wsd, but got {training.lr_cooldown:g} with {training.lr_schedule}"
        yield Broken(path, text, (path, ("training", "lr_schedule")))


def _warm_up_ends(space: Space) -> Iterator[Broken]:
    """Before the training does, and before what follows it begins."""
    training, path = space.training, ("training", "warmup_epochs")
    longest = max(int(value) for value in _values(space, "warmup_epochs"))
    reads: tuple[Path, ...] = (
        path,
        *(("training", name) for name in ("epochs", "lr_schedule", "lr_cooldown")),
        ("search", "points"),
    )
    if longest and training.lr_schedule == "onecycle":
        rule = "must be 0 with lr_schedule: onecycle, which begins with a rise"
    else:
        rule = warm_up_rule(longest, training.epochs, training.lr_schedule, training.lr_cooldown)
    if rule:
        yield Broken(path, f"{rule}, {got(longest)}", reads)


def warm_up_rule(warmup_epochs: int, epochs: int, lr_schedule: str, lr_cooldown: float) -> str:
    """The rule that a warm-up breaks in a training of so many epochs; empty where it fits."""
    if warmup_epochs and warmup_epochs >= epochs:
        return f"the warm-up must end before the last of the {epochs} epochs"
    most = (1 - lr_cooldown) * epochs
    if lr_schedule == "wsd" and warmup_epochs > most + 1e-9:
        return f"the warm-up must end before the cooldown begins, after {most:g} of {epochs} epochs"
    return ""


def _batches_have_equal_micro_batches(space: Space) -> Iterator[Broken]:
    gpus = space.resources.gpus_per_trial
    parts = 1 if isinstance(gpus, str) or gpus <= 1 else int(gpus)
    path: Path = ("training", "gradient_accumulation")
    for batch, count in _pairs(space, "batch_size", "gradient_accumulation"):
        if count > 1 and (batch % (parts * count) or batch < 2 * parts * count):
            reads: tuple[Path, ...] = (
                path,
                ("training", "batch_size"),
                ("resources", "gpus_per_trial"),
                ("search", "points"),
            )
            each = " on each GPU" if parts > 1 else ""
            rule = f"a batch must be so many equal micro-batches{each}, of two images or more"
            yield Broken(path, f"{rule}, but got {count} of a batch_size of {batch}", reads)
            return


def _pairs(space: Space, one: str, other: str) -> Iterator[tuple[Any, Any]]:
    """The values of two keys that a trial can have together."""
    if isinstance(space.axes, ListedPoints):
        for point in space.axes.points:
            values = merged(space.leaves, point)
            yield values[one], values[other]
        return
    for value in _values(space, one):
        for with_it in _values(space, other):
            yield value, with_it


def _values(space: Space, name: str) -> tuple[Scalar, ...]:
    """All values of a key, or the two ends of a continuous one."""
    value: Scalar | Domain = space.hyperparameters.get(name, getattr(space.training, name))
    if isinstance(value, Uniform | LogUniform):
        return value.low, value.high
    return finite_values(value) or ()


RULES_OF_OPTIMISERS: tuple[Callable[[Space], Iterator[Broken]], ...] = (
    _keys_are_of_the_optimiser,
    _cooldown_is_of_wsd,
    _warm_up_ends,
    _batches_have_equal_micro_batches,
)


def _shown(value: object) -> str:
    return spelled(value.to_document() if is_domain(value) else value)
