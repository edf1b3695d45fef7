"""How the images of a data set are spread over its classes, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_MOST_CLASSES = 12  # that are listed with their numbers
UNEVEN = 3  # times as many images in the largest class as in the smallest


def chance_error(counts: Mapping[str, int]) -> float | None:
    """Percent: of always answering the most frequent class; None without images."""
    images = sum(counts.values())
    return 100 * (1 - max(counts.values()) / images) if images else None


def class_lines(counts: Mapping[str, int], seen: str = "") -> Iterator[tuple[str, str]]:
    """(label, line) on the classes with their numbers of images, and on how even they are.

    Args:
        counts: images by the name of their class, in the order of the labels.
        seen: what is said of the images behind their numbers.
    """
    if not counts:
        yield "classes", "none"
        return
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    (largest, most), (smallest, fewest) = ranked[0], ranked[-1]
    shown = counts.items() if len(ranked) <= _MOST_CLASSES else [*ranked[:3], *ranked[-3:]]
    names = [f"{name} {count:,}" for name, count in shown]
    if len(ranked) > _MOST_CLASSES:
        names.insert(3, "...")
    yield "classes", f"{len(ranked):,}: {', '.join(names)}{seen}"
    chance = chance_error(counts)
    if chance is None:
        return
    uneven = f"no image of {smallest}; "
    if fewest:
        times = f"{most / fewest:.1f} times as many images of {largest} as of {smallest}; "
        uneven = times if f"{most / fewest:.1f}" != "1.0" else ""
    hint = "; errors hide what becomes of the small classes" if most >= UNEVEN * fewest else ""
    yield "balance", f"{uneven}always answering {largest} has an error of {chance:.1f} %{hint}"
