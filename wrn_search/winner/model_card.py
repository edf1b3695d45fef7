"""The model card: what an exported network is, how good it was measured to be, and what nobody has measured."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from wrn_search import __version__
from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.errors import printable
from wrn_search.images.prepared_data import PreparedData
from wrn_search.results.manifest import versions
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_selection import Standing, standings
from wrn_search.results.trial_state import FINAL
from wrn_search.shell_commands import ours
from wrn_search.space.rules.starting_file import RANDOM, pinned, told_file
from wrn_search.space.trial_config import LEAVES
from wrn_search.winner.data_of_a_card import data_rows
from wrn_search.winner.file_formats.file_description import About
from wrn_search.winner.known_test_errors import TestErrors
from wrn_search.winner.parity_check import Parity
from wrn_search.winner.trial_to_export import ChosenTrial

_VERSIONS = ("wrn-search", "python", "torch", "torchvision", "numpy")

_LOADING = {
    "torch": """\
```python
import wrn_search
model = wrn_search.load_model("{file}")    # torch.load(..., weights_only=True): nothing in the file is executed
probabilities = model(images)    # uint8 (batch, {shape}) -> (batch, {classes})
```

Without this package: `torch.load("{file}", weights_only=True)` is a dictionary of plain values, with the weights by
name under `weights`.
""",
    "pt2": """\
```python
import torch
program = torch.export.load("{file}").module()    # torch alone; only for files that you trust
scores, probabilities = program(images)           # uint8 (batch, {shape}) -> two (batch, {classes})
```
""",
    "backbone": """\
```python
import wrn_search
from torchvision.models.detection import FasterRCNN
backbone = wrn_search.load_backbone("{file}")    # the body with a feature pyramid; nothing in the file is executed
detector = FasterRCNN(backbone, num_classes=91, image_mean=backbone.image_mean, image_std=backbone.image_std)
```

The file also is one of format `torch`: `wrn_search.load_model("{file}")(images)` takes uint8 (batch, {shape}) and gives
(batch, {classes}).
""",
    "onnx": """\
```python
import onnxruntime
session = onnxruntime.InferenceSession("{file}", providers=["CPUExecutionProvider"])
scores, probabilities = session.run(["scores", "probabilities"], {{"images": images}})    # uint8 (batch, {shape})
```
""",
}


_KINDS = {
    "wrn": "A Wide Residual Network (arXiv 1605.07146)",
    "preact_resnet": "A pre-activation ResNet (arXiv 1603.05027)",
    "imagenet_resnet": "A ResNet for ImageNet, as wide as in arXiv 1605.07146,",
}


@dataclass(frozen=True)
class CardFacts:
    """What a card is written from."""

    chosen: ChosenTrial
    about: About
    data: PreparedData
    file: str  # name of the exported file
    format: str
    history: tuple[EpochMetrics, ...]  # of the exported weights
    parity: Parity


def card_text(facts: CardFacts, test: TestErrors) -> str:
    """The card in Markdown."""
    about, chosen = facts.about, facts.chosen
    title = f"# {about.architecture.name} of the search {_cell(chosen.state.search)}"
    parts = [
        title,
        f"{_purpose(facts)} Exported as `{facts.format}`: `{facts.file}`.",
        "## Measured",
        _table(_measured(facts, test)),
        "## What it is not",
        "\n".join(f"- {line}" for line in _limits(facts, test)),
        "## How to load it",
        _loading(facts),
        "## Checked",
        _checked(facts.parity),
        "## Data",
        _table(data_rows(facts.chosen.config.dataset, facts.data, facts.about)),
        "## Training",
        _table((leaf, _shown(_without_folder(leaf, chosen.trial.config[leaf]))) for leaf in LEAVES),
        "## Provenance",
        _table(_provenance(facts)),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _without_folder(leaf: str, value: Any) -> Any:
    """A file of starting weights by its name and digest: where it lay is nobody's business."""
    if leaf != "init_from" or value == RANDOM:
        return value
    path, digest = told_file(value)
    return pinned(PurePath(path).name, digest) if digest else PurePath(path).name


def binomial_error(error: float, images: int) -> float:
    """Standard error in percent of an error in percent that was counted over n images: sqrt(p (1 - p) / n)."""
    share = error / 100
    return 100 * math.sqrt(share * (1 - share) / images)


def _purpose(facts: CardFacts) -> str:
    height, width, channels = facts.about.image_shape
    kind = "greyscale" if channels == 1 else "RGB"
    which = f"Trial {facts.chosen.trial.number}, `{facts.about.name}`."
    if facts.chosen.finalist is not None:
        which = f"Finalist {facts.chosen.finalist} of a confirmation, retrained on all images, `{facts.about.name}`."
    return (
        f"{_KINDS[facts.about.family]} that puts {kind} images of {height}x{width} pixels into "
        f"{len(facts.about.class_names)} classes. {which}"
    )


def _measured(facts: CardFacts, test: TestErrors) -> list[tuple[str, str]]:
    config, images = facts.chosen.config, facts.data.validation_images
    rows = []
    last = facts.history[-1] if facts.history else None
    if last is not None and last.val_error is not None:
        spread = binomial_error(last.val_error, images)
        value = f"{last.val_error:.2f} % of n = {images:,} images, ± {spread:.2f} % (binomial standard error)"
        rows = [
            (f"validation error after epoch {last.epoch} of {config.epochs}", value),
            ("validation loss", f"{last.val_loss:.4f}"),
            ("training error, augmented images", f"{last.train_error:.2f} %"),
        ]
    rows.append(("error of always answering the most frequent class", f"{facts.data.chance_error:.2f} %"))
    rows.append(
        ("test error of these weights", "null: never read" if test.own is None else f"{test.own:.2f} %")
    )
    if test.twins:
        rows.append(("test error of networks retrained with these settings", test.twins_text))
    rows.append(("parameters", f"{facts.chosen.trial.num_params:,}"))
    rows.append(("multiply-adds of one image", f"{facts.chosen.trial.macs:,}"))
    return rows


