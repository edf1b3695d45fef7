"""What every layout of a data set of torchvision can say of a root."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from wrn_search.datasets.dataset import FoundSplit


class Layout(Protocol):
    """Where the files of a data set lie below its root; splits are train, test and, where there is one, validation."""

    @property
    def has_files(self) -> bool:
        """Whether each image is a file of its own."""

    def wanted(self, split: str) -> tuple[str, ...]:
        """Paths below the root that must be there; none where there is no such split."""

    def found(self, root: Path, split: str) -> FoundSplit:
        """The split.

        Raises:
            InputError: its files are not as they must be.
        """
