"""Rules of keys that would never act: a value that nobody trains by is a mistake, or would be read as one that was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from wrn_search.space.axes.listed_points import ListedPoints
from wrn_search.space.domains import is_domain
from wrn_search.space.rules.broken_rule import Broken, Path, spelled
from wrn_search.space.section_keys import default_of
from wrn_search.space.sections.crop_padding import AUTO, BEFORE, CROPPING
from wrn_search.space.sections.recipes import preset
from wrn_search.space.space import Space

_SCHEDULE: Path = ("training", "lr_schedule")
_DROPS: Path = ("training", "lr_drops")


def _drops_are_of_a_schedule_with_drops(space: Space) -> Iterator[Broken]:
    training = space.training
    if space.has_drops:
        return
    if training.lr_schedule != "step":
        without = f"lr_schedule: {training.lr_schedule}, which has no drops"
        yield from _idle(space, "lr_drops", "is of lr_schedule: step", without, (_SCHEDULE,))
    else:
        without = "lr_drops: []"
    for name in ("lr_drop_factor", "momentum_at_drops"):
        yield from _idle(space, name, "acts at the drops of lr_schedule: step", without, (_SCHEDULE, _DROPS))


def _the_rate_of_a_step_differs_from_its_epochs(space: Space) -> Iterator[Broken]:
    """Drops stay at the beginnings of epochs, so that without a warm-up every step of one has the same rate."""
    if space.training.lr_schedule == "step" and not space.longest_warm_up:
        reads = (_SCHEDULE, ("training", "warmup_epochs"))
        without = "lr_schedule: step and no warmup_epochs"
        yield from _idle(space, "lr_by", "acts where the rate changes within an epoch", without, reads)


def _idle(space: Space, name: str, rule: str, without: str, others: tuple[Path, ...]) -> Iterator[Broken]:
    """A key of `training` that is searched, or is neither at its default nor as a preset fills it in."""
    path: Path = ("training", name)
    reads: tuple[Path, ...] = (path, *others, ("recipe",), ("dataset", "name"), ("search", "points"))
    usual = [default_of(name), *preset(f"training.{name}", space.recipe, space.dataset.name)]
    usual += [()] if name == "lr_drops" else []  # says that there are none
    value = getattr(space.training, name)
    if is_domain(value) or not _is_among(value, usual):
        yield Broken(path, f"{name} {rule}, but got {_shown(value)} with {without}", reads, idle=True)
    if isinstance(space.axes, ListedPoints):
        for place, point in enumerate(space.search.points):
            if name in point and not _is_among(point[name], usual):
                at: Path = ("search", "points", place, name)
                text = f"{name} {rule}, but got {spelled(point[name])} with {without}"
                yield Broken(at, text, (at, *reads[1:]), idle=True)


def _crops_have_a_padding(space: Space) -> Iterator[Broken]:
    dataset = space.dataset
    if dataset.augmentation not in CROPPING and dataset.crop_padding not in (AUTO, BEFORE):
        path: Path = ("dataset", "crop_padding")
        rule = f"crop_padding is of an augmentation that crops ({', '.join(CROPPING)})"
        text = f"{rule}, but got {dataset.crop_padding} with augmentation: {dataset.augmentation}"
        yield Broken(path, text, (path, ("dataset", "augmentation"), ("recipe",)), idle=True)


def _images_that_are_fitted_have_a_size(space: Space) -> Iterator[Broken]:
    dataset = space.dataset
    if dataset.image_size is None and dataset.image_fit != dataset.facts.image_fit:
        path: Path = ("dataset", "image_fit")
        text = f"image_fit says how image_size is reached, but got {dataset.image_fit} without image_size"
        yield Broken(path, text, (path, ("dataset", "image_size"), ("dataset", "name")), idle=True)


def _is_among(value: Any, usual: list[Any]) -> bool:
    return any(value == (tuple(each) if isinstance(each, list) else each) for each in usual)


RULES_OF_IDLE_KEYS: tuple[Callable[[Space], Iterator[Broken]], ...] = (
    _drops_are_of_a_schedule_with_drops,
    _the_rate_of_a_step_differs_from_its_epochs,
    _crops_have_a_padding,
    _images_that_are_fitted_have_a_size,
)


def _shown(value: object) -> str:
    if is_domain(value):
        return spelled(value.to_document())
    return spelled(list(value) if isinstance(value, tuple) else value)
