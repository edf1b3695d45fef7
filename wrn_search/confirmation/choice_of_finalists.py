"""Which configurations a confirmation retrains: chosen by validation error at full epochs, by nothing else. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wrn_search.decisions.outcome_of_repeats import ended_trial, outcome_of
from wrn_search.errors import InputError
from wrn_search.results.events import Chosen
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_selection import is_whole
from wrn_search.results.trial_state import FINAL, TrialState
from wrn_search.searchers.searcher import Full
from wrn_search.seeds import derived_seed
from wrn_search.space.trial_config import config_problem

DEFAULT_TOP = 3
DEFAULT_REPEATS = 5
KINDS = ("split", "joined")  # retrained on the search's training images; on those and the validation images


@dataclass(frozen=True)
class Finalist:
    """A configuration of the search, with what the search had seen of it."""

    number: int  # of its first trial in the search
    configuration: int
    hparams: dict[str, Any]
    config: dict[str, Any]  # `TrialConfig.to_dict()` of that trial
    num_params: int
    estimate: float  # percent: the search's validation error at full epochs, mean of its repeats
    repeats: int  # of them that were completed

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the record; `finalists_of` is the inverse."""
        return dict(vars(self))


@dataclass(frozen=True)
class Rule:
    """How finalists are chosen."""

    top: int | None = None  # how many at most; None: DEFAULT_TOP, or the whole front
    pareto: bool = False  # of the Pareto front of error against parameters, instead of all

    @property
    def most(self) -> int | None:
        """How many at most; None without a limit."""
        return DEFAULT_TOP if self.top is None and not self.pareto else self.top


def candidates(state: SearchState) -> list[Finalist]:
    """Every configuration that reached full epochs, the lowest validation error first, the earlier one of equals.

    The estimate is what the searcher was told (`outcome_of`): the mean of the completed repeats, those that diverged
    counted with the error of chance. Configurations with repeats that have not ended are none where others are whole.
    """
    by_configuration: dict[int, list[TrialState]] = defaultdict(list)
    for trial in state.trials.values():
        by_configuration[trial.configuration].append(trial)
    most = max(map(len, by_configuration.values()), default=0)
    found: list[tuple[bool, Finalist]] = []
    for configuration, trials in by_configuration.items():
        ended = [ended_trial(trial) for trial in trials if trial.status in FINAL]
        completed = sum(trial.status == "completed" for trial in ended)
        outcome = outcome_of(ended, state.chance_error)
        if not completed or not isinstance(outcome, Full):
            continue
        first = trials[0]
        finalist = Finalist(
            first.number,
            configuration,
            first.hparams,
            first.config,
            first.num_params,
            outcome.val_error,
            completed,
        )
        found.append((is_whole(trials, most), finalist))
    whole = [finalist for has_ended, finalist in found if has_ended]
    among = whole or [finalist for _, finalist in found]
    return sorted(among, key=lambda each: (each.estimate, each.configuration))


def front(ordered: Sequence[Finalist]) -> list[Finalist]:
    """Those that no other dominates: none has a lower error without more parameters, or as low a one with fewer.

    `ordered` by rising error, and so is the answer. Of equals in both the earlier configuration stays.
    """
    kept: list[Finalist] = []
    for each in ordered:
        if not any(
            (other.estimate, other.num_params) != (each.estimate, each.num_params)
            and other.estimate <= each.estimate
            and other.num_params <= each.num_params
            for other in ordered
        ) and not any(
            (other.estimate, other.num_params) == (each.estimate, each.num_params) for other in kept
        ):
            kept.append(each)
    return kept


def choice_of(state: SearchState, rule: Rule, repeats: int, epochs: int) -> Chosen:
    """The choice by a rule, ready to be recorded.

    Raises:
        InputError: no trial of the search reached full epochs.
    """
    ordered = candidates(state)
    if not ordered:
        rule_text = f"a trial must have been trained to its last epoch ({state.max_epochs})"
        raise InputError.of("RESULTS", f"{rule_text}, but none of {len(state.trials)} was")
    chosen = (front(ordered) if rule.pareto else ordered)[: rule.most]
    return Chosen(
        source=state.search_id,
        rule="pareto" if rule.pareto else "top",
        top=rule.most or 0,
        repeats=repeats,
        epochs=epochs,
        configurations=len(ordered),
        finalists={str(place): finalist.to_dict() for place, finalist in enumerate(chosen, start=1)},
    )


def finalists_of(chosen: Chosen, where: str = "") -> list[Finalist]:
    """The finalists on record, the winner by validation first.

    Raises:
        InputError: the record does not hold what `choice_of` writes.
    """
    places = [str(place) for place in range(1, len(chosen.finalists) + 1)]
    rule = "the recorded choice must be as confirm wrote it, but it is damaged"
    if list(chosen.finalists) != places or not places or chosen.repeats < 1 or chosen.epochs < 1:
        raise InputError.of("chosen", f"{rule}: places {list(chosen.finalists)}", where)
    return [
        _finalist(place, values, f"{rule}: finalist {place}", where)
        for place, values in chosen.finalists.items()
    ]


def _finalist(place: str, values: Any, rule: str, where: str) -> Finalist:
    if not isinstance(values, dict) or values.keys() != set(Finalist.__dataclass_fields__):
        raise InputError.of("chosen", f"{rule} has other fields", where)
    numbers = [values[name] for name in ("number", "configuration", "num_params", "estimate", "repeats")]
    if not all(type(value) in (int, float) for value in numbers) or not isinstance(values["hparams"], dict):
        raise InputError.of("chosen", f"{rule} has other values", where)
    problem = config_problem(values["config"]) if isinstance(values["config"], dict) else "has no config"
    if problem is not None:
        raise InputError.of("chosen", f"{rule}: {problem}", where)
    return Finalist(**values)


def fresh_seed(search_seed: int, configuration: int, kind: str, repeat: int, used: Mapping[int, Any]) -> int:
    """A seed of a label of its own that is not among `used`."""
    attempt = 0
    while True:
        seed = derived_seed(
            search_seed, "confirm", configuration, KINDS.index(kind), repeat, *([attempt] if attempt else [])
        )
        if seed not in used:
            return seed
        attempt += 1


def same_choice_problems(chosen: Chosen, rule: Rule, repeats: int | None, epochs: int | None) -> list[str]:
    """Options that ask for another choice than the recorded one; what was not given (None, False) asks for nothing."""
    asked = {
        "--top": (rule.top, chosen.top),
        "--pareto": (True if rule.pareto else None, chosen.rule == "pareto"),
        "--repeats": (repeats, chosen.repeats),
        "--epochs": (epochs, chosen.epochs),
    }
    return [name for name, (ours, theirs) in asked.items() if ours is not None and ours != theirs]
