"""Goal `best`: what a search expects of its curves, and which epochs may improve most on the best end.

All answers follow from what was told. So the process is fitted at counts of values that are set beforehand (8, 10, 13,
...: each time a quarter more), on the values up to that count, from where the fit before had ended.

Decisions stay cheap however long the search is. Of few configurations the last two values of each count; of many the
best at each level and a draw of the others, drawn anew with every 64th value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from wrn_search.curve_process.curves_of_search import CurvesOfSearch
from wrn_search.curve_process.gaussian_process import Array, CurveProcess, Posterior, Rows
from wrn_search.curve_process.log_improvement import log_improvement
from wrn_search.curve_process.numbers_of_errors import Numbers
from wrn_search.curve_process.values_that_count import Told, chosen, latest, next_count

ITERATIONS_AT_FIRST, ITERATIONS = 40, 20
MOST_FITTED, MOST_ROWS = 160, 280
_RENEWED = 64  # values after which those that count are chosen anew
_NOBODY = -1
WORTH_IT = 0.05  # chance of being the best, below which nothing goes on when nothing new will come
_COST_POWER = 0.5
_SURE = 1.959963984540054  # deviations on both sides that hold 95 % of a normal


@dataclass(frozen=True)
class End:
    """Where a curve is expected to end: error in percent, with its 95 % interval."""

    error: float
    low: float
    high: float


class KnownCurves(CurvesOfSearch):
    """Every value at a level, who rests and who trains, and what is to be expected.

    Epochs are worth the expected improvement of the end on the best expected one, over the square root of their number:
    without a cost a long way is as good as a short one, and by the whole epochs nobody goes the long way to the end.

    Args:
        encode: hyperparameters -> a point of the unit cube, (D,).
        typical: (T, D) draws from the space, for what a new configuration is worth before it is chosen.
        levels: epochs at which configurations are compared, rising, all below the last epoch.
        epochs: of a full training.
        images: that an error is counted on.
        drops: epochs after which the learning rate has just dropped.
    """

    def __init__(
        self,
        encode: Callable[[Mapping[str, object]], Array],
        typical: Array,
        levels: Sequence[int],
        epochs: int,
        images: int,
        drops: tuple[int, ...] = (),
    ):
        super().__init__(encode, levels, epochs)
        self._typical, self._images = typical, images
        self._process = CurveProcess(typical.shape[1], epochs, drops)
        self._fits: list[tuple[int, Array]] = []  # (values told, logarithms of the scales)
        self._chosen: tuple[int, list[Told]] = (0, [])  # (values told, which of them count)
        self._asked: tuple[int, _Expected] | None = None

    def considered(self) -> list[int]:
        """The configurations whose values count now, by number."""
        return sorted({each.configuration for each in self._counting()} - self._out)

    def best_first(self) -> list[int]:
        """The same by their expected ends."""
        return self._expected().best_first

    # What epochs are worth.

    def worth_of(self, configurations: Sequence[int]) -> Array:
        """By the epochs to the next level."""
        costs = [self._cost(self.epoch_of(each)) for each in configurations]
        worth: Array = self.improvement_of(configurations) - np.array(costs)
        return worth

    def worth_by(self, hparams: Iterable[Mapping[str, object]]) -> Array:
        """By the epochs to the first level."""
        worth: Array = self.improvement_by(hparams) - self._cost(0)
        return worth

    def typical_worth(self) -> float:
        """By the epochs to the first level."""
        return self.typical_improvement() - self._cost(0)

    def still_open(self, configurations: Sequence[int]) -> list[int]:
        """Those that may be the best: with a chance of at least 5 %."""
        chances = self.chances_of(configurations)
        return [each for each, chance in zip(configurations, chances, strict=True) if chance >= WORTH_IT]

    def why_left(self, configuration: int) -> str:
        """By where it was expected to end."""
        end = self.end_of(configuration)
        interval = f"({end.low:.1f} to {end.high:.1f})"
        return f"expected {end.error:.1f} % at the end {interval}, the best {self.best_end:.1f} %"

    def _cost(self, epoch: int) -> float:
        """The logarithm of what the way to the next level counts."""
        return _COST_POWER * float(np.log(self.next_level(epoch) - epoch))

    # What is expected; something is known.

    def improvement_of(self, configurations: Sequence[int]) -> Array:
        """Logarithm of the expected improvement of the end on the best expected one, (M,), of some that have values."""
        return self._improvement(*self._ends_of(configurations)[:2])

    def improvement_by(self, hparams: Iterable[Mapping[str, object]]) -> Array:
        """The same, (M,), of configurations that are not begun."""
        return self._improvement(*self._new_ends(np.stack([self._encode(each) for each in hparams]))[:2])

    def typical_improvement(self) -> float:
        """The logarithm of the mean over draws from the space."""
        return float(np.logaddexp.reduce(self._improvement(*self._new_ends(self._typical)[:2]))) - float(
            np.log(len(self._typical))
        )

    def chances_of(self, configurations: Sequence[int]) -> Array:
        """Probabilities, (M,), that their ends lie below the best expected one."""
        mean, sd, _ = self._ends_of(configurations)
        chances: Array = ndtr((self._expected().best - mean) / sd)
        return chances

    def end_of(self, configuration: int) -> End:
        """Where one is expected to end."""
        mean, _, sd = self._ends_of([configuration])
        bounds = mean + np.array([0.0, -_SURE, _SURE]) * sd
        return End(*(float(each) for each in self._expected().numbers.errors(bounds)))

    @property
    def best_end(self) -> float:
        """The lowest expected end of those that are begun, in percent."""
        expected = self._expected()
        return float(expected.numbers.errors(np.array([expected.best]))[0])

    def _improvement(self, mean: Array, sd: Array) -> Array:
        return np.round(np.log(sd) + log_improvement((self._expected().best - mean) / sd), 9)

    def _ends_of(self, configurations: Sequence[int]) -> tuple[Array, Array, Array]:
        points = np.stack([self._points[each] for each in configurations])
        ends = np.full(len(points), float(self.epochs))
        return self._expected().posterior.at(points, ends, np.array(configurations, int))

    def _new_ends(self, points: Array) -> tuple[Array, Array, Array]:
        ends, nobody = np.full(len(points), float(self.epochs)), np.full(len(points), _NOBODY)
        return self._expected().posterior.at(points, ends, nobody)

    def _expected(self) -> _Expected:
        """All that can be said now."""
        if self._asked is None or self._asked[0] != self.moment:
            self._asked = (self.moment, self._expectation())
        return self._asked[1]

    def _expectation(self) -> _Expected:
        counting = self._counting()
        numbers = self._numbers(counting)
        rows = self._rows(counting, numbers)
        logs = self._fitted()
        posterior = Posterior(self._process, logs, rows)
        begun = np.array(sorted(set(rows.who.tolist()) - self._out) or [int(rows.who[0])])
        points, ends = (
            np.stack([self._points[each] for each in begun]),
            np.full(len(begun), float(self.epochs)),
        )
        training = np.array(sorted(self._training)[-MOST_ROWS // 4 :], int)
        if len(training):  # as if they had come to their next levels, with what is expected there
            at = np.stack([self._points[each] for each in training])
            epochs = np.array([self.next_level(self.epoch_of(each)) for each in training], float)
            expected, _, _ = posterior.at(at, epochs, training)
            posterior = Posterior(self._process, logs, rows.and_also(at, epochs, training, expected))
        mean, _, _ = posterior.at(points, ends, begun)
        order = np.argsort(np.round(mean, 9), kind="stable")
        return _Expected(posterior, numbers, float(mean.min()), [int(each) for each in begun[order]])

    def _rows(self, told: Sequence[Told], numbers: Numbers) -> Rows:
        return Rows(
            np.stack([self._points[each.configuration] for each in told]),
            np.array([each.epoch for each in told], float),
            np.array([each.configuration for each in told], int),
            numbers.of(np.array([each.error for each in told])),
        )

    def _numbers(self, told: Sequence[Told]) -> Numbers:
        """Scaled by the first of those values of each configuration."""
        first: dict[int, Told] = {}
        for each in told:
            if each.configuration not in first or each.epoch < first[each.configuration].epoch:
                first[each.configuration] = each
        return Numbers.of_first_errors(np.array([each.error for each in first.values()]), self._images)

    def _counting(self) -> list[Told]:
        """The values that count now: chosen at the last 64th one, and all since."""
        renewed = len(self._told) // _RENEWED * _RENEWED
        if self._chosen[0] != renewed:
            self._chosen = (renewed, chosen(self._told[:renewed], MOST_ROWS - _RENEWED))
        return latest([*self._chosen[1], *self._told[renewed:]])

    def _fitted(self) -> Array:
        """The logarithms of the scales, by the last count at which they are fitted."""
        while (count := next_count(self._fits[-1][0] if self._fits else 0)) <= len(self._told):
            counting = chosen(self._told[:count], MOST_FITTED)
            start = self._fits[-1][1] if self._fits else self._process.prior
            iterations = ITERATIONS if self._fits else ITERATIONS_AT_FIRST
            rows = self._rows(counting, self._numbers(counting))
            self._fits.append((count, self._process.fit(rows, start, iterations)))
        return self._fits[-1][1] if self._fits else self._process.prior


@dataclass(frozen=True)
class _Expected:
    """What is expected at one moment."""

    posterior: Posterior
    numbers: Numbers
    best: float  # the lowest mean of the ends of those that are begun
    best_first: list[int]
