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
ROUNDS = {
    "trivial": 1,
    "randaugment": 2,
    "color_jitter": 3,
}  # operations in a row that a policy draws for each image
# Images that a policy changes in one go, where batches are smaller: 8 batches of 128 of 32x32. A third faster on a CPU
# than one by one; on a GPU it takes longer to start the work than to do it.
BYTES_TOGETHER = 3 * 2**20
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


def policy_of(augmentation: str) -> str:
    """The policy that comes after crops or shifts; empty for none."""
    name = augmentation.removeprefix("shift_")
    return name if name in POLICIES else ""


def padding_of(asked: str | int, image_shape: tuple[int, int, int]) -> int:
    """Pixels around an image of (H, W, C): those asked for, or an eighth of the shorter side, at least 1."""
    if isinstance(asked, int):
        return asked
    return max(1, round(min(image_shape[:2]) / _PARTS))
