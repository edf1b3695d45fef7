"""Goal `tradeoff`: which epochs settle most, for what they cost, whether depth or width is worth more.

Step 3 of the curve model (`curves/narrowing.py`): a training further narrows the interval of a question by an amount
that follows from the design alone, from who was trained how far. So what is begun, and what goes on, is what takes most
of log c'Vc for each epoch: c is depth against width at equal parameters, and what dropout and weight decay do, which
count half of that together. Variances are those that the model believes in at first, and the most likely ones by the
values of the search later on.

How early errors speak of ends is learned from ends alone, and V given variances does not know how little is known of
them: by it alone nobody would ever be trained to the end. So a third of the epochs belong to trainings that come there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wrn_search.curve_process.curves_of_search import CurvesOfSearch
from wrn_search.curve_process.gaussian_process import Array
from wrn_search.curves.curve_fit import wrong_by_guessing
from wrn_search.curves.curve_likelihood import coefficients
from wrn_search.curves.effects import verdict_of
from wrn_search.curves.narrowing import Alike, Narrowing, Seen
from wrn_search.curves.observed_curves import CurveTrial
from wrn_search.searchers.by_curves.fitted_variances import FittedVariances, counting_noise, evenly
from wrn_search.searchers.by_curves.hopes import Hopes
from wrn_search.searchers.by_curves.model_of_space import ModelOfSpace

MOST_WEIGHED, MOST_ANSWERED = 256, 192  # configurations
_ENDS = 1 / 3  # of the epochs belong to trainings that came to their ends
_WORTH_GOING_ON = 0.01  # of log c'Vc, from here to the end, when nothing new will come
_MARGIN = 0.1  # of the odds: what makes no difference, as in the report
_MAY_STILL_LEARN = 0.5  # how surely one has failed that is no better than guessing, before its end
_NORMAL = 1.959964


class KnownEffects(CurvesOfSearch):
    """Who was trained how far, and what further epochs would settle.

    Args:
        model: of the space.
        place: hyperparameters -> a point of the unit cube.
        hparams: what a searcher's point stands for.
    """

    def __init__(
        self,
        model: ModelOfSpace,
        place: Callable[[Mapping[str, object]], Array],
        hparams: Callable[[Mapping[str, object]], Mapping[str, object]],
    ):
        super().__init__(lambda point: model.row(hparams(point)), model.epochs[:-1], model.epochs[-1])
        self._model, self._place, self._hparams = model, place, hparams
        self._contrasts = np.array([contrast for _, contrast, _ in model.questions])
        self._weights = np.array([weight for _, _, weight in model.questions])
        self._settings: dict[int, Mapping[str, float | str]] = {}
        self._hopes = Hopes()
        self._seen: dict[int, Seen] = {}  # configuration -> rungs that count
        self._alike: dict[Seen, Alike] = {}
        self._open: dict[int, None] = {}  # with a value, but not at their ends; the latest last
        self._epochs_spent, self._ends = 0, 0
        self._bare, self._variances = model.observations(()), FittedVariances(model, self._trial)
        self._asked: tuple[int, Narrowing] | None = None
        self._answered: tuple[int, dict[str, tuple[float, float, float]]] | None = None

    # What is told.

    def begins(self, configuration: int, hparams: Mapping[str, object]) -> None:
        """A configuration trains from now on; telling it again changes nothing."""
        if configuration not in self._points:
            self._settings[configuration] = self._model.setting(self._hparams(hparams))
            self._hopes.begins(configuration, self._place(hparams))
        super().begins(configuration, hparams)

    def reaches(self, configuration: int, epoch: int, error: float) -> None:
        """A value in percent; nearer to chance than guessing comes it says nothing."""
        before = self.epoch_of(configuration)
        super().reaches(configuration, epoch, error)
        if configuration not in self._points:
            return
        after = self.epoch_of(configuration)
        self._epochs_spent += after - before
        if after == self.epochs:
            self._ends += before < after
            self._open.pop(configuration, None)
        else:
            self._open[configuration] = None
        trial = self._trial(configuration, self._last[configuration])
        has_learned = bool(trial.epochs) and trial.wrong[-1] < wrong_by_guessing(self._model.table)
        if has_learned:
            self._hopes.learns(configuration)
        else:
            self._hopes.fails(configuration, 1.0 if epoch == self.epochs else _MAY_STILL_LEARN)
        rungs = self._model.epochs
        seen = tuple(rungs.index(each) for each in trial.epochs) if has_learned else ()
        x = self._points[configuration]
        for each, times in ((self._seen.get(configuration, ()), -1), (seen, 1)):
            if each:
                self._alike[each] = self._alike.get(each, Alike.nobody(len(x))).and_also(x, times)
        self._seen[configuration] = seen

    def crashes(self, configuration: int) -> None:
        """It ended without a value."""
        super().crashes(configuration)
        self._hopes.fails(configuration, 1.0)
        self._open.pop(configuration, None)

    # What is known.

    def considered(self) -> list[int]:
        """Those that have not come to their ends, the latest ones."""
        return sorted(list(self._open)[-MOST_WEIGHED:])

    def best_first(self) -> list[int]:
        """None: what a trial tells depends on where nobody has been."""
        return []

    # What epochs are worth.

    def worth_of(self, configurations: Sequence[int]) -> Array:
        """Of the way to that further rung which tells most for each epoch; where ends are due, of an end there."""
        if self._ends_are_due:
            return _rounded(self._worth_of_ends(configurations))
        worth = np.full(len(configurations), -np.inf)
        for seen, indices in self._by_rungs(configurations).items():
            members = [configurations[index] for index in indices]
            x = np.stack([self._points[each] for each in members])
            done = np.array([self.epoch_of(each) for each in members])
            hopes = np.zeros(len(members)) if seen else self._hopes.of(members)
            worth[indices] = self._worth(x, seen, done) + hopes
        return _rounded(worth)

    def worth_by(self, hparams: Iterable[Mapping[str, object]]) -> Array:
        """Of the way to that rung which tells most for each epoch, if it learns at all."""
        points = list(hparams)
        if self._ends_are_due and self._on_their_way:
            return np.full(len(points), -np.inf)
        x = self._model.rows([self._hparams(each) for each in points])
        hopes = self._hopes.at(np.stack([self._place(each) for each in points]))
        return _rounded(self._worth(x, (), np.zeros(len(points))) + hopes)

    def typical_worth(self) -> float:
        """The mean over draws from the space."""
        if self._ends_are_due and self._on_their_way:
            return -math.inf
        typical = self._model.typical
        worth = self._worth(typical, (), np.zeros(len(typical)))
        return float(np.logaddexp.reduce(worth)) - math.log(len(worth))

    def still_open(self, configurations: Sequence[int]) -> list[int]:
        """Those that would narrow an open question on their way to the end; none when all are answered."""
        intervals = [(low, high) for _, low, high in self.answers().values()]
        if intervals and all(verdict_of(low, high, _MARGIN) != "undecided" for low, high in intervals):
            return []
        return [each for each in configurations if self._fall_to_the_end(each) >= _WORTH_GOING_ON]

    def why_left(self, configuration: int) -> str:
        """By what it could still have told."""
        if not (answers := self.answers()):
            return "no training was better than guessing"
        effect, low, high = next(iter(answers.values()))
        share = -math.expm1(-self._fall_to_the_end(configuration) / 2)
        answer = f"depth against width multiplies the odds by {effect:.2f} ({low:.2f} to {high:.2f})"
        return f"{answer} at equal parameters; its way to the end would narrow that by {100 * share:.1f} %"

    def answers(self) -> dict[str, tuple[float, float, float]]:
        """Question -> factor on the odds of an error and its 95 % interval, at the most likely variances."""
        if self._answered is None or self._answered[0] != self.moment:
            self._answered = self.moment, self._answers()
        return self._answered[1]

    def _answers(self) -> dict[str, tuple[float, float, float]]:
        learned_something = [each for each, seen in self._seen.items() if seen]
        if not learned_something:
            return {}
        chosen = evenly(learned_something, MOST_ANSWERED)
        of = self._model.observations([self._trial(each, self._last[each]) for each in chosen])
        given = coefficients(of, self._variances.by(self._told))
        late = slice(len(of.epochs), len(of.epochs) + len(of.design.columns))
        found = {}
        for place, (name, contrast, _) in enumerate(self._model.questions):
            middle = float(contrast @ given.mean[late])
            reach = _NORMAL * math.sqrt(float(self._narrowing().variances[place]))
            found[name] = (math.exp(middle), math.exp(middle - reach), math.exp(middle + reach))
        return found

    @property
    def _ends_are_due(self) -> bool:
        """Whether too few of the epochs belong to trainings that came to their ends."""
        return self.epochs * self._ends < _ENDS * self._epochs_spent

    @property
    def _on_their_way(self) -> list[int]:
        """Those that wait, learned something and have not come to their ends."""
        return [each for each in self.considered() if self._seen.get(each) and each not in self._training]

    def _worth_of_ends(self, configurations: Sequence[int]) -> Array:
        """(M,) of the way to the end of those that have come furthest: one that is chosen stays it."""
        furthest = max((self.epoch_of(each) for each in self._on_their_way), default=0)
        worth = np.full(len(configurations), -np.inf)
        for seen, indices in self._by_rungs(configurations).items():
            there = [index for index in indices if self.epoch_of(configurations[index]) == furthest]
            if seen and there:
                x = np.stack([self._points[configurations[index]] for index in there])
                falls = self._narrowing().falls(x, seen)[:, :, -1] @ self._weights
                worth[there] = np.log(np.maximum(falls, 1e-300))
        return worth

    def _by_rungs(self, configurations: Sequence[int]) -> dict[Seen, list[int]]:
        """The rungs at which some were seen -> their places among those given."""
        found: dict[Seen, list[int]] = {}
        for index, each in enumerate(configurations):
            found.setdefault(self._seen.get(each, ()), []).append(index)
        return found

    def _fall_to_the_end(self, configuration: int) -> float:
        """What of log c'Vc it would take."""
        seen = self._seen.get(configuration, ())
        falls = self._narrowing().falls(self._points[configuration][None], seen)
        return float(self._weights @ falls[0, :, -1])

    def _worth(self, x: NDArray[np.floating[Any]], seen: Seen, done: Array) -> Array:
        """(M,) logarithm of the greatest fall for an epoch; `done` (M,) epochs."""
        falls = np.einsum("c,mcr->mr", self._weights, self._narrowing().falls(x, seen))
        ends = np.array(self._model.epochs[-falls.shape[1] :])
        costs = ends[None] - done[:, None]
        rates = np.where(costs > 0, falls / np.maximum(costs, 1), 0.0)
        worth: Array = np.log(np.maximum(rates.max(1), 1e-300))
        return worth

    def _narrowing(self) -> Narrowing:
        """What is known at this moment; those that train count as if they had come to their next levels."""
        if self._asked is None or self._asked[0] != self.moment:
            alike = dict(self._alike)
            for each in sorted(self._training)[-MOST_WEIGHED:]:
                seen, x = self._seen.get(each, ()), self._points[each]
                if self.epoch_of(each) >= self.epochs:
                    continue
                following = self._model.epochs.index(self.next_level(self.epoch_of(each)))
                if seen:
                    alike[seen] = alike[seen].and_also(x, -1)
                there = (*seen, following)
                alike[there] = alike.get(there, Alike.nobody(len(x))).and_also(x)
            kept = {seen: each for seen, each in alike.items() if each.count}
            self._asked = (
                self.moment,
                Narrowing(
                    self._bare,
                    self._variances.by(self._told),
                    counting_noise(self._bare, self._told),
                    kept,
                    self._contrasts,
                ),
            )
        return self._asked[1]

    def _trial(self, configuration: int, values: Mapping[int, float]) -> CurveTrial:
        """At the rungs of the model."""
        images = self._model.table.images
        errors = {epoch: values[epoch] for epoch in sorted(values) if epoch in self._model.epochs}
        good = {epoch: error for epoch, error in errors.items() if math.isfinite(error)}
        return CurveTrial(
            str(configuration),
            str(configuration),
            self._settings[configuration],
            tuple(good),
            tuple(min(max(error, 0.0), 100.0) / 100 * images for error in good.values()),
            "running",
        )


def _rounded(worth: NDArray[np.floating[Any]]) -> Array:
    """The last bits of a sum must not decide."""
    return np.asarray(np.round(worth, 9), dtype=np.float64)
