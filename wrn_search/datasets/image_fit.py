"""Images of any size made square ones of one size: scaled with antialias, then cropped or padded around the centre."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL.Image import Image

FITS = ("crop", "pad", "centre")
CENTRE = 7 / 8  # of the shorter side, which `centre` keeps: 224 pixels of 256
_DRAFT = 2  # times the wanted size, at which a JPEG decoder may stop: what is left shrinks by antialias


@dataclass(frozen=True)
class ImageFit:
    """`size` pixels a side. `crop` scales the shorter side to them, `pad` the longer one; no side is distorted.

    `centre` scales the shorter side to 8/7 of them and cuts a square around the centre, as networks for ImageNet are
    evaluated: 256 pixels, of which 224 are seen.
    """

    size: int
    how: str = "crop"

    def __post_init__(self) -> None:
        assert self.how in FITS, self.how

    def draft(self, image: Image) -> None:
        """Lets the decoder of a JPEG that was opened, and not yet loaded, leave out what shrinking will lose."""
        side = max(image.size) if self.how == "pad" else min(image.size)
        scale = _DRAFT * self.size / side / (CENTRE if self.how == "centre" else 1)
        if scale < 1:
            image.draft(image.mode, (round(image.width * scale), round(image.height * scale)))

    def fitted(self, image: Image, background: str) -> Image:
        """An L or RGB image -> (size, size), smoothed by a filter as wide as it shrinks (bicubic with antialias)."""
        from PIL import Image as Images
        from PIL import ImageColor

        width, height = image.size
        if (width, height) == (self.size, self.size) and self.how != "centre":
            return image
        if self.how != "pad":
            side = min(width, height) * (CENTRE if self.how == "centre" else 1)
            left, top = (width - side) / 2, (height - side) / 2
            box = (left, top, left + side, top + side)
            return image.resize((self.size, self.size), Images.Resampling.BICUBIC, box)
        scale = self.size / max(width, height)
        inner = max(1, round(width * scale)), max(1, round(height * scale))
        ground = Images.new(image.mode, (self.size, self.size), ImageColor.getcolor(background, image.mode))
        corner = (self.size - inner[0]) // 2, (self.size - inner[1]) // 2
        ground.paste(image.resize(inner, Images.Resampling.BICUBIC), corner)
        return ground


def fit_images(images: npt.NDArray[np.uint8], fit: ImageFit, background: str) -> npt.NDArray[np.uint8]:
    """(N, H, W, C) of one or three channels -> (N, size, size, C), each as `ImageFit.fitted` makes it."""
    from PIL import Image as Images

    fitted = np.empty((len(images), fit.size, fit.size, images.shape[3]), dtype=np.uint8)
    for index, pixels in enumerate(images):
        image = Images.fromarray(pixels[..., 0] if images.shape[3] == 1 else pixels)
        fitted[index] = np.asarray(fit.fitted(image, background)).reshape(fitted.shape[1:])
    return fitted


def fit_text(fit: ImageFit, sizes: Counter[tuple[int, int]], background: str) -> list[str]:
    """A line on what became of images of (height, width); none where all had the wanted size."""
    if not sizes or (fit.how != "centre" and sizes.keys() == {(fit.size, fit.size)}):
        return []
    aspects = sorted((width / height, count) for (height, width), count in sizes.items())
    middle, passed, median = sum(sizes.values()) // 2, 0, aspects[-1][0]
    for aspect, count in aspects:
        passed += count
        if passed > middle:
            median = aspect
            break
    smallest, largest = (pick(sizes, key=lambda size: size[0] * size[1]) for pick in (min, max))
    kept = CENTRE**2 if fit.how == "centre" else 1
    lost = max(1 - kept * min(size) / max(size) for size in sizes)
    how = {
        "crop": f"the shorter side scaled, the longer one cropped around the centre (at most {lost:.0%} of an image)",
        "pad": f"the longer side scaled, the shorter one padded with {background} (at most {lost:.0%} of an image)",
        "centre": f"the shorter side scaled to 8/7 of that, both cropped around the centre (at most {lost:.0%} of an "
        "image)",
    }[fit.how]
    side = max if fit.how == "pad" else min
    least = fit.size / CENTRE if fit.how == "centre" else fit.size
    up = sum(count for size, count in sizes.items() if side(size) < least)
    enlarged = f"; {up:,} were smaller and are enlarged" if up else ""
    which = f"{len(sizes):,} sizes" if len(sizes) > 1 else "one size"
    return [
        f"images of {which} ({smallest[0]}x{smallest[1]} to {largest[0]}x{largest[1]}, aspect (width/height) "
        f"{aspects[0][0]:.2f} to {aspects[-1][0]:.2f}, median {median:.2f}) are made {fit.size}x{fit.size}: "
        f"{how}{enlarged}"
    ]
