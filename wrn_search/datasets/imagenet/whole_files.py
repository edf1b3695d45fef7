"""Whether image files are whole, at the cost of their first and last bytes; only doubtful ones are decoded.

A million files are looked at in minutes where decoding takes hours, and a search learns before its first trial what
else its trials would die of.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from wrn_search.datasets.dataset import bad_data
from wrn_search.datasets.image_decoding import decode_image
from wrn_search.errors import InputError

_THREADS = 8  # that wait for the disk
_AT_ONCE = 1000  # files: a task of a thread takes a kilobyte
_TAIL = 64  # bytes, in which a JPEG that is whole says where it ends
_END_OF_JPEG = b"\xff\xd9"
_MOST_NAMED = 5


def check_whole(files: Sequence[Path]) -> None:
    """Every file is an image that begins and ends as one.

    Raises:
        InputError: some are empty, cut short or no images; names the first of them.
    """
    parts = [files[start : start + _AT_ONCE] for start in range(0, len(files), _AT_ONCE)]
    with ThreadPoolExecutor(_THREADS) as threads:
        broken = [problem for found in threads.map(_problems_of, parts) for problem in found]
    if broken:
        shown = "; ".join(broken[:_MOST_NAMED])
        more = f"; and {len(broken) - _MOST_NAMED:,} more" if len(broken) > _MOST_NAMED else ""
        rule = "every file must be a whole image: copy those that are not again, or remove them"
        raise bad_data(rule, f"{len(broken):,} of {len(files):,} that are not: {shown}{more}")


def _problems_of(files: Sequence[Path]) -> list[str]:
    return [problem for path in files if (problem := _problem_of(path))]


def _problem_of(path: Path) -> str | None:
    """What is wrong with a file; None where nothing is seen to be."""
    if not path.is_file():  # reading a pipe would wait for ever
        return f"{path} is no plain file"
    if not path.stat().st_size:
        return f"{path} is empty"
    if _is_whole_jpeg(path):
        return None
    try:
        decode_image(str(path), path)
    except InputError as error:
        return error.problems[0].text.partition("but got ")[2]
    return None


def _is_whole_jpeg(path: Path) -> bool:
    """Whether PIL knows its beginning for a JPEG and its last bytes have that format's end."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            if image.format != "JPEG":
                return False
        with path.open("rb") as file:
            file.seek(-min(_TAIL, path.stat().st_size), os.SEEK_END)
            return _END_OF_JPEG in file.read()
    except (OSError, ValueError, SyntaxError):
        return False
