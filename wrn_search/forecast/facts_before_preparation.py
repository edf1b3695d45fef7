"""What is known of images before they are prepared, for plans and forecasts."""

from __future__ import annotations

from wrn_search.datasets.dataset import DatasetFacts
from wrn_search.decisions.image_facts import DataFacts
from wrn_search.images.augmentation import stored_with
from wrn_search.images.on_disk.stays_mapped import bytes_on_gpu
from wrn_search.memory.tensor_sizes import MOST_EVALUATED
from wrn_search.space.space import Space


def known_facts(space: Space, facts: DatasetFacts | None = None) -> DataFacts | None:
    """What is known of the data before they are prepared; None where only the files can tell, and did not."""
    facts, dataset = facts or space.dataset.facts, space.dataset
    if facts.num_classes is None or facts.image_shape is None or facts.train_images is None:
        return None
    height, width, channels = facts.image_shape
    validation, images = dataset.held_out(facts) or 0, dataset.trained_on(facts) or 0
    item = 4 if dataset.preprocessing == "zca" else 1
    padding = stored_with(dataset, facts.image_shape).padding
    padded = (height + 2 * padding) * (width + 2 * padding)
    stored = images * (padded * channels * item + 8)
    stored += validation * (height * width * channels * item + 8)
    stored = bytes_on_gpu(stored)
    if dataset.is_streamed:  # no device holds a copy of them
        stored = 0
    tested = MOST_EVALUATED if space.tests_each else 0
    shape, streamed = facts.image_shape, dataset.is_streamed
    return DataFacts(facts.num_classes, shape, validation, 100.0, images, stored, tested, streamed)
