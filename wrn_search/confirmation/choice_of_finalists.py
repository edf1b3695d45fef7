"""Which configurations a confirmation retrains: chosen by validation error at full epochs, or named by the user. Pure.

Configurations of one network mostly differ by less than a seed does, so two of them among few finalists tell little:
unless asked otherwise each network sends the best of its configurations alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wrn_search.confirmation.finalist import Finalist
from wrn_search.confirmation.searches_to_confirm import Searched, named_trial
from wrn_search.errors import InputError, Problem
from wrn_search.objectives.dominance import is_on_front
from wrn_search.objectives.objective_table import VAL_ERROR
from wrn_search.results.events import Chosen
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_selection import FRESH_MEDIAN, is_whole, objectives_of, standings
from wrn_search.results.trial_state import TrialState, costs_of
from wrn_search.space.trial_config import TrialConfig, what_fixes_it

DEFAULT_TOP = 3
DEFAULT_REPEATS = 5


@dataclass(frozen=True)
class Rule:
    """How finalists are chosen."""

    top: int | None = None  # how many at most; None: DEFAULT_TOP, or the whole front
    pareto: bool = (
        False  # of the Pareto front, instead of all: of the search's objectives, else of error and parameters
    )
    per_network: bool | None = (
        None  # at most one configuration of each network; None: not said, which means it
    )
    trials: tuple[str, ...] = ()  # these instead, each as `named_trial` takes it

    def check(self) -> None:
        """Who names the finalists leaves nothing to choose.

        Raises:
            InputError: an option of the choice stands beside named trials.
        """
        per_network = "--no-per-network" if self.per_network is False else "--per-network"
        given = {
            "--top": self.top is not None,
            "--pareto": self.pareto,
            per_network: self.per_network is not None,
        }
        text = "must be left out where --trials names the finalists"
        problems = [Problem(option, text) for option, is_given in given.items() if is_given]
        if self.trials and problems:
            raise InputError(problems)

    @property
    def most(self) -> int | None:
        """How many at most; None without a limit."""
        return DEFAULT_TOP if self.top is None and not self.pareto else self.top


def candidates(state: SearchState) -> list[Finalist]:
    """Every configuration that reached full epochs, the best first by the one rule that ranks (`order_of`).

    The estimate is the median of its repeats, one that diverged counted with the error of chance. Configurations with
    repeats that have not ended are none where others are whole.
    """
    by_configuration: dict[int, list[TrialState]] = defaultdict(list)
    for trial in state.trials.values():
        by_configuration[trial.configuration].append(trial)
    most = max(map(len, by_configuration.values()), default=0)
    costs = [name for name in objectives_of(state) if name != VAL_ERROR]
    found: list[tuple[bool, Finalist]] = []
    for standing in standings(state):
        trials = by_configuration[state.trials[standing.number].configuration]
        first = trials[0]
        finalist = Finalist(
            first.number,
            first.configuration,
            first.hparams,
            first.config,
            first.num_params,
            standing.median,
            sum(trial.status == "completed" for trial in trials),
            state.search_id,
            {
                name: cost
                for name, cost in zip(costs, costs_of(trials, costs), strict=True)
                if cost is not None
            },
        )
        found.append((is_whole(trials, most), finalist))
    whole = [finalist for has_ended, finalist in found if has_ended]
    return whole or [finalist for _, finalist in found]


def candidates_of(searches: Sequence[Searched]) -> list[Finalist]:
    """Those of several searches in one order, the earlier search first of equals; what two had tried alike once."""
    every = [each for search in searches for each in candidates(search.state)]
    first: dict[str, Finalist] = {}
    for each in sorted(every, key=lambda each: each.estimate):
        first.setdefault(f"{each.source} {each.number}" if len(searches) == 1 else _alike(each.config), each)
    return list(first.values())


def _alike(config: Mapping[str, Any]) -> str:
    """The same for trials that differ in their seed alone, in where their files lie, or in keys that came later."""
    return what_fixes_it({key: value for key, value in config.items() if key != "seed"})


def front(ordered: Sequence[Finalist], costs: Sequence[str] = ("num_params",)) -> list[Finalist]:
    """Those that no other dominates: none has a lower error without a higher cost, or as low a one with a lower cost.

    `ordered` by rising error, and so is the answer. Of equals in all the earlier configuration stays.
    """
    first: dict[tuple[float, ...], Finalist] = {}
    for each in ordered:
        first.setdefault((each.estimate, *(each.cost(name) for name in costs)), each)
    return [each for each, on in zip(first.values(), is_on_front(list(first)), strict=True) if on]


def costs_of_the_front(searches: Sequence[Searched]) -> tuple[str, ...]:
    """What the front is of beside the error: the other objectives of the searches, else the parameters.

    Raises:
        InputError: the searches minimise different ones.
    """
    told = {each.label: objectives_of(each.state) for each in searches}
    if len(set(map(frozenset, told.values()))) > 1:
        got = "; ".join(f"{label}: [{', '.join(names)}]" for label, names in told.items())
        rule = "must choose among searches with the same objectives"
        raise InputError.of(
            "--pareto", f"{rule}, but got {got}; name finalists by --trials, or confirm each alone"
        )
    return tuple(name for name in next(iter(told.values())) if name != VAL_ERROR) or ("num_params",)


def one_of_each_network(ordered: Sequence[Finalist]) -> list[Finalist]:
    """The first configuration of each depth, widening factor and block, in their order."""
    first: dict[object, Finalist] = {}
    for each in ordered:
        first.setdefault(TrialConfig.from_dict(each.config).architecture, each)
    return list(first.values())


def named_finalists(
    searches: Sequence[Searched], ordered: Sequence[Finalist], names: Sequence[str]
) -> list[Finalist]:
    """The candidates whose trials are named, in the order of `ordered`: that of validation, not that of the names.

    Any repeat of a configuration names it.

    Raises:
        InputError: naming each that is no trial, that was not trained to its last epoch, or that is named twice.
    """
    reached = {
        (search.state.search_id, each.configuration)
        for search in searches
        for each in candidates(search.state)
    }
    named: dict[str, tuple[str, tuple[str, int]]] = {}  # hyperparameters -> the name, its configuration
    problems: list[Problem] = []
    for name in names:
        try:
            search, trial = named_trial(searches, name)
        except InputError as error:
            problems += error.problems
            continue
        alike, place = _alike(trial.config), (search.state.search_id, trial.configuration)
        if alike in named:
            got = f"'{named[alike][0]}' and '{name}' are the same one"
            problems.append(Problem("--trials", f"must name each configuration once, but {got}"))
        elif place not in reached:
            problems.append(Problem("--trials", _no_candidate(search.state, trial)))
        named.setdefault(alike, (name, place))
    if problems:
        raise InputError(problems)
    places = {place for _, place in named.values()}
    standing = {(each.source, each.configuration) for each in ordered}
    # One that two searches had tried alike stands for both.
    alike_elsewhere = {alike for alike, (_, place) in named.items() if place not in standing}
    return [
        each
        for each in ordered
        if (each.source, each.configuration) in places or _alike(each.config) in alike_elsewhere
    ]


def _no_candidate(state: SearchState, trial: TrialState) -> str:
    """Why the configuration of a trial is not among the candidates."""
    repeats = [each for each in state.trials.values() if each.configuration == trial.configuration]
    rule = f"a finalist must have been trained to its last epoch ({state.max_epochs})"
    if trial.status != "completed":
        return f"{rule}, but trial {trial.number} has status {trial.status} after epoch {trial.epochs_done}"
    got = ", ".join(f"trial {each.number} has status {each.status}" for each in repeats)
    return f"{rule} in all repeats that others have, but of the same configuration {got}"


def choice_of(searches: Sequence[Searched], rule: Rule, repeats: int, epochs: int) -> Chosen:
    """The choice by a rule among searches that can be compared, ready to be recorded.

    Raises:
        InputError: no trial reached full epochs, or one that is named did not.
    """
    rule.check()
    ordered = candidates_of(searches)
    if not ordered:
        rule_text = f"a trial must have been trained to its last epoch ({searches[0].state.max_epochs})"
        trials = sum(len(search.state.trials) for search in searches)
        raise InputError.of("RESULTS", f"{rule_text}, but none of {trials} was")
    per_network = not rule.trials and rule.per_network is not False
    if rule.trials:
        chosen = named_finalists(searches, ordered, rule.trials)
    else:
        among = one_of_each_network(ordered) if per_network else ordered
        chosen = (front(among, costs_of_the_front(searches)) if rule.pareto else among)[: rule.most]
    return Chosen(
        source=searches[0].state.search_id,
        rule="trials" if rule.trials else "pareto" if rule.pareto else "top",
        top=0 if rule.trials else rule.most or 0,
        repeats=repeats,
        epochs=epochs,
        configurations=len(ordered),
        finalists={str(place): finalist.to_dict() for place, finalist in enumerate(chosen, start=1)},
        per_network=per_network,
        sources={
            search.state.search_id: {
                "search": search.label,
                "results": str(search.directory.path.absolute()),
            }
            for search in searches
        },
        winner=FRESH_MEDIAN,
    )


def same_choice_problems(
    chosen: Chosen, searches: Sequence[Searched], rule: Rule, repeats: int | None, epochs: int | None
) -> list[str]:
    """Options that ask for another choice than the recorded one; what was not given (None, False) asks for nothing.

    Raises:
        InputError: a name in the rule is that of no trial.
    """
    named = chosen.rule == "trials"
    per_network = "--no-per-network" if rule.per_network is False else "--per-network"
    ours = {_alike(named_trial(searches, name)[1].config) for name in rule.trials}
    theirs = {_alike(each["config"]) for each in chosen.finalists.values()} if named else set()
    asked: dict[str, tuple[Any, Any]] = {
        "--top": (rule.top, chosen.top),
        "--pareto": (True if rule.pareto else None, chosen.rule == "pareto"),
        per_network: (rule.per_network, None if named else chosen.per_network),
        "--trials": (ours or None, theirs),
        "--repeats": (repeats, chosen.repeats),
        "--epochs": (epochs, chosen.epochs),
    }
    return [name for name, (ours, theirs) in asked.items() if ours is not None and ours != theirs]
