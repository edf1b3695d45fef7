"""What a browser is told of followed searches: a card for each, and the trials of which something is new."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wrn_search.errors import InputError
from wrn_search.live_page.followed_search import FollowedSearch
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.network_names import exact_name
from wrn_search.progress.progress_values import running_values
from wrn_search.progress.search_progress import standing_text, verdict_parts
from wrn_search.progress.search_status import SearchStatus
from wrn_search.results.trial_selection import name_of
from wrn_search.results.trial_state import TrialState
from wrn_search.shell_commands import ours
from wrn_search.verdict_so_far.verdict import VerdictSoFar
from wrn_search.wording import duration, end_reason

_MOST_HAPPENINGS = 5
_STATES = {
    "starting": "is being started",
    "running": "runs",
    "finished": "has finished",
    "interrupted": "was interrupted",
    "failed": "could not go on",
    "died": "was killed",
    "unknown": "may run: its storage has no locks",
}
AddressOf = Callable[[int], str]  # of a trial's own page, by its number


def card(followed: FollowedSearch, address: AddressOf) -> dict[str, Any]:
    """How one search stands, in words and numbers."""
    try:
        status = followed.status()
    except InputError as error:
        return _card_without_status(followed, str(error))
    if followed.problem is not None:
        return _card_without_status(followed, followed.problem)
    progress = status.progress
    return {
        "name": followed.name,
        "path": str(followed.directory.path),
        "state": status.state,
        "facts": [fact for fact in _facts(status) if fact],
        "running": [each | {"href": address(each["number"])} for each in running_values(progress)],
        "more": max(0, len(progress.running) - 100),
        "best": [
            {
                "name": progress.name(each.number),
                "text": standing_text(each),
                "href": address(each.number),
            }
            for each in progress.leading
        ],
        "verdict": _verdict(status),
        "last": [
            {
                "ago": duration(max(0.0, status.now - each.moment)),
                "name": progress.name(each.number),
                "href": address(each.number),
                "text": each.text,
            }
            for each in list(progress.happenings.last)[: -_MOST_HAPPENINGS - 1 : -1]
        ],
        "resume": ours("run", followed.directory.path, "--resume") if status.can_go_on else None,
        "problem": None,
    }


def rows_since(followed: FollowedSearch, version: int, address: AddressOf) -> list[dict[str, Any]]:
    """The trials that changed since so many events: values by the keys of the report's table, and new epochs."""
    return [
        {
            "number": number,
            "href": address(number),
            "values": row_values(followed.state.search, followed.state.trials[number]),
            "points": followed.points_since(number, version),
        }
        for number in followed.changed_since(version)
        if number in followed.state.trials
    ]


def row_values(search: str, trial: TrialState) -> dict[str, Any]:
    """A trial as the table of all trials has it, as far as its record alone says; the rest is the report's."""
    last = trial.last
    ended = trial.status == "completed" and last is not None and last.val_error is not None
    architecture = Architecture.of(
        trial.config["depth"], trial.config["widen_factor"], trial.config["block"], trial.config.get("family")
    )
    values = {
        "name": name_of(trial),
        "search": search,
        "val_error": None if last is None else last.val_error,
        "epochs_done": trial.epochs_done,
        "status": trial.status,
        "network": exact_name(architecture),
        "num_params": trial.num_params,
        "reason": end_reason(trial),
        "seed": trial.config.get("seed"),
        "repeat": trial.repeat,
        "anchor": "yes" if trial.anchor else "no",
        "configuration": trial.configuration,
        "number": trial.number,
        "trial_id": trial.trial_id,
        **{name: trial.value_of(name) for name in trial.hparams},
    }
    if ended and last is not None:
        values |= {"end": last.val_error, "end_kind": "measured", "end_low": None, "end_high": None}
    return values


def versions_of(text: str, searches: Sequence[FollowedSearch]) -> list[int]:
    """The events of each search that a browser knows: `3051.220`; 0 for no such text, and for more than there are."""
    parts = text.split(".")
    if len(parts) != len(searches) or not all(part.isascii() and part.isdecimal() for part in parts):
        return [0] * len(searches)
    known = [int(part[:12]) for part in parts]
    return [each if each <= search.version else 0 for each, search in zip(known, searches, strict=True)]


def _card_without_status(followed: FollowedSearch, problem: str) -> dict[str, Any]:
    return {
        **{"name": followed.name, "path": str(followed.directory.path), "state": "unreadable", "facts": []},
        **{"running": [], "more": 0, "best": [], "verdict": "", "last": [], "resume": None},
        "problem": problem,
    }


def _facts(status: SearchStatus) -> list[str]:
    progress = status.progress
    driver = f" ({status.driver})" if status.driver is not None and status.is_running else ""
    facts = [f"{_STATES[status.state]}{driver}"]
    if status.state == "starting":
        return facts
    of = "" if progress.is_open_ended else f" of {progress.rows:,}"
    counts = f" ({progress.counts_text})" if progress.counts_text else ""
    waits = f", {len(progress.waiting):,} wait at a rung" if progress.waiting else ""
    facts.append(f"{progress.ended.total():,}{of} trials{counts}{waits}")
    pace = progress.epochs_per_minute(status.now) if status.is_running else None
    facts.append(f"{progress.epochs_done:,} epochs" + (f", {pace:.1f} a minute" if pace is not None else ""))
    left = progress.seconds_left(status.now) if status.state == "running" else None
    spent = f"{duration(status.seconds_spent)} so far"
    facts.append(f"{spent}, about {duration(left)} left" if left else spent)
    if progress.funds is not None and progress.funds.text:
        facts.append(f"budget: {progress.funds.text} spent; left: {progress.funds.left_text}")
    return facts


def _verdict(status: SearchStatus) -> str:
    told = status.verdict
    if told is None or status.tests_each:
        return ""
    if told["kind"] == "so_far":
        return "so far: " + "; ".join(verdict_parts(VerdictSoFar.from_dict(told)))
    return str(next(iter(told["sentences"]), ""))
