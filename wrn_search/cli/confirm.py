"""`confirm RESULTS ...`: retrains the finalists of searches with fresh seeds and reads their test errors, once each.

Finalists are chosen by validation error at full epochs, at most one of each network (`--no-per-network`: any), or named
by `--trials 1,21`, and recorded before any is retrained. Each is retrained twice over: on the search's own training
images (its validation error minus the search's estimate is the winner's curse; the lowest median of fresh errors names
the winner, finalist 1), and on training and validation images together, for its test error. Results go to the first
RESULTS/confirm, or where --results says; running the command again goes on where it stopped, and prints a finished
confirmation again. Several searches must be comparable, as `report` asks too: the same images, equal epochs.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from wrn_search.cli.exit_status import FAILED, INTERRUPTED, LOG_JSON, a_named_path, a_path, say, show
from wrn_search.errors import InputError, Problem
from wrn_search.lines_on_stderr import Start, use_json
from wrn_search.wording import plural

if TYPE_CHECKING:
    from wrn_search.confirmation.confirmation_request import ConfirmationRequest
    from wrn_search.results.events import Chosen
    from wrn_search.results.state_from_events import SearchState

EXAMPLE = "python -m wrn_search confirm results/digits_quickstart --top 3 --repeats 5"
_MOST = {"top": 10_000, "repeats": 1000, "epochs": 100_000}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `confirm`."""
    parser.add_argument(
        "results",
        metavar="RESULTS",
        type=a_named_path,
        nargs="+",
        help="the results directory of a search; of several the finalists are chosen together",
    )
    parser.add_argument(
        "--results",
        metavar="DIR",
        type=a_path,
        dest="place",
        help="where the confirmation lies (default: confirm in the first RESULTS)",
    )
    parser.add_argument(
        "--top", metavar="N", help="at most so many finalists (default: 3; with --pareto all)"
    )
    parser.add_argument(
        "--pareto",
        action="store_true",
        help="the Pareto front of the search's objectives; with one objective of validation error against parameters",
    )
    parser.add_argument(
        "--per-network",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="at most one finalist of each depth, width and block: its best configuration (default)",
    )
    parser.add_argument(
        "--trials",
        metavar="N,N,...",
        help="these finalists instead: numbers, keys or short names of trials at full epochs; of several searches "
        "SEARCH:N,SEARCH:N,...",
    )
    parser.add_argument("--repeats", metavar="N", help="fresh seeds of each finalist (default: 5)")
    parser.add_argument(
        "--only",
        choices=("joined", "split"),
        help="one kind of retraining: on training and validation images together, for the test error; or on the "
        "search's own training images, for fresh validation errors (default: both)",
    )
    parser.add_argument("--epochs", metavar="N", help="epochs of each retraining (default: the search's)")
    parser.add_argument(
        "--resume", action="store_true", help="go on with a confirmation that must have begun"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print the finalists and the plan; run nothing"
    )
    parser.add_argument(
        "--address", metavar="ADDR", help="a running Ray cluster, or auto (default: a Ray of its own)"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")
    parser.add_argument("--log-json", action="store_true", help=LOG_JSON)


def run(options: argparse.Namespace) -> int:
    """The command."""
    use_json(options.log_json)
    top, repeats, epochs = _numbers(options)
    for option, given in (("--address", options.address), ("--results", options.place)):
        if given == "":
            raise InputError.of(option, "must not be empty, but got ''")
    start = Start(options.quiet or options.dry_run)
    start.waits_for("the program to load", unchecked=True)
    from wrn_search.confirmation.choice_of_finalists import Rule
    from wrn_search.confirmation.confirmation_request import confirmation_request

    rule = Rule(top, options.pareto, options.per_network, _trials(options.trials))
    request = confirmation_request(options.results, rule, repeats, epochs, options.place, options.only)
    if options.resume and request.begun is None:
        text = f"a confirmation must be there to go on with, but {request.directory.path} holds none"
        text += request.directory.as_unreadable()
        raise InputError.of("--resume", f"{text}; start it without --resume")
    _say_what_one_a_network_left_out(request)
    from wrn_search.confirmation.confirmation_run import look_for_tested_images, run_confirmation

    if options.dry_run:
        look_for_tested_images(request)
        _show_plan(request, options)
        return 0
    from wrn_search.session.search_result import SearchFailed

    try:
        result = run_confirmation(request, address=options.address, quiet=options.quiet, start=start)
    except SearchFailed as error:
        say(f"the confirmation failed: {error}")
        return FAILED
    _show(result.state, request, options)
    if result.exit_status == INTERRUPTED:
        say("interrupted: go on with the same command")
    return result.exit_status


def _numbers(options: argparse.Namespace) -> tuple[int | None, int | None, int | None]:
    """--top, --repeats and --epochs; None where they were not given.

    Raises:
        InputError: naming each that is no number in its range.
    """
    found: dict[str, int | None] = {}
    problems = []
    for name, most in _MOST.items():
        given = getattr(options, name)
        found[name] = int(given) if given is not None and given.isdecimal() and len(given) < 10 else None
        if given is not None and not 1 <= (found[name] or 0) <= most:
            problems.append(
                Problem(f"--{name}", f"must be a whole number from 1 to {most}, but got '{given}'")
            )
    if problems:
        raise InputError(problems)
    return found["top"], found["repeats"], found["epochs"]


def _trials(given: str | None) -> tuple[str, ...]:
    """What --trials names; nothing where it was not given.

    Raises:
        InputError: a name is empty.
    """
    names = () if given is None else tuple(name.strip() for name in given.split(","))
    if not all(names):
        text = f"must be trials' numbers, keys or short names with commas between, but got '{given}'"
        raise InputError.of("--trials", text)
    return names


def _say_what_one_a_network_left_out(request: ConfirmationRequest) -> None:
    """While the choice can still be another one: fewer finalists than asked for, since networks ran out."""
    chosen, count = request.chosen, len(request.finalists)
    recorded = request.begun is not None and request.begun.choice is not None
    if chosen.rule == "top" and chosen.per_network and not recorded and count < chosen.top:
        others = chosen.configurations - count
        if others:
            say(
                f"{plural(count, 'finalist')}, not {chosen.top}: {plural(others, 'further configuration')} "
                f"{'is' if others == 1 else 'are'} of the same {'network' if count == 1 else 'networks'} "
                "(--no-per-network lets several of one network in)"
            )


def _show(state: SearchState, request: ConfirmationRequest, options: argparse.Namespace) -> None:
    from wrn_search.confirmation.confirmed_finalists import confirmed
    from wrn_search.confirmation.printed_result import confirmed_dict, confirmed_text

    found, where = confirmed(state), str(request.directory.path)
    if options.json:
        show(json.dumps(confirmed_dict(found, request.search, where), indent=2))
    else:
        show(confirmed_text(found, request.search, where))


def _show_plan(request: ConfirmationRequest, options: argparse.Namespace) -> None:
    """The finalists and what would be trained; nothing of a test error."""
    from wrn_search.confirmation.finalist import search_label
    from wrn_search.results.tensorboard.run_names import short_name

    chosen, ended = request.chosen, len(request.begun.trials) if request.begun else 0
    if options.json:
        plan = {
            "results": str(request.directory.path),
            "rule": chosen.rule,
            "per_network": chosen.per_network,
            "repeats": chosen.repeats,
            "epochs": chosen.epochs,
            "retrainings": request.rows,
            "only": chosen.only or None,
            "begun": request.begun is not None,
            "searches": chosen.sources,
            "finalists": [finalist.to_dict() for finalist in request.finalists],
        }
        show(json.dumps(plan, indent=2))
        return
    lines = [
        f"{place}  {search_label(chosen, each.source)}{short_name(each.number, each.config, searched=each.hparams)}  "
        f"validation error {each.estimate:.2f} %, {each.num_params:,} parameters"
        for place, each in enumerate(request.finalists, start=1)
    ]
    how = "by validation" + (", the best configuration of each network" if chosen.per_network else "")
    if chosen.rule == "trials":
        how = "named by their trials, in the order of validation"
    begun = f"{ended} of them have begun" if request.begun else "new"
    show(
        "\n".join(
            [
                f"{plural(len(lines), 'finalist')} of {plural(chosen.configurations, 'configuration')} at full epochs, "
                f"{how}:",
                *lines,
                f"retrainings  {request.rows} of {plural(chosen.epochs, 'epoch')}: {_kinds_text(chosen)} x "
                f"{plural(len(lines), 'finalist')} x {plural(chosen.repeats, 'seed')}",
                f"results      {request.directory.path} ({begun})",
                "Dry run: nothing was started or written.",
            ]
        )
    )


def _kinds_text(chosen: Chosen) -> str:
    return f"only {chosen.only}" if chosen.only else "2 kinds"
