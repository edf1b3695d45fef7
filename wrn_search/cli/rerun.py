"""`rerun RESULTS --trial N`: trains a trial again outside Ray and holds each epoch against the record.

`--finalist N` takes the network that `confirm` trained on all images, as `export` does; the test split stays closed. On
a CPU in fp32, with the recorded number of threads and the same versions, every loss and error comes out again, bit for
bit. Exit status: 0 equal, 1 it differs (or there is nothing to compare with), 2 bad input, 130 interrupted (with
--checkpoint the same command goes on).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wrn_search.cli.exit_status import FAILED, a_named_path, a_path, refuse_empty, say, show
from wrn_search.errors import InputError
from wrn_search.wording import plural

if TYPE_CHECKING:
    from wrn_search.epoch_metrics import EpochMetrics
    from wrn_search.winner.rerun import EpochComparison, Rerun, RerunPlan

EXAMPLE = "python -m wrn_search rerun results/digits_quickstart --trial 17 --checkpoint"
_DEFAULT = object()  # --checkpoint without FILE


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `rerun`."""
    parser.add_argument("results", metavar="RESULTS", type=a_named_path, help="the results directory")
    parser.add_argument(
        "--trial", metavar="N", help="best (at full epochs), or a trial's number, key or short name"
    )
    parser.add_argument(
        "--finalist",
        metavar="N",
        type=int,
        help="instead the network that `confirm` trained on all images, of the finalist at this place (1: the winner)",
    )
    parser.add_argument("--epochs", metavar="M", type=int, help="default: those on record; all if none is")
    parser.add_argument("--threads", metavar="T", type=int, help="default: as recorded")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="default: as recorded, if it is there")
    parser.add_argument(
        "--root",
        metavar="DIR",
        type=a_path,
        help="where the images lie now (default: as the search found them)",
    )
    parser.add_argument(
        "--checkpoint",
        metavar="FILE",
        type=a_path,
        nargs="?",
        const=_DEFAULT,
        help="keep the weights after each epoch, and go on from them; without FILE where `export` finds them",
    )
    parser.add_argument("--json", action="store_true", help="print JSON at the end")


def run(options: argparse.Namespace) -> int:
    """The command."""
    if options.threads is not None and not 1 <= options.threads <= 1024:
        raise InputError.of("--threads", f"must be 1 to 1024, but got {options.threads}")
    refuse_empty(options, "root", "checkpoint")
    if (options.trial is None) == (options.finalist is None):
        got = "neither" if options.trial is None else f"both ({options.trial}, {options.finalist})"
        raise InputError.of("--trial", f"must say what to train again, or --finalist must, but got {got}")
    from wrn_search.winner.rerun import rerun, rerun_plan
    from wrn_search.winner.trial_to_export import choose, choose_finalist  # torch: seconds

    if options.finalist is None:
        chosen = choose(options.results, options.trial, options.root)
    else:
        chosen = choose_finalist(options.results, options.finalist, options.root)
    checkpoint = None
    if options.checkpoint is not None:
        checkpoint = chosen.rerun_checkpoint if options.checkpoint is _DEFAULT else Path(options.checkpoint)
    plan = rerun_plan(chosen, options.epochs, options.threads, options.device, checkpoint)
    tell = say if options.json else show
    tell(_beginning(plan))
    found = rerun(plan, lambda epoch: tell(_line(epoch)))
    if options.json:
        show(json.dumps(_values(found), indent=2))
    else:
        show("\n".join(_end(found)))
    return 0 if found.equal else FAILED


def _beginning(plan: RerunPlan) -> str:
    threads = f"{plan.threads} thread{'s' if plan.threads > 1 else ''}"
    trial, many = plan.chosen.trial, "s" if plan.epochs > 1 else ""
    place = plan.chosen.finalist
    what = f"Trial {trial.number}" if place is None else f"Finalist {place}, on all images"
    return (
        f"{what}, {plan.chosen.name} ({trial.status} on record): {plan.epochs} epoch{many} on "
        f"{plan.device} with {threads}\n"
        "epoch  val_error  on record  train_loss  on record"
    )


def _line(epoch: EpochComparison) -> str:
    now, recorded = epoch.now, epoch.recorded
    values = [
        f"{now.epoch:5}",
        _percent(now),
        _percent(recorded),
        f"{now.train_loss:10.6f}",
        f"{recorded.train_loss:9.6f}" if recorded else f"{'-':>9}",
    ]
    verdict = "not on record" if recorded is None else _verdict(epoch)
    return "  ".join([*values, verdict + ("" if epoch.trained else " (from the checkpoint)")])


def _percent(metrics: EpochMetrics | None) -> str:
    """The validation error; a network that was trained on all images has none."""
    error = None if metrics is None else metrics.val_error
    return f"{'-':>9}" if error is None else f"{error:9.2f}"


def _verdict(epoch: EpochComparison) -> str:
    return f"differs: {', '.join(epoch.differs)}" if epoch.differs else "equal"


def _end(found: Rerun) -> list[str]:
    from wrn_search.winner.rerun import reasons

    lines = []
    if found.diverged is not None:
        known = "as on record" if found.diverges_as_recorded else "which is not on record"
        lines.append(f"Diverged in {found.diverged}, {known}.")
    elif not found.diverges_as_recorded:
        lines.append("It did not diverge where the record says that it did.")
    if found.failure is not None:
        lines.append(f"Epoch {len(found.epochs) + 1} failed: {found.failure}")
    if found.equal:
        lines.append(f"Equal: {plural(found.compared, 'epoch')} on record came out again, bit for bit.")
    elif found.compared == 0:
        lines.append("There is no epoch on record to compare with.")
    else:
        different = [epoch.now.epoch for epoch in found.epochs if epoch.differs]
        first = f", the first is epoch {different[0]}" if different else ""
        lines.append(
            f"Not equal: {len(different)} of {plural(found.compared, 'epoch')} on record differ{first}."
        )
        known_reasons = reasons(found.plan)
        lines.append(
            "Why that can be:" if known_reasons else "Nothing is known to be otherwise than on record."
        )
        lines += [f"  {reason}" for reason in known_reasons]
    if found.plan.checkpoint is not None and found.epochs:
        lines.append(f"Weights after epoch {found.epochs[-1].now.epoch}: {found.plan.checkpoint}")
    return lines


def _values(found: Rerun) -> dict[str, Any]:
    from wrn_search.winner.rerun import reasons

    plan = found.plan
    return {
        "trial": plan.chosen.trial.number,
        "trial_id": plan.chosen.trial.trial_id,
        "finalist": plan.chosen.finalist,
        "name": plan.chosen.name,
        "device": plan.device,
        "threads": plan.threads,
        "equal": found.equal,
        "compared": found.compared,
        "diverged": str(found.diverged) if found.diverged else None,
        "failure": found.failure,
        "reasons": [] if found.equal else reasons(plan),
        "checkpoint": str(plan.checkpoint) if plan.checkpoint else None,
        "epochs": [
            {
                "epoch": epoch.now.epoch,
                "equal": None if epoch.recorded is None else not epoch.differs,
                "differs": list(epoch.differs),
                "now": vars(epoch.now),
                "recorded": vars(epoch.recorded) if epoch.recorded else None,
            }
            for epoch in found.epochs
        ],
    }
