"""A trial trained again outside Ray, and each epoch held against the record."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.errors import InputError
from wrn_search.images.prepared_data import PreparedData
from wrn_search.memory.keeping_freed_memory import keep_freed_memory
from wrn_search.results.manifest import git_state, hardware, versions
from wrn_search.space.data_folders import cache_root
from wrn_search.training.checkpoints.checkpoint_file import CheckpointError
from wrn_search.training.divergence import Diverged
from wrn_search.training.training_loop import Training
from wrn_search.winner.trial_to_export import ChosenTrial

# What an epoch measured of the network; seconds and memory are of the machine.
COMPARED = ("learning_rate", "train_loss", "train_error", "val_loss", "val_error", "ema_val_error")
_VERSIONS = ("torch", "numpy", "python", "wrn-search")


@dataclass(frozen=True)
class RerunPlan:
    """How to train a trial again."""

    chosen: ChosenTrial
    epochs: int
    threads: int
    device: str  # cpu | cuda
    checkpoint: Path | None  # where to keep the weights, and to go on from


@dataclass(frozen=True)
class EpochComparison:
    """One epoch, now and on record."""

    now: EpochMetrics
    recorded: EpochMetrics | None  # None: the trial never got there
    trained: bool = True  # in this run, not read from the checkpoint of an earlier one

    @property
    def differs(self) -> tuple[str, ...]:
        """The metrics that differ in as much as a bit."""
        if self.recorded is None:
            return ()
        return tuple(name for name in COMPARED if getattr(self.now, name) != getattr(self.recorded, name))


@dataclass(frozen=True)
class Rerun:
    """What a rerun found."""

    plan: RerunPlan
    epochs: tuple[EpochComparison, ...]
    diverged: Diverged | None = None
    failure: str | None = None  # an exception of the training, which ended it

    @property
    def diverges_as_recorded(self) -> bool:
        """Whether it diverged where the record says so, or neither did as far as this went."""
        trial = self.plan.chosen.trial
        recorded = trial.epochs_done + 1 if trial.status == "diverged" else None
        reached = recorded is not None and self.plan.epochs >= recorded
        return (self.diverged.epoch if self.diverged else None) == (recorded if reached else None)

    @property
    def compared(self) -> int:
        """Epochs that are on record."""
        return sum(epoch.recorded is not None for epoch in self.epochs)

    @property
    def equal(self) -> bool:
        """Whether the record came out again: all its epochs as far as this went, and its divergence."""
        same = all(not epoch.differs for epoch in self.epochs) and self.diverges_as_recorded
        return same and self.failure is None and (self.compared > 0 or self.diverged is not None)


def rerun_plan(
    chosen: ChosenTrial,
    epochs: int | None = None,
    threads: int | None = None,
    device: str | None = None,
    checkpoint: Path | None = None,
) -> RerunPlan:
    """The plan, with what the record says for what is not given.

    `epochs`: as many as are on record, and one more where the trial diverged or failed; all of the schedule
    if none is.

    Raises:
        InputError: more epochs than the schedule has, or a device that is not there.
    """
    import torch

    trial, planned = chosen.trial, chosen.config.epochs
    if epochs is not None and not 1 <= epochs <= planned:
        rule = f"must be 1 to {planned}, the epochs of the trial's schedule"
        raise InputError.of("--epochs", f"{rule}, but got {epochs}")
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError.of("--device", "cuda needs a GPU that torch can use, but there is none")
    on_gpu = (trial.device or "").startswith("cuda") and torch.cuda.is_available()
    further = trial.epochs_done + (trial.status in ("diverged", "failed"))
    recorded_threads = trial.threads or chosen.manifest.get("threads") or torch.get_num_threads()
    return RerunPlan(
        chosen=chosen,
        epochs=epochs or (min(further, planned) if trial.epochs_done else planned),
        threads=threads or int(recorded_threads),
        device=device or ("cuda" if on_gpu else "cpu"),
        checkpoint=checkpoint,
    )


def rerun(plan: RerunPlan, told: Callable[[EpochComparison], object] = lambda epoch: None) -> Rerun:
    """Trains the trial again; `told` hears of each epoch as it ends.

    Raises:
        InputError: the images are not those of the search, or the checkpoint is of another training.
    """
    os.environ.setdefault(
        "TORCHINDUCTOR_CACHE_DIR", str(cache_root() / "compiled")
    )  # as a search's trials do
    keep_freed_memory()
    training = _training(plan, plan.chosen.data())
    try:
        return _trained(training, plan, told)
    finally:
        training.close()  # several may follow each other in one process


def _trained(training: Training, plan: RerunPlan, told: Callable[[EpochComparison], object]) -> Rerun:
    recorded = {metrics.epoch: metrics for _, metrics in plan.chosen.trial.reports}
    epochs = [EpochComparison(now, recorded.get(now.epoch), False) for now in training.history[: plan.epochs]]
    for epoch in epochs:
        told(epoch)
    diverged, failure = None, None
    while training.epoch < plan.epochs:
        try:
            now = training.run_epoch()
        except Diverged as divergence:
            diverged = divergence
            break
        except (RuntimeError, MemoryError) as error:  # such as too little memory; a failed trial fails again
            failure = f"{type(error).__name__}: {error}"
            break
        _keep(training, plan)
        epochs.append(EpochComparison(now, recorded.get(now.epoch)))
        told(epochs[-1])
    return Rerun(plan, tuple(epochs), diverged, failure)


def reasons(plan: RerunPlan) -> list[str]:
    """Why a rerun can differ: what is known to be otherwise than when the trial was trained."""
    trial, manifest = plan.chosen.trial, plan.chosen.manifest
    found = _other_versions(manifest.get("versions") or {})
    if trial.threads not in (None, plan.threads):
        found.append(f"{plan.threads} threads instead of {trial.threads}: sums are split in another way")
    device = (trial.device or plan.device).partition(":")[0]
    if device != plan.device:
        found.append(f"trained on {plan.device} instead of {device}")
    if (trial.gpu_fraction or 0) > 1:
        found.append(
            f"trained on one device instead of {trial.gpu_fraction:g} GPUs: batch norms see whole batches"
        )
    if plan.device == "cuda":
        found.append("on a GPU, cuDNN may choose other kernels, and some add up in no fixed order")
    known, now = manifest.get("hardware") or {}, hardware(0)
    if trial.node not in (None, now["hostname"]) or known.get("cpu") not in (None, now["cpu"]):
        found.append(f"on {now['cpu']} ({now['hostname']}) instead of {known.get('cpu')} ({trial.node})")
    if (precision := plan.chosen.config.precision) != "fp32":
        found.append(
            f"in {precision}, whose kernels and their roundings depend on the processor and on torch's build"
        )
    if plan.chosen.config.compile == "on":
        found.append("compiled: torch.compile may fuse and order operations otherwise")
    git, git_now = manifest.get("git") or {}, git_state() or {}
    if git.get("commit") != git_now.get("commit") or git.get("dirty") or git_now.get("dirty"):
        found.append(
            "the program is not known to be the same: another git commit, or changes that are in none"
        )
    return found


def _other_versions(recorded: dict[str, str]) -> list[str]:
    now = versions()
    return [
        f"{name} {now[name]} instead of {recorded[name]}"
        for name in _VERSIONS
        if recorded.get(name) not in (None, now[name])
    ]


def _training(plan: RerunPlan, data: PreparedData) -> Training:
    """A new training, or that of the plan's checkpoint."""
    training = Training(plan.chosen.config, data, device=plan.device, threads=plan.threads)
    if plan.checkpoint is None:
        return training
    try:
        if plan.checkpoint.exists():
            training.restore(plan.checkpoint)
        plan.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    except (CheckpointError, OSError) as error:
        raise InputError.of(
            "--checkpoint", f"{error}; name another file, or remove it to begin anew"
        ) from None
    return training


def _keep(training: Training, plan: RerunPlan) -> None:
    if plan.checkpoint is None:
        return
    try:
        training.save(plan.checkpoint)
    except OSError as error:
        got = f"{error.strerror or error} ({plan.checkpoint})"
        raise InputError.of("--checkpoint", f"must be a file that can be written, but got: {got}") from None