def _limits(facts: CardFacts, test: TestErrors) -> list[str]:
    state, config = facts.chosen.state, facts.chosen.config
    lines = []
    if not _equals_record(facts):
        lines.append("Its curve differs from that on record: the numbers above are those of these weights.")
    if (done := len(facts.history)) < config.epochs:
        lines.append(
            f"It was trained for {done} of {config.epochs} epochs: not to be compared with finished trials."
        )
    if test.own is None and not test.twins:
        command = ours("confirm", facts.chosen.directory.path)
        lines.append(f"It was not measured on the test split: `{command}` does that.")
    if facts.chosen.finalist is not None:
        lines.append(
            "No image validated it: those that chose its settings in the search are among those it learnt."
        )
    ranked = standings(state) if facts.chosen.finalist is None else []
    if ranked and ranked[0].number == facts.chosen.trial.number:
        lines.append(_why_it_is_best(state, ranked))
    if open_trials := sum(trial.status not in FINAL for trial in state.trials.values()):
        lines.append(f"The search had not ended: {open_trials} trials were running or interrupted.")
    if config.precision != "fp32":
        lines.append(
            f"It was trained and validated in {config.precision}; the file computes in fp32: its error can differ "
            "slightly."
        )
    lines.append(
        "It answers with one of its classes whatever the image shows, and its probabilities are not calibrated."
    )
    return lines


def _why_it_is_best(state: SearchState, ranked: list[Standing]) -> str:
    best = ranked[0]
    lucky = "The lowest of many is lucky: a retrained network is usually a little worse."
    if len(best.errors) == 1:
        full = sum(trial.status == "completed" for trial in state.trials.values())
        return (
            f"The validation images chose it: its error is the lowest of {full} trials that were trained to the end "
            f"({len(state.trials)} in all). {lucky}"
        )
    return (
        f"The validation images chose its settings: their median error, {best.median:.2f} % over {len(best.errors)} "
        f"seeds ({best.errors[0]:.2f} to {best.errors[-1]:.2f}), is the lowest of {len(ranked)} configurations that "
        f"were trained to the end, and of these seeds it is the one nearest the median. {lucky}"
    )


def _equals_record(facts: CardFacts) -> bool:
    """Whether the weights' curve is the one on record, as far as both go."""
    recorded = {metrics.epoch: metrics.val_loss for _, metrics in facts.chosen.trial.reports}
    return all(recorded.get(m.epoch, m.val_loss) == m.val_loss for m in facts.history)


def _loading(facts: CardFacts) -> str:
    shape, classes = ", ".join(map(str, facts.about.image_shape)), len(facts.about.class_names)
    how = _LOADING[facts.format].format(file=facts.file, shape=shape, classes=classes)
    return (
        f"{how}\nFrom a shell: `{ours('predict', Path(facts.file), 'IMAGES')}`, where IMAGES is a folder or a file. "
        "Preprocessing is part of the model: give it raw pixels. Class names, in the order of the outputs, are under "
        "Data."
    )


def _checked(found: Parity) -> str:
    return (
        f"On {found.images:,} {found.split} images, against the live network in fp32: class scores differ by at most "
        f"{found.score_difference:.1e} (largest score {found.score_scale:.1f}, tolerance {found.tolerance:.1e}), "
        f"probabilities by at most {found.probability_difference:.1e}; {found.other_classes} images fall into another "
        f"class. Error on these images: {found.file_error:.2f} % by this file, {found.live_error:.2f} % live."
    )


def _provenance(facts: CardFacts) -> list[tuple[str, str]]:
    trial, manifest = facts.chosen.trial, facts.chosen.manifest
    trained, now = manifest.get("versions") or {}, versions() | {"wrn-search": __version__}
    hardware, git = manifest.get("hardware") or {}, manifest.get("git") or {}
    return [
        ("trial", f"{trial.trial_id}, status {trial.status}, seed {trial.config['seed']}"),
        ("search", f"{facts.chosen.state.search_id} ({manifest.get('created_at', 'time unknown')})"),
        (
            "trained on",
            f"{trial.device} of {trial.node}, {trial.threads} threads, {hardware.get('cpu', 'unknown CPU')}",
        ),
        ("versions at training", _versions(trained)),
        ("versions at export", _versions(now)),
        (
            "git commit at training",
            str(git.get("commit", "unknown")) + (" with changes" if git.get("dirty") else ""),
        ),
    ]


def _versions(known: dict[str, Any]) -> str:
    return ", ".join(f"{name} {known[name]}" for name in _VERSIONS if known.get(name)) or "unknown"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {_cell(name)} | {_cell(value)} |" for name, value in rows)])


def _cell(text: str) -> str:
    """Text of others in a table: no pipe, no tag, no control character."""
    return printable(text).replace("|", "\\|").replace("<", "&lt;")


def _shown(value: object) -> str:
    if value is None:  # of a key that does not apply to the family
        return "does not apply"
    return f"{value:g}" if isinstance(value, float) else str(value)
