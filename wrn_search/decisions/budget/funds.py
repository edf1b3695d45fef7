"""What is left of `search.budget`, and who may be begun, or go on, with it. Pure, without Ray.

Nothing is begun that could not be compared: a configuration is begun only if what is left pays for all its repeats up
to the first rung, and goes on only if it pays for the way to the next one. What runs has a claim on the rest of its
way, so that epochs and network passes are never overdrawn. And as long as no trial has come to its end, nothing takes
the last chance of one to do so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from wrn_search.decisions.budget.spending import SECONDS_OF_AN_HOUR
from wrn_search.decisions.image_facts import DataFacts
from wrn_search.decisions.knowledge_from_events import Knowledge
from wrn_search.decisions.rung_epochs import rungs_of
from wrn_search.results.events import Proposed
from wrn_search.results.trial_state import TrialState
from wrn_search.space.sections.optimiser_keys import passes_of_a_step
from wrn_search.space.space import Space
from wrn_search.wording import budget_text, spending_text

Cost: TypeAlias = dict[str, float]  # quantity -> how much of it
# Hours pass for all that train side by side: what one needs takes nothing from another.
_PASSES_FOR_ALL = "hours"


class Funds:
    """What one search may still spend; without `search.budget` it pays for everything.

    Args:
        space: the search.
        facts: of its data.
        known: what is known of the run.
        seconds_spent: wall seconds of all sessions.
        waiting: numbers of the trials that wait for a place.
    """

    def __init__(
        self,
        space: Space,
        facts: DataFacts,
        known: Knowledge,
        seconds_spent: Callable[[], float],
        waiting: Callable[[], tuple[int, ...]],
    ):
        self._budget: Cost = dict(space.search.budget or {})
        self._images = facts.train_images
        self._known = known
        self._seconds_spent = seconds_spent
        self._waiting = waiting
        self._repeats = space.search.repeats
        self._epochs = space.training.epochs
        self._ends = (*rungs_of(space), space.training.epochs)

    @property
    def are_limited(self) -> bool:
        """Whether there is a budget at all."""
        return bool(self._budget)

    @property
    def spent(self) -> Cost:
        """Of each quantity, by the record; hours by the clock."""
        spending = self._known.spending
        return {
            "epochs": spending.epochs,
            "hours": self._seconds_spent() / SECONDS_OF_AN_HOUR,
            "gpu_hours": spending.gpu_hours,
            "network_passes": spending.macs * self._images,
        }

    @property
    def left(self) -> Cost:
        """Of the quantities that the budget names."""
        spent = self.spent
        return {name: amount - spent[name] for name, amount in self._budget.items()}

    @property
    def text(self) -> str:
        """`1,240 of 2,000 epochs, 3.1 of 8 hours`; empty without a budget."""
        return spending_text(self._budget, self.spent)

    @property
    def left_text(self) -> str:
        """`760 epochs, 4.9 hours`; empty without a budget."""
        return budget_text({name: max(0.0, amount) for name, amount in self.left.items()})

    @property
    def seconds_left(self) -> float | None:
        """Until the budget is spent, as fast as it was so far; None without one, or before anything was spent."""
        spent, left = self.spent, self.left
        hours = [spent["hours"] * left[name] / spent[name] for name in left if spent[name] > 0]
        return None if not hours else SECONDS_OF_AN_HOUR * max(0.0, min(hours))

    @property
    def are_spent(self) -> bool:
        """Whether nothing is left of some quantity."""
        return bool(self._budget) and any(amount <= 0 for amount in self.left.values())

    @property
    def cover_what_runs(self) -> bool:
        """Whether what is left pays for the way of all that train or wait, to where they are looked at again.

        Not after a session that was granted less than the one before, or takes failed trials up again.
        """
        return not self._budget or _covers(self.left, self._claims(None))

    def pay_for_new(self, proposed: Proposed | None, *, whole: bool = False) -> bool:
        """Whether a configuration may be begun.

        Args:
            proposed: its first repeat; None: a network that costs nothing but epochs, which none undercuts.
            whole: it is never stopped, so that it must come to its end.
        """
        if not self._budget:
            return True
        macs, share = 0, 0.0
        if proposed is not None:
            macs = proposed.macs * passes_of_a_step(proposed.config.get("sam"))
            share = self._share_of_new(proposed.config)
        way = self._epochs if whole else self._ends[0]
        price, rest = (self._price(macs, epochs, share) for epochs in (way, self._epochs))
        return self._pay(_times(price, self._repeats), _times(rest, self._repeats), None)

    def pay_for_next_rung(self, configuration: int, rung: int) -> bool:
        """Whether a configuration that stands at a rung may go on to the next one, or to its end."""
        if not self._budget:
            return True
        way = next(end for end in self._ends if end > rung) - rung
        price = self._price_of(configuration, way)
        return self._pay(price, self._price_of(configuration, self._epochs - rung), configuration)

    def pay_to_the_end(self, configuration: int, rung: int) -> bool:
        """Whether one that stands at a rung can be brought to its end."""
        whole = self._price_of(configuration, self._epochs - rung)
        return not self._budget or self._pay(whole, whole, configuration)

    def _pay(self, price: Cost, to_the_end: Cost, configuration: int | None) -> bool:
        """Whether `price` can be paid, and, while none has ended, none loses its last chance by it.

        Args:
            price: of what would be begun.
            to_the_end: that and all that follows.
            configuration: that would go on: its own claim is that price.
        """
        left, claims = self.left, self._claims(configuration)
        free = {name: amount - claims.get(name, 0) for name, amount in left.items()}
        if not _covers(free, price):
            return False
        if self._known.spending.completed or _covers(free, to_the_end):
            return True
        chances = [each for number, each in self._chances() if number != configuration]
        if not any(_covers(free, chance) for chance in chances):
            return True  # none can come to its end anyway
        after = {
            name: amount - (0 if name == _PASSES_FOR_ALL else price[name]) for name, amount in free.items()
        }
        return any(_covers(after, chance) for chance in chances)

    def _claims(self, configuration: int | None) -> Cost:
        """What those that train, or wait for a place, need to the next comparison; without one configuration's."""
        total: Cost = dict.fromkeys(self._budget, 0)
        trials, spending = self._known.state.trials, self._known.spending
        for number in self._known.live.union(self._waiting()):
            trial = trials[number]
            if trial.configuration != configuration:
                way = self._target(trial) - spending.epoch_of(number)
                _add(total, self._price(trial.training_macs, way, self._share(trial)))
        for last in self._due():
            if last.configuration != configuration:
                _add(
                    total,
                    self._price(last.training_macs, self._target(last), self._share_of_new(last.config)),
                )
        total.pop(_PASSES_FOR_ALL, None)
        return total

    def _chances(self) -> Iterator[tuple[int, Cost]]:
        """What each configuration needs from its next comparison to its end."""
        known = self._known
        for configuration, rung in (*known.resting.items(), *known.short.items()):
            yield configuration, self._price_of(configuration, self._epochs - rung)
        trials = [known.state.trials[number] for number in known.live.union(self._waiting())]
        trials += self._due()
        for trial in {each.configuration: each for each in trials}.values():
            # Hours pass from now on, also those to its next comparison.
            way = self._epochs - self._target(trial)
            price = self._price_of(trial.configuration, way)
            if _PASSES_FOR_ALL in price:
                whole = self._epochs - known.spending.epoch_of(trial.number)
                price[_PASSES_FOR_ALL] = self._price_of(trial.configuration, whole)[_PASSES_FOR_ALL]
            yield trial.configuration, price

    def _target(self, trial: TrialState) -> int:
        """The epoch at which a trial is compared next, or ends."""
        known, configuration = self._known, trial.configuration
        rung = known.resting.get(configuration, known.short.get(configuration))
        if rung is not None:
            return rung
        if trial.anchor:
            return self._epochs
        arrived = known.arrived_at(configuration)
        return next((end for end in self._ends if end > arrived), self._epochs)

    def _price_of(self, configuration: int, epochs: int) -> Cost:
        """Of so many epochs of all its repeats that have not ended, or are still to be proposed."""
        trials = [self._known.state.trials[number] for number in self._known.unended_of(configuration)]
        due = [last for last in self._due() if last.configuration == configuration]
        total: Cost = dict.fromkeys(self._budget, 0)
        for trial in trials:
            _add(total, self._price(trial.training_macs, epochs, self._share(trial)))
        for last in due:
            _add(total, self._price(last.training_macs, epochs, self._share_of_new(last.config)))
        if _PASSES_FOR_ALL in total and (trials or due):
            total[_PASSES_FOR_ALL] /= len(trials) + len(due)
        return total

    def _due(self) -> list[TrialState]:
        """The last trial, for each repeat of its configuration that is still to be proposed."""
        trials = self._known.state.trials
        due = -len(trials) % self._repeats
        return [trials[len(trials) - 1]] * due if due else []

    def _price(self, macs: int, epochs: int, share: float) -> Cost:
        """Of so many epochs of one trial; by the pace so far, which is 0 before anything was trained."""
        hours = epochs * self._known.pace.seconds(macs) / SECONDS_OF_AN_HOUR
        prices = {
            "epochs": epochs,
            "hours": hours,
            "gpu_hours": share * hours,
            "network_passes": macs * self._images * epochs,
        }
        return {name: prices[name] for name in self._budget}

    def _share(self, trial: TrialState) -> float:
        """Of a GPU, that a trial has or will get; 0 where nobody asks."""
        return self._known.share_of(trial.number) if "gpu_hours" in self._budget else 0.0

    def _share_of_new(self, config: dict[str, Any]) -> float:
        """Of a GPU, that a trial will get which has no number yet; 0 where nobody asks."""
        return self._known.share_of_new(config) if "gpu_hours" in self._budget else 0.0


def _covers(free: Mapping[str, float], price: Mapping[str, float]) -> bool:
    return all(free[name] >= price[name] for name in free)


def _times(price: Cost, many: int) -> Cost:
    """For several trials side by side."""
    return {name: each if name == _PASSES_FOR_ALL else many * each for name, each in price.items()}


def _add(total: Cost, price: Cost) -> None:
    for name, amount in price.items():
        total[name] += amount
