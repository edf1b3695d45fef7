"""The house: its rooms, who may import whom, and the way of a number. `test_floors.py` holds the source against it.

`docs/architecture.md` shows the same, drawn by `python -m tests.house`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = "wrn_search"
MOST_FILES = 16  # source files of a folder
MOST_LINES = 300  # of a source file


@dataclass(frozen=True)
class Room:
    """A folder with all below it, or a single file that has rules of its own."""

    floor: int
    what: str  # lives there
    imports: frozenset[str] = field(default_factory=frozenset)  # other rooms
    third_parties: frozenset[str] = field(default_factory=frozenset)


def _room(floor: int, what: str, imports: str = "", third_parties: str = "") -> Room:
    return Room(floor, what, frozenset(imports.split()), frozenset(third_parties.split()))


# A room is a folder, or a file where its folder's other files may do more. The longest name that fits counts.
ROOMS: dict[str, Room] = {
    "errors": _room(-1, "what a user did wrong, as values; the nearest valid name"),
    "plugins": _room(
        0, "data sets and searchers of a file that the user trusts, or of an installed package", "errors"
    ),
    "one_thread": _room(-1, "linear algebra by one thread, while a block lasts", "", "threadpoolctl"),
    "seeds": _room(0, "every seed, derived from `search.seed`"),
    "wording": _room(0, "numbers in words, the same wherever they are told"),
    "user_paths": _room(1, "`~` and `$VARIABLE` in a path that a user gives", "errors"),
    "testing": _room(
        4,
        "the contracts of searchers and data sets, as checks for the tests of a plugin's author",
        "datasets images searchers space.domains",
        "numpy",
    ),
    "shell_commands": _room(0, "commands that outputs print, quoted for a shell"),
    "import_path": _room(0, "where the commands import from"),
    "end_reason": _room(0, "why a session of a search ended: on record, in the exit status, in the report"),
    "steady_clock": _room(0, "Unix seconds that only go forward"),
    "lines_on_stderr": _room(1, "warnings and remarks beside the progress display", "errors"),
    "epoch_metrics": _room(0, "what one epoch measured: the one value that a training hands out"),
    "seconds_alone": _room(0, "which measured seconds are costs: of epochs that had their device alone"),
    "space.domains": _room(0, "sets of values of a hyperparameter", "", "typing_extensions"),
    "curves": _room(
        0,
        "the curve model: an answer from every epoch of every trial, also of those that were stopped",
        "one_thread",
        "numpy scipy",
    ),
    "curve_process": _room(
        0,
        "a Gaussian process over hyperparameters and epochs: where curves will end, for a search that decides by it",
        "one_thread",
        "numpy scipy",
    ),
    "objectives": _room(
        0, "what a search can minimise, and which outcome is better where that is more than one value"
    ),
    "networks": _room(
        0,
        "which network: family, depth, width, block; its size in closed form; its layers",
        "",
        "torch torchvision numpy",
    ),
    "file_system": _room(
        0, "locks, leases, turns and flushes: what file systems have, and what stands in where not"
    ),
    "datasets": _room(
        1,
        "each data set, a file and a line",
        "errors file_system plugins",
        "numpy PIL sklearn pyarrow scipy torchvision",
    ),
    "searchers": _room(
        1,
        "what to try next, a file and a line each",
        "seeds curve_process curves objectives plugins space.domains",
        "numpy optuna scipy cmaes",
    ),
    "schedulers": _room(1, "which trials go on, a file and a line each", "curve_process objectives", "numpy"),
    "space": _room(
        2,
        "what a person wrote: the space file, its keys, rules and messages",
        "errors wording user_paths space.domains objectives networks datasets searchers schedulers",
        "pydantic pydantic_core yaml typing_extensions",
    ),
    "paper": _room(3, "the tables of the paper, and what it claims of them", "networks"),
    "hardware": _room(3, "what a machine offers: cores, GPUs, their counters", "", "torch"),
    "memory": _room(
        3, "what a trial needs, by prediction, and what it took", "networks space space.domains", "torch"
    ),
    "results": _room(
        3,
        "the record and all that follows from it: state, tables, TensorBoard, checkpoints kept, copy in S3",
        "end_reason errors steady_clock seconds_alone file_system epoch_metrics networks objectives plugins space "
        "space.domains user_paths",
        "pyarrow tensorboard pandas numpy botocore",
    ),
    "images": _room(
        3,
        "images split, normalised, cached, batched, or decoded while a network trains; the test split's one door",
        "errors file_system datasets plugins space space.domains",
        "numpy torch torchvision",
    ),
    "survey": _room(
        4,
        "images of a user's own, looked at before a search: counts, sizes, classes, copies; a space file for them",
        "errors datasets space hardware images",
        "numpy yaml",
    ),
    "pretrained": _room(
        3,
        "weights of files that networks begin with: read safely, told apart, mapped onto our names, or refused",
        "errors networks datasets space space.domains",
        "torch numpy",
    ),
    "training.learning_rate": _room(3, "the learning rate of every epoch", "space"),
    "training": _room(
        4,
        "one network: loop, loss, divergence, optimiser, checkpoint",
        "file_system epoch_metrics networks space memory images pretrained training.learning_rate",
        "numpy torch",
    ),
    # scipy: quantiles of Student's t, Kendall's tau
    "analysis": _room(
        4,
        "what can be said and how surely: the numbers of each section of the report",
        "errors end_reason wording seconds_alone curves objectives networks datasets searchers schedulers space "
        "space.domains paper results",
        "numpy pandas optuna pyarrow scipy",
    ),
    "memory.probe": _room(
        5,
        "short trainings on a GPU that correct the prediction",
        "space memory hardware images training",
        "torch ray",
    ),
    "verdict_so_far": _room(
        4,
        "the verdict while a search runs, and whether its questions are answered",
        "curves networks results space space.domains",
        "numpy scipy",
    ),
    "trackers": _room(
        5,
        "trackers that labs use, kept abreast of the record by a process of their own: CSV, MLflow, Weights & Biases",
        "errors file_system lines_on_stderr shell_commands results",
        "pyarrow mlflow wandb",
    ),
    "progress": _room(
        5,
        "how a search stands, and what a terminal shows of it; its driver, found and asked to stop",
        "errors wording epoch_metrics file_system results verdict_so_far",
    ),
    "decisions": _room(
        5,
        "pure: what to train next, who goes on, who gets which place, when a search ends",
        "errors end_reason wording seeds epoch_metrics curve_process objectives networks searchers schedulers space "
        "memory hardware results training.learning_rate verdict_so_far",
    ),
    "report": _room(
        5,
        "the page: the figures of each section, and what is written beside it",
        "seconds_alone errors wording shell_commands objectives networks searchers space analysis results",
        "plotly matplotlib pandas optuna",
    ),
    "notebook": _room(
        6,
        "searches as objects in Python: tables, verdicts, cells, figures, and how they are shown",
        "errors wording verdict_so_far progress results analysis report",
        "pandas plotly",
    ),
    "live_page": _room(
        6,
        "the report as a live page: records followed, what a browser is told of them, the server",
        "errors wording shell_commands networks verdict_so_far progress results analysis report",
        "starlette uvicorn",
    ),
    "winner": _room(
        5,
        "the best network in a user's hands: export, card, predict, rerun",
        "errors end_reason user_paths epoch_metrics shell_commands networks datasets space memory results "
        "images training",
        "torch torchvision numpy PIL onnx onnxruntime",
    ),
    "speed": _room(
        5,
        "forward and backward of networks by name, timed beside the paper's figure 4",
        "wording networks memory paper training",
        "torch",
    ),
    "lr_range": _room(
        9,
        "one short run whose learning rate rises from step to step: which rates a search should look at",
        "errors wording networks searchers space space.domains hardware memory images training report session",
        "torch",
    ),
    "audit": _room(
        6,
        "stopped trials, trained to their ends after the fact: what the curve model's intervals are checked by",
        "errors end_reason lines_on_stderr seeds progress hardware results training winner",
    ),
    "ray_tune": _room(
        6,
        "trials as Ray Tune runs them, and a private Ray",
        "errors file_system epoch_metrics plugins objectives space memory memory.probe hardware results images "
        "training decisions",
        "ray torch",
    ),
    "forecast": _room(
        7,
        "what a search will cost and reach: its scheduler played on made-up curves, the pace of this machine",
        "errors wording epoch_metrics seconds_alone networks datasets searchers schedulers space space.domains "
        "hardware results images training decisions curves verdict_so_far memory",
        "torch pyarrow numpy",
    ),
    # scipy: Kendall's tau
    "replay": _room(
        7,
        "searches played against recorded curves under a simulated clock: the judge of every search method",
        "errors wording seeds epoch_metrics seconds_alone objectives networks datasets searchers schedulers space "
        "space.domains results decisions end_reason report",
        "numpy scipy pyarrow pydantic",
    ),
    "cluster": _room(
        7,
        "nodes that are there, join and leave",
        "errors file_system plugins space hardware memory.probe results images pretrained decisions ray_tune",
        "ray",
    ),
    "readings": _room(
        7,
        "the test split, read once a network, after it is on record that it will be",
        "errors space memory results images training decisions ray_tune",
    ),
    "session": _room(
        8,
        "one run from request to last table; resume, dry run, display",
        "errors end_reason lines_on_stderr wording user_paths progress notebook networks datasets space space.domains "
        "searchers memory hardware results images pretrained "
        "decisions ray_tune cluster forecast readings verdict_so_far trackers",
        "ray rich yaml torch IPython",
    ),
    "confirmation": _room(
        9,
        "finalists, retrained and tested once",
        "errors end_reason lines_on_stderr wording file_system seeds objectives searchers schedulers space results "
        "images analysis decisions readings session trackers pretrained",
    ),
    "cli": _room(
        10,
        "the commands: options in, text and exit status out",
        "errors end_reason user_paths wording shell_commands lines_on_stderr progress verdict_so_far networks "
        "datasets space memory images results analysis report "
        "winner audit decisions forecast replay live_page session confirmation hardware epoch_metrics paper speed "
        "survey trackers plugins lr_range pretrained cluster",
        "rich",
    ),
    "__main__": _room(11, "`python -m wrn_search COMMAND`", "errors import_path cli plugins"),
    "run_search": _room(11, "`python run_search.py SPACE`", "import_path cli"),
    "__init__": _room(
        11, "`run`, `Search`, `read` and `load_model`, on first use", "errors results notebook session winner"
    ),
}

# From a space file to the page: (from, to, what is handed over). Each step is an import in one direction or the other.
WAY: tuple[tuple[str, str, str], ...] = (
    ("cli", "session", "space file, options"),
    ("session", "space", "text"),
    ("space", "session", "Space"),
    ("session", "decisions", "Space, machines"),
    ("searchers", "decisions", "hyperparameters"),
    ("schedulers", "decisions", "stop or go on"),
    ("decisions", "ray_tune", "Assignment"),
    ("datasets", "images", "images, labels"),
    ("images", "training", "batches"),
    ("networks", "training", "network"),
    ("memory", "decisions", "bytes predicted"),
    ("ray_tune", "training", "TrialConfig"),
    ("training", "ray_tune", "EpochMetrics"),
    ("ray_tune", "decisions", "report"),
    ("decisions", "results", "event"),
    ("results", "analysis", "record, tables"),
    ("analysis", "report", "findings"),
    ("report", "cli", "page"),
    ("session", "confirmation", "finalists' runs"),
    ("results", "winner", "checkpoint"),
    ("winner", "cli", "model file"),
)


@cache
def source_files() -> tuple[Path, ...]:
    """Every source file of the program."""
    return (*sorted((ROOT / PACKAGE).rglob("*.py")), ROOT / "run_search.py")


def module_of(path: Path) -> str:
    """`space.rules.key_rule` for a file below the package, else its own name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[1:] if parts[0] == PACKAGE else parts)


