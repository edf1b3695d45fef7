"""What `check` and `--dry-run` say of recipe and images."""

from __future__ import annotations

from typing import Any

from wrn_search.space.sections.crop_padding import AUTO, BEFORE, CROPPING
from wrn_search.wording import plural


def recipe_lines(told: dict[str, Any]) -> list[str]:
    """The recipe, and what it and others filled in, where that is told."""
    filled = told.get("filled") or {}
    lines = [f"recipe        {told['recipe']}"] if told["recipe"] else []
    if filled:
        lines += ["filled in     by recipe, protocol and data set, as no key says otherwise"]
    return lines + [f"  {key:<28}{_value_text(value)}" for key, value in filled.items()]


def _value_text(value: Any) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def dataset_text(dataset: dict[str, Any], validation: int | None) -> str:
    """Which images, how many, and how they are prepared; `validation`: of them, None where only the files tell."""
    root = f" in {dataset['root']}" if dataset["root"] else ""
    train = (
        f"{dataset['train_images']} training images"
        if dataset["train_images"]
        else "all other training images"
    )
    if "joined" in dataset:
        images = train.replace("all other", "all")
    else:
        share = f"{100 * dataset['validation']:g} % of the images validate"
        images = f"{share if validation is None else f'{validation} validation images'}, {train}"
    images += ", extra images too" if dataset["extra"] else ""
    how = f"{dataset['preprocessing']}, augmentation {dataset['augmentation']}"
    if dataset["augmentation"] in CROPPING and dataset["crop_padding"] not in (BEFORE, AUTO):
        how += f" (padded by {plural(dataset['crop_padding'], 'pixel')})"
    return f"{dataset['name']}{root}: {images}, {how}"
