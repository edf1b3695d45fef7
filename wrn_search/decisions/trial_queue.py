"""The trials that wait for a place, which of them may have the next one, and who joins them. Pure, without Ray."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from wrn_search.decisions.budget.funds import Funds
from wrn_search.decisions.image_facts import DataFacts
from wrn_search.decisions.knowledge_from_events import SHORT_OF_BUDGET, Knowledge
from wrn_search.decisions.proposals import proposed_event, trials_left
from wrn_search.decisions.search_end import SearchEnd
from wrn_search.end_reason import EndReason
from wrn_search.results.events import Exhausted, Paused, Proposed, Resumed
from wrn_search.results.events_jsonl import Record
from wrn_search.schedulers.scheduler import New
from wrn_search.space.space import Space

# A trial that waits for a larger share than is free lets so many smaller ones pass; then a GPU empties for it.
OVERTAKEN_AT_MOST = 8
# While fewer wait for want of room, one more is proposed: it may be small enough to train meanwhile.
MOST_WAITING = 4
# A search that learns nothing sees its end when so many trials are left for each that trains at once.
TRIALS_IN_SIGHT = 4


@dataclass
class WaitingTrials:
    """First come, first served, but for what is said above; with `longest_first` by predicted cost."""

    longest_first: bool = False
    _costs: dict[int, float] = field(default_factory=dict)  # of each trial, in the order of arrival
    _overtaken: dict[int, int] = field(default_factory=dict)

    def append(self, number: int, cost: float = 0.0) -> None:
        """A trial waits from now on; `cost` is in multiply-adds, or in any one unit."""
        self._costs[number] = cost

    def remove(self, number: int) -> None:
        """It waits no longer; the first one has been overtaken if it was another."""
        first = self.in_order()[0]
        del self._costs[number]
        self._overtaken.pop(number, None)
        if number != first:
            self._overtaken[first] = self._overtaken.get(first, 0) + 1

    def in_order(self) -> list[int]:
        """Who may have a place, in this order."""
        numbers = list(self._costs)
        if self.longest_first:
            numbers.sort(key=lambda number: -self._costs[number])
        patient = [number for number in numbers if self._overtaken.get(number, 0) >= OVERTAKEN_AT_MOST]
        return patient[:1] or numbers

    @property
    def numbers(self) -> tuple[int, ...]:
        """All that wait, in the order of arrival."""
        return tuple(self._costs)

    def __len__(self) -> int:
        return len(self._costs)


class Supply:
    """Who joins the queue: configurations that rested at a rung, further repeats, new configurations.

    Args:
        space: the search.
        facts: of its data.
        known: what is known of the run.
        record: where it stands that a trial joins, before it does.
        over: whether the search is.
        waiting: the queue.
        funds: what may still be spent.
    """

    def __init__(
        self,
        space: Space,
        facts: DataFacts,
        known: Knowledge,
        record: Record,
        over: SearchEnd,
        waiting: WaitingTrials,
        funds: Funds,
    ):
        self._space, self._facts = space, facts
        self._known, self._record, self._over, self._waiting = known, record, over, waiting
        self._funds = funds
        self._paid: set[tuple[int, int]] = set()  # (configuration, rung) from which it goes on
        # When the next configuration could not be paid for: (its number, epochs spent, trials that train)
        self._refused: tuple[int, int, int] | None = None

    def wait(self, number: int) -> None:
        """A trial waits for a place from now on."""
        self._waiting.append(number, self._known.cost(number))

    def add(self) -> bool:
        """Whether somebody joined: who rested at a rung and may go on comes before anything new."""
        if self._take_up_paid() or self._take_up(0, new := self._new()) or self._propose():
            return True
        # Asked again only where the question is another one: the last trials of a long search ask at each report.
        at_least = self._at_least
        takes_up = (at_least > 0 or new is not None) and self._take_up(at_least)
        return takes_up or self._take_up_to_the_end()

    def add_the_last_ones(self, concurrent: int) -> None:
        """When the end of a grid is in sight: all that is left, so that the longest trials can begin first."""
        left = trials_left(self._space, len(self._known.state.trials)) + len(self._waiting)
        if left <= TRIALS_IN_SIGHT * concurrent:
            self._waiting.longest_first = True
            while self._propose():
                pass

    def short_of_budget(self, number: int) -> Paused | None:
        """That a trial waits at a rung though its scheduler lets it go on, where what is left does not pay for that."""
        if not self._funds.are_limited:
            return None
        trial, known = self._known.state.trials[number], self._known
        rung = 0 if trial.last is None else trial.last.epoch
        configuration = trial.configuration
        if trial.anchor or rung not in known.rungs or known.arrived_at(configuration) != rung:
            return None
        others = [known.spending.epoch_of(each) for each in known.unended_of(configuration)]
        if (configuration, rung) in self._paid or max(others) > rung:
            return None
        if self._funds.pay_for_next_rung(configuration, rung):
            self._paid.add((configuration, rung))
            return None
        return Paused(number, rung, SHORT_OF_BUDGET, for_budget=True)

    def leave_behind(self) -> None:
        """The search has all that it can have, or is decided: what rests at a rung ends there.

        When its budget is what ends it, all that rests goes on resting: with a larger one it may go on.
        """
        if self._funds.are_limited and (self._over.reason is None or self._known.short):
            self._over.nothing_can_be_paid()
        if self._over.all_proposed or self._over.reason is EndReason.DECIDED:
            for end in self._known.left_behind():
                self._record.append(end)

    @property
    def _at_least(self) -> int:
        """How many of the best at a rung may go on now, however few have arrived there.

        When nothing trains, waits for a place or will come, the best one comes to its end; and where those that went on
        have all failed or diverged, whoever is the best that is left.
        """
        if not self._over.all_proposed or self._known.live or self._waiting:
            return 0
        trials = self._known.state.trials
        return 1 if any(trial.status == "completed" for trial in trials.values()) else len(trials)

    def _take_up(self, at_least: int, new: New | None = None) -> bool:
        """A configuration goes on, if what is left pays for it; whether there was one."""
        if self._over.at_once or (configuration := self._known.next_to_take_up(at_least, new)) is None:
            return False
        rung = self._known.resting[configuration]
        if self._funds.pay_for_next_rung(configuration, rung):
            return self._goes_on(configuration, rung)
        if at_least:
            return False
        for number in self._known.unended_of(configuration):
            self._record.append(Paused(number, rung, SHORT_OF_BUDGET, for_budget=True))
        return self._take_up(at_least)

    def _take_up_paid(self) -> bool:
        """Who was to go on when there was too little left, and can be paid for now."""
        if self._over.at_once:
            return False
        short = self._known.short.items()
        paid = (each for each in short if self._funds.pay_for_next_rung(*each))
        return (first := next(paid, None)) is not None and self._goes_on(*first)

    def _take_up_to_the_end(self) -> bool:
        """When nothing trains and nothing new can be paid for: the best at the highest rung that can come to its end.

        Where there is none, the best that can come to its next rung. What is left buys most where least is missing.
        """
        nothing_new = self._over.reason is None or self._at_least > 0
        if not self._funds.are_limited or not nothing_new or self._known.live or self._waiting:
            return False
        stand = {**self._known.resting, **self._known.short}
        in_order = self._known.in_order(stand)
        for can_be_paid in (self._funds.pay_to_the_end, self._funds.pay_for_next_rung):
            for each in in_order:
                if can_be_paid(each, stand[each]):
                    return self._goes_on(each, stand[each])
        return False

    def _goes_on(self, configuration: int, rung: int) -> bool:
        """Puts on record that all its repeats that rest go on; whether there were any."""
        self._paid.add((configuration, rung))
        # A repeat that failed and is tried again trains, or waits for its place, while the others rest.
        on_its_way = self._known.live.union(self._waiting.numbers)
        resting = [each for each in self._known.unended_of(configuration) if each not in on_its_way]
        for number in resting:
            self._record.append(Resumed(number, rung))
            self.wait(number)
        return bool(resting)

    def _new(self) -> New | None:
        """What would be proposed; None if nothing new will come."""
        configuration, repeat = divmod(len(self._known.state.trials), self._space.search.repeats)
        if self._over.reason is not None or configuration >= self._space.trials:
            return None
        return self._known.plan.new(configuration, repeat)

    def _propose(self) -> bool:
        """Puts a further repeat, or a new configuration, on record; whether there was one."""
        if self._over.reason is not None:
            return False
        state, plan = self._known.state, self._known.plan
        number = len(state.trials)
        configuration, repeat = divmod(number, self._space.search.repeats)
        if configuration >= self._space.trials:
            self._over.reason = EndReason.FINISHED
            return False
        moment = (number, self._known.spending.epochs, len(self._known.live))
        if repeat == 0 and (self._refused == moment or not self._funds.pay_for_new(None)):
            return False
        if (proposal := plan.propose(state, configuration, repeat)) is None:
            self._record.append(Exhausted(configuration - plan.outside))
            self._over.reason = EndReason.EXHAUSTED
            return False
        anchor = plan.is_anchor(configuration)
        event = proposed_event(number, configuration, repeat, *proposal, self._facts, anchor)
        affordable = event if repeat else self._affordable(event)
        if affordable is None:
            self._refused = moment
            return False
        self._record.append(affordable)
        self.wait(number)
        return True

    def _affordable(self, event: Proposed) -> Proposed | None:
        """A new configuration that can be paid for; an anchor that could not come to its end is none any more."""
        if event.anchor and self._funds.pay_for_new(event, whole=True):
            return event
        if not self._funds.pay_for_new(event):
            return None
        return replace(event, anchor=False) if event.anchor else event
