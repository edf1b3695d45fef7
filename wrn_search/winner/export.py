"""One trial's network as a file that others can use, checked against the live network, with a card beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from wrn_search import __version__
from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.errors import InputError
from wrn_search.images.prepared_data import PreparedData, RawValidation, raw_validation
from wrn_search.results.atomic_files import atomic_write_text, replacing
from wrn_search.results.manifest import versions
from wrn_search.shell_commands import ours
from wrn_search.space.rules.starting_file import RANDOM, pinned, told_file
from wrn_search.training.checkpoints.checkpoint_file import CheckpointError
from wrn_search.training.training_loop import Training
from wrn_search.winner.classifier import Classifier
from wrn_search.winner.file_formats.backbone_file import check_is_a_body
from wrn_search.winner.file_formats.file_description import About, new_classifier
from wrn_search.winner.file_formats.format_table import format_named
from wrn_search.winner.known_test_errors import test_errors_of
from wrn_search.winner.model_card import CardFacts, card_text
from wrn_search.winner.parity_check import Parity, live_answers, parity
from wrn_search.winner.trial_to_export import ChosenTrial

CHECKED_IMAGES = 1000


class ExportFailed(RuntimeError):
    """The file does not answer as the network does; it was not kept."""


@dataclass(frozen=True)
class Exported:
    """What an export made."""

    file: Path
    card: Path
    checkpoint: Path
    history: tuple[EpochMetrics, ...]  # of the exported weights
    parity: Parity


@dataclass(frozen=True)
class ExportPlan:
    """How to write a network."""

    format: str  # a name of `FORMATS`, or backbone
    output: Path | None = None  # default `RESULTS/export/<short name><suffix>`
    checkpoint: Path | None = None  # instead of the one that the search or a rerun kept
    force: bool = False  # replace a file that is there
    images: int = (
        CHECKED_IMAGES  # to check with, at most: validation images, or those trained on where none validates
    )


def export(chosen: ChosenTrial, plan: ExportPlan) -> Exported:
    """Writes the trial's network and its card.

    Raises:
        InputError: no checkpoint, a file in the way, missing data or packages.
        ExportFailed: the file differs from the live network by more than the tolerance.
    """
    format_named(plan.format).check()
    if plan.format == "backbone":
        check_is_a_body(chosen.config.architecture, chosen.config.dataset.preprocessing)
    suffix = format_named(plan.format).suffix
    file = plan.output or chosen.file.with_name(f"{chosen.file.name}{suffix}")
    card = file.parent / f"{file.name}.md"
    _check_free(file, card, plan.force)
    source = plan.checkpoint or kept_checkpoint(chosen)
    data = chosen.data()
    training = restored(chosen, data, source)
    about = _about(chosen, data, training)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as temporary:
            found = _write_checked(temporary, about, training, data, plan)
        facts = CardFacts(chosen, about, data, file.name, plan.format, tuple(training.history), found)
        atomic_write_text(card, card_text(facts, test_errors_of(chosen)))
    except OSError as error:
        rule = "must be a file that can be written"
        raise InputError.of("--output", f"{rule}, but got: {error.strerror or error} ({file})") from None
    return Exported(file, card, source, tuple(training.history), found)


def _write_checked(
    path: Path, about: About, training: Training, data: PreparedData, plan: ExportPlan
) -> Parity:
    """Writes the file and reads it again, as others will; says how it answers.

    Raises:
        ExportFailed: otherwise than the live network.
    """
    raw = raw_validation(training.config.dataset, plan.images)
    path.write_bytes(format_named(plan.format).write(_classifier(about, training, raw), about))
    split = "validation" if data.validation_images else "training"
    images = min(plan.images, data.validation_images or data.train_images)
    live, labels = live_answers(training.network, data, images)
    # A .pt2 of our own making may be trusted: what is checked is the program that others will run.
    found = parity(format_named(plan.format).read(path, True).run, raw.images, live, labels, split)
    if not found.holds:
        raise ExportFailed(_mismatch(found, plan.format))
    return found


def kept_checkpoint(chosen: ChosenTrial) -> Path:
    """The trial's checkpoint: that of the search, else that of a rerun.

    Raises:
        InputError: neither kept one; names the command that makes one.
    """
    own = chosen.directory.checkpoints / f"{chosen.trial.trial_id}.pt"
    for path in (own, chosen.rerun_checkpoint):
        if path.is_file():
            return path
    if chosen.finalist is not None:
        rule = f"finalist {chosen.finalist} needs the checkpoint that `confirm` keeps of its first seed"
        raise InputError.of("--finalist", f"{rule}, but {own} is gone")
    number = chosen.trial.number
    rule = f"trial {number} needs a checkpoint, but the search keeps only those it can still need ({own} is gone)"
    how = ours("rerun", chosen.directory.path, "--trial", str(number), "--checkpoint")
    raise InputError.of("--trial", f"{rule}; train it again with: {how}")


def restored(chosen: ChosenTrial, data: PreparedData, path: Path) -> Training:
    """The training that wrote a checkpoint, on the CPU.

    Raises:
        InputError: it is damaged, or of another training.
    """
    training = Training(chosen.config, data, threads=torch.get_num_threads())
    try:
        training.restore(path)
    except CheckpointError as error:
        raise InputError.of("--checkpoint", str(error)) from None
    except OSError as error:
        raise InputError.of("--checkpoint", f"must be readable, but got: {error}") from None
    return training


def _check_free(file: Path, card: Path, force: bool) -> None:
    if file.is_dir():
        raise InputError.of("--output", f"must be a file, but {file} is a folder")
    there = [str(path) for path in (file, card) if path.exists()]
    if there and not force:
        text = f"an existing file is not overwritten, but {' and '.join(there)} exists; add --force or name another"
        raise InputError.of("--output", text)


def _classifier(about: About, training: Training, raw: RawValidation) -> Classifier:
    """The trained network with its preprocessing in front."""
    classifier = new_classifier(about)
    weights = {name: tensor.contiguous() for name, tensor in training.network.state_dict().items()}
    classifier.network.load_state_dict(weights)
    classifier.set_preprocessing(raw.preprocessing)
    return classifier.requires_grad_(False).eval()


def _about(chosen: ChosenTrial, data: PreparedData, training: Training) -> About:
    config = chosen.config
    last = training.history[-1] if training.history else None
    settings: dict[str, Any] = config.to_dict()
    settings["dataset"] = {key: value for key, value in settings["dataset"].items() if key != "root"}
    if config.init_from != RANDOM:  # what it is, not where it lies
        path, digest = told_file(config.init_from)
        settings["init_from"] = pinned(Path(path).name, digest or "")
    facts = {
        "search": chosen.state.search,
        "search_id": chosen.state.search_id,
        "trial_id": chosen.trial.trial_id,
        "epochs_done": training.epoch,
        "val_error": last.val_error if last else None,
        "validation_images": data.validation_images,
        "split_hash": data.split_hash,
        "num_params": chosen.trial.num_params,
        "macs": chosen.trial.macs,
        "config": settings,
        "versions": {"wrn-search": __version__, "torch": versions()["torch"]},
    }
    return About(
        name=chosen.name,
        depth=config.depth,
        widen_factor=config.widen_factor,
        block=config.block,
        class_names=data.class_names,
        image_shape=data.image_shape,
        preprocessing=config.dataset.preprocessing,
        background=config.dataset.background,
        family=config.family,
        image_fit=config.dataset.image_fit if config.dataset.image_size is not None else None,
        facts=facts,
    )


def _mismatch(found: Parity, format: str) -> str:
    return (
        f"the {format} file must answer as the live network does, to {found.tolerance:.1e} in class scores, "
        f"but differs by {found.score_difference:.1e} on {found.images} {found.split} images; it was not kept"
    )
