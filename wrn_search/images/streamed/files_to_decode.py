"""What must be known of image files to decode one of them: where they are, and what it is made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wrn_search.datasets.dataset import Images
from wrn_search.datasets.image_decoding import decode_image
from wrn_search.datasets.image_fit import ImageFit


@dataclass(frozen=True)
class FilesToDecode:
    """Photographs of any size below `root`; their names are in a listing, see `prepared_listing.py`."""

    root: Path
    background: str  # under what is transparent
    fit: ImageFit  # makes those that are evaluated one size

    def whole(self, name: str) -> Images:
        """All pixels of a file, (H, W, 3), upright; greyscale is equal in all channels.

        Raises:
            InputError: it cannot be decoded.
        """
        return _in_colours(decode_image(name, self.root / name, self.background).pixels)

    def evaluated(self, name: str) -> Images:
        """A file as networks are evaluated on it, (S, S, 3).

        Raises:
            InputError: it cannot be decoded.
        """
        return _in_colours(decode_image(name, self.root / name, self.background, self.fit).pixels)


def _in_colours(pixels: Images) -> Images:
    """(H, W, 3), a copy: what PIL shows of its own memory must not be written to."""
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels.copy()
