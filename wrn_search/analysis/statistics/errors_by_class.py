"""The test error of each class, of networks that were retrained with several seeds and tested once each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wrn_search.analysis.input_tables.shared_values import Interval

_NORMAL_QUANTILE = 1.959963984540054  # of 97.5 %


@dataclass(frozen=True)
class ClassError:
    """What the seeds of one finalist said of one class."""

    name: str
    images: int  # of the class in the test split
    errors: tuple[float, ...]  # of each seed, percent; empty where the class has no test image
    error: float | None  # the mean of the seeds, percent
    # 95 % of it for this class by itself, by the number of its images (`wilson_interval`): all seeds are asked about
    # the same ones, so that seeds make them no more
    interval: Interval | None

    @classmethod
    def of(cls, name: str, images: int, wrong: Sequence[int]) -> ClassError:
        """Of a class with so many test images, how many each seed got wrong."""
        errors = tuple(100 * count / images for count in wrong) if images else ()
        error = sum(errors) / len(errors) if errors else None
        return cls(name, images, errors, error, None if error is None else wilson_interval(error, images))

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "class": self.name,
            "images": self.images,
            "error": self.error,
            "interval": None if self.interval is None else list(self.interval),
            "errors": list(self.errors),
        }


def errors_by_class(
    names: Sequence[str], counted: Sequence[Mapping[str, Sequence[int]]]
) -> tuple[ClassError, ...]:
    """Of every class, in the order of the labels; nothing where no network was counted by class.

    Args:
        names: of the classes; numbers stand for them where an older record names none.
        counted: of each network the `images` of each class, and how many of them it got `wrong`.
    """
    told = [each for each in counted if each.get("images")]
    if not told or any(list(each["images"]) != list(told[0]["images"]) for each in told):
        return ()
    images = [int(count) for count in told[0]["images"]]
    if len(names) != len(images):
        names = [str(label) for label in range(len(images))]
    return tuple(
        ClassError.of(name, count, [int(each["wrong"][label]) for each in told])
        for label, (name, count) in enumerate(zip(names, images, strict=True))
    )


def shown_classes(classes: Sequence[ClassError], most: int) -> list[int]:
    """All labels in their order; of more than `most` classes those with the highest errors, the highest first."""
    if len(classes) <= most:
        return list(range(len(classes)))
    return sorted(range(len(classes)), key=lambda label: (-(classes[label].error or 0.0), label))[:most]


def wilson_interval(error: float, images: int) -> Interval:
    """95 % of an error in percent that was counted on so many images.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927): the values that
    a score test does not refuse, which also holds for few images and for errors of 0 and 100 %.
    """
    share, square = error / 100, _NORMAL_QUANTILE**2
    middle = (share + square / (2 * images)) / (1 + square / images)
    spread = math.sqrt(share * (1 - share) / images + square / (4 * images**2))
    reach = _NORMAL_QUANTILE * spread / (1 + square / images)
    low = 100 * (middle - reach) if error > 0 else 0.0  # exactly, whatever rounding leaves
    high = 100 * (middle + reach) if error < 100 else 100.0
    return low, high
