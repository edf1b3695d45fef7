"""What is known of images before they are prepared, for plans and forecasts."""

from __future__ import annotations

from wrn_search.datasets.dataset import DatasetFacts
from wrn_search.decisions.image_facts import DataFacts
from wrn_search.space.space import Space

_STORED_PADDING = 4  # pixels around a training image, the most that an augmentation adds


def known_facts(space: Space, facts: DatasetFacts | None = None) -> DataFacts | None:
    """What is known of the data before they are prepared; None where only the files can tell, and did not."""
    facts, dataset = facts or space.dataset.facts, space.dataset
    if facts.num_classes is None or facts.image_shape is None or facts.train_images is None:
        return None
    height, width, channels = facts.image_shape
    images = dataset.train_images or facts.train_images - dataset.validation
    item = 4 if dataset.preprocessing == "zca" else 1
    padded = (height + 2 * _STORED_PADDING) * (width + 2 * _STORED_PADDING)
    stored = images * (padded * channels * item + 8)
    stored += dataset.validation * (height * width * channels * item + 8)
    return DataFacts(facts.num_classes, facts.image_shape, dataset.validation, 100.0, images, stored)
