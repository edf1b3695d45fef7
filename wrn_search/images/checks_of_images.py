"""What decoded images must show to be trained on."""

from __future__ import annotations

from wrn_search.datasets.dataset import Images, bad_data

_CHUNK = 2000  # images: bounds the memory of comparisons


def check_variation(images: Images) -> None:
    """Images (N, H, W, C) differ from each other somewhere: of equal ones nothing can be learnt.

    Raises:
        InputError: all are equal, and why that may be.
    """
    first = images[0]
    for start in range(0, len(images), _CHUNK):
        if (images[start : start + _CHUNK] != first).any():
            return
    if (first != first[0, 0]).any():
        raise bad_data("training images must differ", f"{len(images):,} times the same image")
    colour = ", ".join(str(value) for value in first[0, 0])
    why = "is what they show in the same colour as the ground, or lost when they were converted?"
    if (first == 255).all():
        why = "transparent parts are put over white: is what they show white on a transparent ground?"
    raise bad_data("training images must differ", f"{colour} in every pixel of all {len(images):,} ({why})")
