"""What sets trainings that end with a test pass apart: their trainable, and the memory that the pass takes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wrn_search.decisions.image_facts import DataFacts
from wrn_search.memory.tensor_sizes import MOST_EVALUATED

if TYPE_CHECKING:
    from wrn_search.readings.one_reading_trainable import OneReadingTrainable


def trainable() -> type[OneReadingTrainable]:
    """Imported late: it loads Ray."""
    from wrn_search.readings.one_reading_trainable import OneReadingTrainable

    return OneReadingTrainable


def with_test_images(facts: DataFacts) -> DataFacts:
    """With room for the images of the test split: how many there are is not asked before they may be read."""
    return replace(facts, test_images=MOST_EVALUATED)
