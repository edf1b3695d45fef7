"""What a look at all images found, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wrn_search.datasets.folder_walk import counted, listed
from wrn_search.space.explained.class_balance import class_lines

_MOST_NAMED = 20  # images that would be refused
_MOST_SIZES = 3


def lines_of(found: dict[str, Any]) -> Iterator[str]:
    """Split by split, then what is odd about them."""
    for name, split in found["splits"].items():
        megabytes = split["bytes"] / 1e6
        yield f"{name:<10}  {counted(split['images'], 'image')} ({megabytes:,.1f} MB) in {split['where']}"
        yield f"  sizes     {_sizes(split['sizes'])}"
        yield f"  modes     {', '.join(f'{count:,} {mode}' for mode, count in split['modes'].items()) or 'none'}"
        yield from _classes(split)
        yield from _refused(split["refused"])
        if split["refused_as_dark"]:
            yield f"  refused   {split['refused_as_dark']}"
        yield from _copies(
            split["copies"], "are there before" if split["copies"]["images"] > 1 else "is there before"
        )
    for each in found["copies_between_splits"]:
        which = f"of {each['split']} {'are' if each['images'] > 1 else 'is'} also in {each['of']}"
        yield from (
            _copies(each, which, label="between   ")
            if each["images"]
            else (f"between     no image of {each['split']} is also in {each['of']}",)
        )
    yield from _odd(found)


def _sizes(sizes: dict[str, Any]) -> str:
    """Height x width, as everywhere."""
    if not sizes["different"]:
        return "none: no image can be read"
    most = [f"{each['height']}x{each['width']} ({each['images']:,})" for each in sizes["most_frequent"]]
    if sizes["different"] == 1:
        return f"all {most[0].partition(' ')[0]} (height x width)"
    sides = [f"{side} {sizes[side]['min']} to {sizes[side]['max']}" for side in ("height", "width")]
    aspect = sizes["aspect"]
    shape = f"aspect (width/height) {aspect['min']:g} to {aspect['max']:g}, median {aspect['median']:g}"
    frequent = ", ".join(most[:_MOST_SIZES])
    more = ", ..." if sizes["different"] > _MOST_SIZES else ""
    return f"{sizes['different']:,} different: {frequent}{more}; {', '.join(sides)}; {shape}"


def _classes(split: dict[str, Any]) -> Iterator[str]:
    seen = " (images that can be read)" if split["refused"] else ""
    yield from (f"  {label:<10}{line}" for label, line in class_lines(split["classes"], seen))


def _refused(refused: list[dict[str, str]]) -> Iterator[str]:
    if not refused:
        return
    yield f"  refused   {counted(len(refused), 'image')}: a search stops until they are mended or moved away"
    for each in refused[:_MOST_NAMED]:
        yield f"            {each['name']}: {each['reason']}"
    if len(refused) > _MOST_NAMED:
        yield f"            and {len(refused) - _MOST_NAMED:,} more; --json names all"


def _copies(copies: dict[str, Any], which: str, label: str = "  copies  ") -> Iterator[str]:
    if not copies["images"]:
        return
    bytes_too = f", {copies['same_bytes']:,} of them byte for byte" if copies["same_bytes"] else ""
    other = f", {copies['other_class']:,} of them in another class" if copies["other_class"] else ""
    copy, original = copies["example"]
    yield (
        f"{label}  {counted(copies['images'], 'image')} {which}, pixel for pixel{bytes_too}{other}: "
        f"{copy} shows what {original} shows"
    )


def _odd(found: dict[str, Any]) -> Iterator[str]:
    for each in found["other_classes"]:
        for which, names in (("only there", each["only_there"]), ("not there", each["not_there"])):
            if names:
                yield f"classes     of {each['split']}: {listed(names)} {which}"
    yield from (f"files       {line}" for line in found["remarks"])
    if found["all_equal"]:
        yield "refused     all training images are equal, pixel for pixel: of equal ones nothing can be learnt"
