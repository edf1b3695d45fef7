"""`data ROOT`: says what it sees in a folder of images or other files of images, and writes a ready space file for it.

Every image is decoded as a training would: counts, sizes, classes and their balance, images that a search would
refuse (each named), files that are passed over, images that are there twice, within and between the splits. Test
images are looked at for that alone; nothing of them is kept.
Exit status: 0 done, also where images are refused; 2 bad input.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from wrn_search.cli.exit_status import a_path, refuse_empty, say, show
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.errors import InputError, Problem, printable
from wrn_search.shell_commands import ours
from wrn_search.space.data_folders import place_of
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.space_file import name_of, space_from_mapping

EXAMPLE = "python -m wrn_search data pictures/flowers --output flowers.yaml"
_SECONDS_BETWEEN_TIDINGS = 10
_OURS = ("dataset.name", "dataset.root")  # which ROOT and --as say


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `data`."""
    parser.add_argument(
        "root",
        metavar="ROOT",
        type=a_path,
        help="the folder that holds train/<class>/ with images, train*.parquet, or a data set as torchvision or "
        "save_to_disk left it",
    )
    parser.add_argument(
        "--output", metavar="FILE.yaml", type=a_path, help="write a space file for the images"
    )
    parser.add_argument(
        "--as",
        choices=[name for name, each in DATASETS.items() if each.user_files and not each.streamed],
        dest="kind",
        help="where several layouts are there: which is meant",
    )
    parser.add_argument(
        "--set",
        metavar="dataset.KEY=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="a key of the space file, such as dataset.label_column=fine_label",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """The command."""
    from wrn_search.survey.findings import findings
    from wrn_search.survey.findings_in_words import lines_of
    from wrn_search.survey.listing import listing
    from wrn_search.survey.look import look_at
    from wrn_search.survey.ready_space import notes_of, ready_document

    _check(options)
    try:
        given, settings = _settings(options)
        _check_groups(settings)
        there = listing(given["name"], place_of(settings))
        progress = _Progress(sum(len(split.classes) for split in there.splits))
        looks = {}
        for split in there.splits:
            looks[split.name] = look_at(split, settings.background, progress.told)
            progress.before += len(split.classes)
    except InputError as error:
        raise InputError(map(_of_root, error.problems)) from None
    except OSError as error:
        raise InputError.of("ROOT", f"must be a folder that can be read, but got: {error}") from None
    found = {"root": given["root"], **findings(there, looks)}
    if not looks["train"].names:
        found["space"], document = None, None
    else:
        document = found["space"] = ready_document(_name(options), given, found)
    if options.output and document is not None:
        _write(options, document, found)
    if options.json:
        show(json.dumps(found | {"output": options.output if document else None}, indent=2))
        return 0
    notes = notes_of(found, document) if document else []
    lines = [
        f"{given['name']:<10}  {given['root']}",
        *map(printable, lines_of(found)),
        *(f"note        {note}" for note in notes),
    ]
    show("\n".join([*lines, *_next(options, document)]))
    return 0


class _Progress:
    """A line on stderr now and then, where there is much to look at."""

    def __init__(self, images: int):
        self.before = 0  # in earlier splits
        self._images, self._next = images, time.monotonic() + _SECONDS_BETWEEN_TIDINGS

    def told(self, done: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _SECONDS_BETWEEN_TIDINGS
            say(f"looked at {self.before + done:,} of {self._images:,} images")


def _check(options: argparse.Namespace) -> None:
    """What can be wrong before an image is opened."""
    refuse_empty(options, "output")
    problems = []
    if not options.root:
        problems.append(Problem("ROOT", "must not be empty, but got ''"))
    for override in options.overrides:
        key = override.partition("=")[0]
        if not key.startswith("dataset.") or key in _OURS:
            rule = "must set a key of dataset other than name and root, which --as and ROOT say"
            problems.append(Problem("--set", f"{rule}, but got '{override}'"))
    if options.output:
        output = Path(options.output)
        if output.suffix not in (".yaml", ".yml"):
            problems.append(Problem("--output", f"must end in .yaml, but got '{options.output}'"))
        elif output.exists():
            problems.append(Problem("--output", f"must not be there yet, but got '{options.output}'"))
        elif not output.parent.is_dir():
            problems.append(
                Problem("--output", f"must lie in a folder that is there, but got '{options.output}'")
            )
    if problems:
        raise InputError(problems)


def _settings(options: argparse.Namespace) -> tuple[dict[str, Any], DatasetSettings]:
    """The keys of the section `dataset` that are given, and the whole section."""
    from wrn_search.survey.listing import kind_of

    root = Path(options.root).absolute()
    kind = kind_of(root) if options.kind is None else options.kind
    given = {"name": kind, "root": str(root)}
    settings = space_from_mapping({"dataset": given}, options.overrides).dataset
    keys = [override.partition("=")[0].partition(".")[2] for override in options.overrides]
    return given | {key: getattr(settings, key) for key in keys}, settings


def _check_groups(settings: DatasetSettings) -> None:
    """What `group_by` names is found, as a space file that says so needs it.

    Raises:
        InputError: it is not.
    """
    if settings.group_by is None:
        return
    try:
        DATASETS[settings.name].presence(place_of(settings))
    except InputError as error:  # other problems are findings of the look
        if problems := [problem for problem in error.problems if problem.key == "dataset.group_by"]:
            raise InputError(problems) from None


def _name(options: argparse.Namespace) -> str:
    return name_of(Path(options.output or f"{Path(options.root).resolve().name}.yaml"))


def _write(options: argparse.Namespace, document: dict[str, Any], found: dict[str, Any]) -> None:
    from wrn_search.survey.ready_space import ready_text

    command = ours("data", Path(options.root), *_repeated(options), "--output", Path(options.output))
    try:
        with Path(options.output).open("x", encoding="utf-8") as file:
            file.write(ready_text(document, command, found))
    except OSError as error:
        raise InputError.of("--output", f"must be a file that can be written, but got: {error}") from None


def _repeated(options: argparse.Namespace) -> list[str]:
    """The options that say what the images are."""
    kind = ["--as", options.kind] if options.kind else []
    return kind + [word for override in options.overrides for word in ("--set", override)]


def _next(options: argparse.Namespace, document: dict[str, Any] | None) -> list[str]:
    if document is None:
        return ["next        no training image can be read: there is nothing to search with yet"]
    if options.output:
        written = Path(options.output)
        plan = ours("run", written, "--dry-run")
        return [f"written     {options.output}", f"next        {plan}", f"            {ours('run', written)}"]
    command = ours(
        "data", Path(options.root), *_repeated(options), "--output", Path(f"{document['name']}.yaml")
    )
    return [f"next        a space file for these images: {command}"]


def _of_root(problem: Problem) -> Problem:
    """What a space file calls dataset.root is an argument here."""
    if problem.key != "dataset.root":
        return problem
    text = problem.text.replace("set dataset.root to", "name").replace("set dataset.", "say --set dataset.")
    return Problem("ROOT", text)