def room_of(module: str) -> str | None:
    """The room that a module, or a folder, lies in: the longest name that fits."""
    parts = module.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((name for name in names if name in ROOMS), None)


@cache
def imports(path: Path) -> list[tuple[int, str]]:
    """(line, dotted module) of every import in a file, wherever it stands."""
    return list(_imports(path))


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative imports hide the room"
            module = node.module or ""
            folder = ROOT.joinpath(*module.split("."))
            if module.split(".")[0] == PACKAGE and folder.is_dir():  # `from package import module`
                yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, module


def diagram() -> str:
    """The way of a number as a mermaid flowchart, the rooms by their floors."""
    shown = {room for step in WAY for room in step[:2]}
    lines = ["flowchart TB"]
    for floor in sorted({ROOMS[room].floor for room in shown}, reverse=True):
        lines.append(f'  subgraph floor{floor}["floor {floor}"]')
        lines += [f"    {room}" for room in ROOMS if room in shown and ROOMS[room].floor == floor]
        lines.append("  end")
    lines += [f'  {start} -- "{what}" --> {end}' for start, end, what in WAY]
    return "\n".join(lines)


def floors() -> str:
    """The table of the rooms in Markdown: what lives there, and what each may import."""
    lines = ["| floor | room | what lives there | may import |", "|---|---|---|---|"]
    for name, room in ROOMS.items():
        ours = [each for each in ROOMS if each in room.imports]
        theirs = [f"*{each}*" for each in sorted(room.third_parties)]
        lines.append(f"| {room.floor} | `{name}` | {room.what} | {', '.join([*ours, *theirs])} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(f"```mermaid\n{diagram()}\n```\n\n{floors()}")
