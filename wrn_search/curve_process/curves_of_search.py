"""What a search that goes by curves is told of them, and what it asks: one fold over its record for each goal.

All answers follow from what was told, in its order, and from nothing else: a search that was killed and goes on gets
the same ones.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence

from wrn_search.curve_process.gaussian_process import Array
from wrn_search.curve_process.values_that_count import Told


class CurvesOfSearch(ABC):
    """Every value at a level, who rests and who trains, and what their next epochs are worth.

    A worth is a logarithm and in units of its goal's own: it is compared with other worths of the same moment alone.

    Args:
        encode: hyperparameters -> numbers, (D,).
        levels: epochs at which configurations are compared, rising, all below the last epoch.
        epochs: of a full training.
    """

    def __init__(self, encode: Callable[[Mapping[str, object]], Array], levels: Sequence[int], epochs: int):
        self.levels, self.epochs = tuple(levels), epochs
        self._encode = encode
        self._told: list[Told] = []
        self._points: dict[int, Array] = {}  # configuration -> its numbers
        self._last: dict[int, dict[int, float]] = {}  # configuration -> epoch -> error
        self._training: set[int] = set()
        self._out: set[int] = set()  # crashed: they have no end
        self.moment = 0  # changes with everything that is told

    # What is told.

    def begins(self, configuration: int, hparams: Mapping[str, object]) -> None:
        """A configuration trains from now on; telling it again changes nothing."""
        if configuration not in self._points:
            self._points[configuration] = self._encode(hparams)
            self._training.add(configuration)
            self.moment += 1

    def reaches(self, configuration: int, epoch: int, error: float) -> None:
        """A value in percent; of an epoch that is known only a new end counts: one that failed was tried again."""
        self._out.discard(configuration)
        known = self._last.setdefault(configuration, {})
        if configuration not in self._points or known.get(epoch) == error:
            return
        if epoch < self.epochs and epoch in known:
            return
        known[epoch] = error
        self._told.append(Told(configuration, epoch, error))
        self.moment += 1

    def rests(self, configuration: int) -> None:
        """It trains no longer, for now or for ever."""
        self._training.discard(configuration)
        self.moment += 1

    def trains(self, configuration: int) -> None:
        """It goes on."""
        if configuration in self._points:
            self._training.add(configuration)
            self.moment += 1

    def crashes(self, configuration: int) -> None:
        """It ended without a value."""
        self._out.add(configuration)
        self.rests(configuration)

    # What is known.

    @property
    def begun(self) -> int:
        """How many configurations."""
        return len(self._points)

    def knows(self, configuration: int) -> bool:
        """Whether it has a value."""
        return bool(self._last.get(configuration)) and configuration in self._points

    @property
    def has_values(self) -> bool:
        """Whether anything can be expected."""
        return bool(self._told)

    @property
    def anyone_at_the_end(self) -> bool:
        """Whether a configuration has its value at the last epoch."""
        return any(self.epochs in known for known in self._last.values())

    def epoch_of(self, configuration: int) -> int:
        """The last one with a value, or 0."""
        return max(self._last.get(configuration, ()), default=0)

    def next_level(self, epoch: int) -> int:
        """The first one after an epoch; at last the end."""
        return next((level for level in self.levels if level > epoch), self.epochs)

    @abstractmethod
    def considered(self) -> list[int]:
        """The configurations whose next epochs are weighed now, by number."""

    @abstractmethod
    def best_first(self) -> list[int]:
        """Configurations whose neighbours are worth a look, the first ones most; maybe none."""

    # What epochs are worth; something is known.

    @abstractmethod
    def worth_of(self, configurations: Sequence[int]) -> Array:
        """Of the next epochs of some that are considered, (M,)."""

    @abstractmethod
    def worth_by(self, hparams: Iterable[Mapping[str, object]]) -> Array:
        """Of the first epochs of configurations that are not begun, (M,)."""

    @abstractmethod
    def typical_worth(self) -> float:
        """The mean of the same over draws from the space."""

    @abstractmethod
    def still_open(self, configurations: Sequence[int]) -> list[int]:
        """Those of some that are considered that go on even when nothing new will come."""

    @abstractmethod
    def why_left(self, configuration: int) -> str:
        """Why one with a value did not go on, when the search is over."""
