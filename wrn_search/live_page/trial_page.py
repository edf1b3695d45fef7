"""A page for one trial: its curve, its config, what happened to it, and the commands that go on from it."""

from __future__ import annotations

import itertools
import json
import stat
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wrn_search.errors import printable
from wrn_search.live_page.curve_drawing import curve_svg
from wrn_search.live_page.followed_search import FollowedSearch
from wrn_search.report.html.markup import Html, element, join
from wrn_search.results.events import EVENTS
from wrn_search.results.trial_selection import name_of
from wrn_search.results.trial_state import WAITS_AT_A_RUNG, TrialState
from wrn_search.shell_commands import ours
from wrn_search.wording import duration, end_reason

_KINDS = {kind: name.replace("_", " ") for name, kind in EVENTS.items()}
_MOST_OF_A_LOG = 100_000  # bytes of its end


def trial_main(followed: FollowedSearch, trial: TrialState, *, can_go_on: bool) -> Html:
    """What stands in the page, between its head and its script."""
    return join(
        [
            element("section", _curve(followed, trial), id="curve"),
            element("section", element("h2", "Config"), _config(trial), id="config"),
            element("section", element("h2", "Log"), *_log(followed, trial), id="log"),
            element(
                "section", element("h2", "Commands"), _commands(followed, trial, can_go_on), id="commands"
            ),
        ]
    )


def trial_header(followed: FollowedSearch, trial: TrialState, back: str) -> Html:
    """Name, state and errors of the trial."""
    last = trial.last
    facts = [
        _standing(trial),
        f"epoch {trial.epochs_done} of {trial.config.get('epochs')}",
    ]
    if last is not None and last.val_error is not None:
        facts.append(f"error now {last.val_error:.2f} %, lowest {trial.best_val_error:.2f} %")
    facts.append(f"{trial.num_params:,} parameters, {trial.macs:,} multiply-adds an image")
    if trial.node:
        facts.append(f"on {trial.node} ({trial.device})")
    if last is not None:
        facts.append(f"{last.images_per_second:,.0f} images/s, {duration(last.seconds)} an epoch")
    links = [element("a", name, href=f"#{name.lower()}") for name in ("Curve", "Config", "Log", "Commands")]
    return element(
        "header",
        element("h1", name_of(trial)),
        element("p", " \u00b7 ".join(facts), class_="facts"),
        element("p", element("a", f"All trials of {followed.name}", href=back), class_="facts"),
        element("p", join(links, " \u00b7 "), class_="facts"),
    )


def _standing(trial: TrialState) -> str:
    """`running`, `stopped: at epoch 18, ...`; one that rests is told by what it waits for."""
    reason = end_reason(trial)
    if trial.status == "running" or not reason:
        return trial.status
    return reason if trial.is_paused and reason.startswith(WAITS_AT_A_RUNG) else f"{trial.status}: {reason}"


def _curve(followed: FollowedSearch, trial: TrialState) -> Html:
    epochs = int(trial.config.get("epochs") or max(1, trial.epochs_done))
    metrics = [each for _, each in trial.reports]
    validation = [(each.epoch, each.val_error) for each in metrics if each.val_error is not None]
    training = [(each.epoch, each.train_error) for each in metrics]
    curves = [("validation error", "blue", validation), ("training error", "orange", training)]
    drops = [
        now.epoch
        for before, now in itertools.pairwise(metrics)
        if now.learning_rate < 0.6 * before.learning_rate
    ]
    told = f"After {trial.epochs_done} of {epochs} epochs." if metrics else "No epoch is on record yet."
    dotted = " Dotted: the learning rate dropped." if drops else ""
    return element("figure", curve_svg(curves, epochs, drops), element("figcaption", told + dotted))


def _config(trial: TrialState) -> Html:
    """What was searched first, then everything else that it is trained with."""
    leaves = {**trial.config, **trial.hparams}
    names = [*trial.hparams, *(name for name in leaves if name not in trial.hparams)]
    rows: list[Html] = []
    for name in names:
        value = leaves[name]
        text = json.dumps(value) if isinstance(value, dict | list | tuple) else str(value)
        mark = element("b", name) if name in trial.hparams else name
        rows += [element("dt", mark), element("dd", text)]
    return element("dl", *rows)


def _log(followed: FollowedSearch, trial: TrialState) -> list[Html]:
    """The events of the trial, newest last, and the trace of a failure."""
    lines = [
        f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC  {_told(event)}"
        for moment, event in followed.events_of(trial.number)
    ]
    parts = [_listing(printable("\n".join(lines), keep="\n"))]
    trace = _end_of(followed.directory.logs / f"{trial.trial_id}.txt")
    if trace is not None:
        parts += [element("h3", f"{trial.trial_id}.txt"), _listing(printable(trace, keep="\n\t"))]
    return parts


def _listing(text: str) -> Html:
    return element("pre", element("code", text))


def _told(event: Any) -> str:
    values = {
        name: value for name, value in vars(event).items() if name in ("reason", "rung", "epoch", "error")
    }
    values |= {"share of a GPU": event.gpu_fraction} if getattr(event, "gpu_fraction", 0) else {}
    texts = [
        f"{name} {value}" if not isinstance(value, str) else value for name, value in values.items() if value
    ]
    kind = _KINDS[type(event)]
    return f"{kind}: {', '.join(texts)}" if texts else kind


def _end_of(path: Path) -> str | None:
    """The last of a file, if it is one and no link that somebody laid there."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _MOST_OF_A_LOG))
            return file.read(_MOST_OF_A_LOG).decode("utf-8", "backslashreplace")
    except OSError:
        return None


def _commands(followed: FollowedSearch, trial: TrialState, can_go_on: bool) -> Html:
    path, number = followed.directory.path, str(trial.number)
    file = ("--format", "torch", "--output", f"{name_of(trial)}.pt")
    commands = [
        ("Train it again and compare every epoch with the record", ours("rerun", path, "--trial", number)),
        ("Its network as a file", ours("export", path, "--trial", number, *file)),
    ]
    if can_go_on:
        commands.append(("Go on with the search", ours("run", path, "--resume")))
    else:
        commands.append(("Go on with the search, once it has been stopped", ours("run", path, "--resume")))
    return element("dl", *_pairs(commands))


def _pairs(commands: Sequence[tuple[str, str]]) -> list[Html]:
    return [
        part
        for what, command in commands
        for part in (
            element("dt", what),
            element(
                "dd",
                element("code", command),
                " ",
                element("button", "Copy", type="button", class_="copy", data_text=command),
            ),
        )
    ]
