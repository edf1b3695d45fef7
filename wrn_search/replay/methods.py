"""Search methods that are compared: a searcher, a scheduler and settings; or a rival of another make."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from wrn_search.errors import InputError, Problem, nearest
from wrn_search.objectives.objective_table import MEASURED_APART
from wrn_search.replay.curve_table import CurveTable
from wrn_search.replay.our_search import OurSearch
from wrn_search.replay.simulated_clock import Clock, Player
from wrn_search.replay.table_space import TableSpace
from wrn_search.schedulers.scheduler_table import SCHEDULERS
from wrn_search.searchers.samplers.unit_axes import without_order
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.axes.listed_points import ListedPoints
from wrn_search.space.domains import finite_values
from wrn_search.space.rules.across_keys.rules_of_methods import tradeoff_can_be_settled
from wrn_search.space.space import Space
from wrn_search.space.space_file import space_from_mapping

_OUTSIDE_BRACKETS = re.compile(r",(?![^\[{]*[\]}])")  # commas between settings, not those of a list
_IS_GOAL = re.compile(r"\s*search\.goal\s*=")
# What is the play's own: another option says it, or nothing does.
_BY_ERROR_ALONE = "objectives=[val_error]"  # what else of the space a play may be told
_SAID_ELSEWHERE = {
    "search.searcher": "--searcher or --method",
    "search.scheduler": "--scheduler or --method",
    "search.trials": "--trials",
    "search.seed": "--seeds",
    "search.warm_start": "nothing: a play begins without knowledge",
    "search.points": "nothing: a method finds its own",
}

DEFAULT = (("tpe", "asha"), ("random", "asha"), ("random", "none"))
_RIVALS = "benchmarks.rivals.rival_table"  # in a clone of the repository; no part of the package

# (table, seed, trials at most, workers, clock) -> a player
MakeRival: TypeAlias = Callable[[CurveTable, int, int, int, Clock], Player]


@dataclass(frozen=True)
class Method:
    """One method: its name in tables, and what it is."""

    name: str
    searcher: str
    scheduler: str
    settings: tuple[str, ...] = ()  # KEY=VALUE, after those that all methods share
    rival: bool = False  # then `searcher` is its name in the table of rivals


def methods_of(
    searchers: Sequence[str], schedulers: Sequence[str], named: Sequence[str], *, rivals: bool
) -> list[Method]:
    """Every searcher with every scheduler, then the named ones `NAME=SEARCHER+SCHEDULER[,KEY=VALUE...]`, then rivals.

    Raises:
        InputError: an unknown searcher or scheduler, a name twice, or rivals that are not there.
    """
    problems: list[Problem] = []
    methods = [Method(f"{a}+{b}", a, b) for a in searchers for b in schedulers]
    for text in named:
        name, equals, what = text.partition("=")
        parts, *settings = _OUTSIDE_BRACKETS.split(what)
        searcher, plus, scheduler = parts.partition("+")
        settings = [each if "." in each.partition("=")[0] else f"search.{each}" for each in settings]
        if not (name and equals and plus):
            rule = "must be NAME=SEARCHER+SCHEDULER[,KEY=VALUE...], such as half=tpe+asha,search.reduction_factor=2"
            problems.append(Problem("--method", f"{rule}, but got '{text}'"))
            continue
        methods.append(Method(name, searcher, scheduler, tuple(settings)))
    if not methods and not problems:
        methods = [Method(f"{a}+{b}", a, b) for a, b in DEFAULT]
    for method in methods:
        for key, name, known in (
            ("searcher", method.searcher, SEARCHERS),
            ("scheduler", method.scheduler, SCHEDULERS),
        ):
            if name not in known:
                text = f"must be one of {', '.join(known)}, but got '{name}'{nearest(name, known)}"
                of_option = (
                    f"--{key}" if method.name == f"{method.searcher}+{method.scheduler}" else "--method"
                )
                problems.append(Problem(of_option, text))
    if rivals:
        methods += [Method(name, name, "", rival=True) for name in rival_table()]
    names = [method.name for method in methods]
    problems += [
        Problem("--method", f"each method must have a name of its own, but '{name}' is there twice")
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    if problems:
        raise InputError(dict.fromkeys(problems))
    return methods


def rival_table() -> dict[str, MakeRival]:
    """The rivals, by name.

    Raises:
        InputError: they are not there: they come with the repository, not with the installed package.
    """
    root = str(Path(__file__).parents[2])
    if importlib.util.find_spec("benchmarks") is None and root not in sys.path:
        sys.path.append(root)
    try:
        table: dict[str, MakeRival] = importlib.import_module(_RIVALS).RIVALS
    except ModuleNotFoundError as error:
        text = "the rivals come with the repository (benchmarks/rivals) and its requirements, but there is no"
        raise InputError.of("--rivals", f"{text} {error.name} here") from None
    return table


def space_of(
    table: CurveTable,
    method: Method,
    shared: Sequence[str],
    trials: int | None,
    seed: int,
    epochs: int | None = None,
) -> Space:
    """The space of a play: the table's, searched by `method`.

    Args:
        epochs: the budget that the search knows of, where no setting says another.

    Raises:
        InputError: a setting is wrong or does not belong to the search.
    """
    if problems := [*_settings_problems("--set", shared), *_settings_problems("--method", method.settings)]:
        raise InputError(problems)
    overrides = [*shared, *method.settings]
    document = table.space.to_document()
    document["search"] = document["search"] | {
        "searcher": method.searcher,
        "scheduler": method.scheduler,
        "seed": seed,
        "trials": min(trials or len(table.configurations), len(table.configurations)),
        "warm_start": [],
        "points": [],
        "prior": None,
        "max_hours": None,
        "budget": None if epochs is None else {"epochs": epochs},
        "stop_when": None,
    }
    own_hyperparameters = isinstance(table.space, TableSpace)
    goals = [each.partition("=")[2].strip() for each in overrides if _IS_GOAL.match(each)]
    later = own_hyperparameters and goals[-1:] == [
        "tradeoff"
    ]  # what it needs are the table's depths and widths
    space = space_from_mapping(
        document, [each for each in overrides if not (later and _IS_GOAL.match(each))], on_record=True
    )
    if measured := [each for each in space.costs if each in MEASURED_APART]:
        text = f"a play can rank by val_error, num_params, macs and seconds_per_epoch, but got {', '.join(measured)}"
        raise InputError.of(
            "objectives", f"{text}: recorded curves do not bring them; write --set {_BY_ERROR_ALONE}"
        )
    if "network_passes" in (space.search.budget or {}):
        text = "a play can spend epochs, hours and gpu_hours (a worker is a GPU), but got network_passes"
        raise InputError.of("search.budget", f"{text}: a table of curves does not tell of images")
    # A list of points is no space to search: the values of its keys are, and proposals fall on the nearest point.
    if not own_hyperparameters and not isinstance(table.space.axes, ListedPoints):
        return space
    if later:
        space = space.model_copy(update={"search": space.search.model_copy(update={"goal": "tradeoff"})})
    space = TableSpace.of(space, table.hyperparameters)
    if broken := list(tradeoff_can_be_settled(space)):
        text = f"{broken[0].text} in '{table.name}'"
        raise InputError.of("search.goal", text)
    _check_searcher(method.searcher, space, table.name)
    return space


def _settings_problems(option: str, settings: Sequence[str]) -> Iterator[Problem]:
    for each in settings:
        key = each.partition("=")[0].strip()
        if each.replace(" ", "") == _BY_ERROR_ALONE:
            continue
        if not key.startswith("search."):
            rule = "a replay can change the search alone, `search.KEY=VALUE`: the trainings are recorded"
            yield Problem(option, f"{rule}, but got '{each}'")
        elif key in _SAID_ELSEWHERE:
            yield Problem(option, f"{key} is said by {_SAID_ELSEWHERE[key]}, but got '{each}'")


def _check_searcher(searcher: str, space: TableSpace, table: str) -> None:
    """Sees to it that a searcher can propose from a table's own hyperparameters.

    Raises:
        InputError: it cannot.
    """
    if SEARCHERS[searcher].needs_finite_space and space.size is None:
        open_ended = [name for name, domain in space.hyperparameters.items() if finite_values(domain) is None]
        rule = f"searcher {searcher} needs choice and int domains"
        raise InputError.of("--searcher", f"{rule}, but {', '.join(open_ended)} of '{table}' has none")
    labels = without_order(space.hyperparameters)
    if SEARCHERS[searcher].needs_order and 0 < len(labels) == len(space.hyperparameters):
        rule = f"searcher {searcher} learns of numbers alone"
        raise InputError.of("--searcher", f"{rule}, but {', '.join(labels)} of '{table}' are lists of labels")


def player_of(
    table: CurveTable,
    method: Method,
    shared: Sequence[str],
    trials: int | None,
    seed: int,
    workers: int,
    clock: Clock,
    epochs: int | None = None,
) -> Player:
    """The player of one play; `epochs`: the budget that a search of ours knows of."""
    most = min(trials or len(table.configurations), len(table.configurations))
    if method.rival:
        return rival_table()[method.searcher](table, seed, most, workers, clock)
    return OurSearch(space_of(table, method, shared, trials, seed, epochs), table, workers, clock)
