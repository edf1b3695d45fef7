"""Every command of README.md, CONTRIBUTING.md and docs/ (in blocks of `sh`), and how it is tested."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
# What a command begins with, wherever it is spelt.
BEGINNING = re.compile(
    r"(?:\.venv/bin/)?(?:python -m (?:wrn_search|benchmarks|pytest)|python run_search\.py|wrn-search|sbatch|make"
    r"|ray (?:up|submit|down|job)) "
)


@dataclass(frozen=True)
class PrintedCommand:
    """A line of a page, without the remark behind it."""

    page: str
    line: str

    def __str__(self) -> str:
        return f"{self.page}: {self.line}"


@dataclass(frozen=True)
class Way:
    """How the commands of a page that begin like this are tested. Of the ways of a page the first that fits counts.

    how:
        run: as printed, on small results that were really trained
        journey: as printed and by bash, on the results of a real quickstart, by a slow test
        check: its options are taken and its space file is checked; `why` says why it is not run
        by: another test runs it; `why` names the file and the test
        target: the Makefile has it; `why` says who runs it
        no: not run; `why` says why not
    """

    page: str  # regular expression
    begins: str  # regular expression
    how: str
    why: str = ""
    further: str = ""  # options behind what is printed
    status: int = 0


_HOURS = "trains for minutes or hours, or on images that are not there; the journey runs a search"
_FEW_IMAGES = "--set training.batch_size=8"  # DIR holds some twenty of them
_CLOUD = "tests/cluster/test_ray_up.py::test_a_search_runs_on_both_machines"
_JOB = "tests/cluster/test_ray_up.py::test_a_job_runs_with_the_working_directory_that_it_brings"
_NODES = "tests/cluster/test_several_nodes.py::test_no_trial_is_lost_while_nodes_leave_and_join"
_WATCH = (
    "tests/live_page/test_server.py::test_the_command_prints_an_address_that_answers_and_ends_with_ctrl_c"
)
_AS_RECORDED = (
    "tests/replay/test_table_of_results.py::test_a_recorded_search_proposes_and_stops_again_as_it_did"
)
_MACHINES = "needs machines of one's own and their ssh; its options are Ray's own"
WAYS = (
    Way("CONTRIBUTING", r"make docs$", "by", "tests/test_site.py::test_it_is_built_strictly"),
    Way("README|CONTRIBUTING", r"make ", "target", "continuous integration, or who measures"),
    Way("index", r"make install && source", "target", "every other target"),
    Way("cluster", r"make install-cluster", "target", "make test-cluster"),
    Way("README", r"python -m wrn_search confirm ", "run", "retraining takes an hour", further="--dry-run"),
    Way("gpus", r"export WRN_SEARCH_SIMULATED_GPUS", "by", "tests/test_gpu_sharing_end_to_end.py"),
    Way(
        "gpus",
        r"export CUDA_MPS|nvidia-cuda-mps|echo quit",
        "no",
        "NVIDIA's own programs, on a machine with a GPU",
    ),
    Way("cluster", r"ray (?:up|submit|down) ", "by", _CLOUD),
    Way("cluster", r"ray exec cluster/local.yaml 'ray status'", "by", _CLOUD),
    Way("cluster", r"ray job submit ", "by", _JOB),
    Way("cluster", r"ray (?:dashboard|job stop|rsync-down|exec) ", "no", _MACHINES),
    Way("cluster", r"export RAY_AUTH_MODE", "by", "tests/cluster/test_cluster_token.py"),
    Way("cluster", r"sbatch ", "by", "tests/cluster/test_slurm_and_by_hand.py"),
    Way("cluster", r"bash cluster/install\.sh ", "by", _CLOUD),
    Way("cluster", r"RAY_memory_monitor_refresh_ms=0 ray start ", "by", _NODES),
    Way("cluster", r"python run_search\.py \S+ --address auto$", "by", _NODES),
    Way(
        "going-on", r"python run_search\.py .*--trials 100$", "journey", "76 more trials", further="--dry-run"
    ),
    Way("going-on", r"python run_search\.py \S*digits", "journey"),
    Way("index", r"python -m wrn_search confirm ", "journey", "8 trainings, not 12", further="--repeats 2"),
    Way("index", r"python ", "journey"),
    Way("your-data", r"python ", "by", "tests/test_your_data_end_to_end.py"),
    Way("transfer", r"python ", "by", "tests/test_transfer_end_to_end.py"),
    Way("learning-rate", r"python -m wrn_search lr-range ", "run", "half a minute", further="--steps 20"),
    Way("cluster", r"python -m wrn_search leave", "by", "tests/cluster/test_nodes_taken_away.py"),
    Way("audit", r"python -m wrn_search audit ", "journey", "5 trainings, not 10", further="--trials 5"),
    Way("confirm", r"python -m wrn_search confirm ", "run", "the journey confirms", further="--dry-run"),
    Way("networks", r"python -m wrn_search export ", "by", "tests/winner/file_formats/test_backbone_file.py"),
    Way("networks", r"python -m wrn_search speed --networks", "by", "tests/cli/test_printed_commands.py"),
    Way(
        "networks",
        r"python -m wrn_search speed$",
        "no",
        "ResNet-1001 needs 5 GB; with other networks it is run",
    ),
    Way(
        "paper",
        r"python run_search\.py ",
        "check",
        _HOURS,
        further="--set dataset.validation=4 --set dataset.train_images=10 --set training.batch_size=8",
    ),
    Way(
        "plugins", r"python run_search\.py own\.yaml|export WRN_SEARCH_PLUGINS", "by", "tests/test_plugins.py"
    ),
    Way("replay", r"python -m wrn_search replay \S+ --as-recorded$", "by", _AS_RECORDED),
    Way(
        "replay",
        r"python -m wrn_search replay ",
        "run",
        "minutes",
        further="--seeds 2 --epochs 12 --workers 1",
    ),
    Way(
        "results",
        r"tensorboard ",
        "by",
        "tests/cli/test_printed_commands.py::test_the_command_for_tensorboard",
    ),
    Way("terminal", r"python -m wrn_search stop ", "run", "no driver runs there", status=2),
    Way("trackers", r"python -m wrn_search track ", "run", "nothing runs there", further="--once"),
    Way("watch", r"python -m wrn_search watch ", "by", _WATCH),
    Way("watch", r"python -m benchmarks\.live_page", "no", "a benchmark of minutes: make bench"),
    Way(
        "paper", r"python -m benchmarks\.figure4", "no", "a benchmark of minutes, and of 5 GB; `speed` is run"
    ),
    # --dry-run, too, looks for the images.
    Way(
        "gpus",
        r"python run_search\.py .* --set dataset\.root=DIR",
        "check",
        _HOURS,
        further=_FEW_IMAGES,
    ),
    Way(".*", r"python run_search\.py ", "check", _HOURS),
    Way(".*", r"python -m wrn_search ", "run"),
)


def commands() -> list[PrintedCommand]:
    """All, page by page."""
    found = []
    for page in PAGES:
        for language, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
            if language == "sh":
                lines = re.sub(r"\\\n\s*", " ", text).splitlines()
                bare = (re.sub(r"\s+#\s.*$", "", line).strip() for line in lines)
                found += [PrintedCommand(page.stem, line) for line in bare if line]
    return found


def commands_elsewhere(page: Path) -> list[str]:
    """Lines of a page that are commands, but not in a block of `sh`: indented, or in a block of another language."""
    text = page.read_text(encoding="utf-8")
    others = [
        line for language, block in _BLOCK.findall(text) if language != "sh" for line in block.splitlines()
    ]
    outside = [line[4:] for line in _BLOCK.sub("", text).splitlines() if line.startswith("    ")]
    # `[--option]` and SOURCE... are usage, no command.
    return [line for line in others + outside if BEGINNING.match(line) and not re.search(r"\[|\.\.\.", line)]


def commands_in_sentences(page: Path) -> list[str]:
    """`python -m wrn_search ...` and `python -m benchmarks...` within the prose of a page."""
    prose = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    return re.findall(r"`(python -m (?:wrn_search [a-z]|benchmarks\.\w)[^`]*)`", prose)


def way_of(command: PrintedCommand) -> Way | None:
    """The first that fits."""
    fitting = (
        way for way in WAYS if re.fullmatch(way.page, command.page) and re.match(way.begins, command.line)
    )
    return next(fitting, None)


def commands_by(how: str) -> list[PrintedCommand]:
    """Those that are tested in one of the ways."""
    return [each for each in commands() if (way := way_of(each)) is not None and way.how == how]
