"""The key `dataset.crop_padding`: how far the random crop of the augmentations that crop may move.

Padded by 4 pixels, images of 32x32 move by an eighth of their side at most (Zagoruyko & Komodakis, 2016, section 3);
the same share of larger images keeps the crop as strong as it is there.
"""

from __future__ import annotations

from typing import Any

from wrn_search.space.rules.broken_rule import broken, got
from wrn_search.space.rules.key_rule import Leaf
from wrn_search.space.rules.number_and_text_rules import whole_number

AUTO = "auto"
BEFORE = 4  # pixels, whatever the size: what every search was trained with whose record has no such key
POLICIES = (
    "trivial",
    "randaugment",
    "color_jitter",
)  # after flip_crop, or after shift, which mirrors nothing
CROPPING = ("flip_crop", "flip_crop_batch", "crop", *POLICIES)  # augmentations
_PARTS = 8  # of the shorter side


def auto_or_pixels() -> Leaf:
    """A leaf that takes `auto` or a number of pixels, of which 0 crops nothing."""
    pixels = whole_number(0, 512)

    def check(value: Any) -> Any:
        if value == AUTO:
            return value
        if isinstance(value, str):
            raise broken(f"must be auto or a whole number, {got(value)}")
        return pixels.check(value)

    return Leaf(check, {"anyOf": [{"const": AUTO}, pixels.schema]})


def padding_of(asked: str | int, image_shape: tuple[int, int, int]) -> int:
    """Pixels around an image of (H, W, C): those asked for, or an eighth of the shorter side, at least 1."""
    if isinstance(asked, int):
        return asked
    return max(1, round(min(image_shape[:2]) / _PARTS))
