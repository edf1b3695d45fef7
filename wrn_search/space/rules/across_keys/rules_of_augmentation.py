"""Rules of what is done to training images and to the loss: it must fit the images and their classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wrn_search.errors import InputError, Problem
from wrn_search.space.dataset_section import OF_EIGHT_BITS
from wrn_search.space.domains import finite_values
from wrn_search.space.rules.broken_rule import Broken, Path, dotted, got
from wrn_search.space.rules.class_weights_rule import listed_weights
from wrn_search.space.space import Space

_NAME: Path = ("dataset", "name")


def check_training_of_images(
    space: Space, num_classes: int | None, image_shape: tuple[int, int, int] | None
) -> None:
    """What the file says of a training must fit its images, where only their files tell of them.

    Raises:
        InputError: a square to cut out is larger than an image, or weights are not as many as classes.
    """
    found = [*_cutout_problems(space, image_shape), *_weights_problems(space, num_classes)]
    if found:
        raise InputError([Problem(dotted(each.at), each.text) for each in found])


def _a_cutout_leaves_something(space: Space) -> Iterator[Broken]:
    yield from _cutout_problems(space, space.dataset.facts.image_shape)


def _every_class_has_a_weight(space: Space) -> Iterator[Broken]:
    yield from _weights_problems(space, space.dataset.facts.num_classes)


def _cutout_problems(space: Space, image_shape: tuple[int, int, int] | None) -> Iterator[Broken]:
    most = max(map(int, finite_values(space.hyperparameters.get("cutout", space.training.cutout)) or (0,)))
    if image_shape is not None and most > (side := min(image_shape[:2])):
        at: Path = ("training", "cutout")
        images = f"of images of {image_shape[0]}x{image_shape[1]} pixels"
        text = f"cutout must be at most {side}, the shorter side {images}, {got(most)}"
        yield Broken(at, text, (at, _NAME, ("dataset", "image_size")))


def _weights_problems(space: Space, num_classes: int | None) -> Iterator[Broken]:
    if num_classes is None:
        return
    asked = space.hyperparameters.get("class_weights", space.training.class_weights)
    for value in finite_values(asked) or ():
        weights = listed_weights(str(value))
        if weights is not None and len(weights) != num_classes:
            at: Path = ("training", "class_weights")
            rule = f"class_weights must have a weight for each of the {num_classes} classes"
            yield Broken(at, f"{rule}, but got {len(weights)}: {value}", (at, _NAME))


def _levels_are_there_to_change(space: Space) -> Iterator[Broken]:
    dataset = space.dataset
    if dataset.augmentation in OF_EIGHT_BITS and dataset.preprocessing == "zca":
        reads: tuple[Path, ...] = (
            ("dataset", "augmentation"),
            ("dataset", "preprocessing"),
            ("recipe",),
            _NAME,
        )
        rule = "changes images of 8 bits a channel, and zca whitens them before: write meanstd or divide255"
        yield Broken(reads[0], f"augmentation: {dataset.augmentation} {rule}", reads)


RULES_OF_AUGMENTATION: tuple[Callable[[Space], Iterator[Broken]], ...] = (
    _a_cutout_leaves_something,
    _every_class_has_a_weight,
    _levels_are_there_to_change,
)
