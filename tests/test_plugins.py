"""Own parts without a fork: the examples of `docs/extending.md`, as a file of the user's and as a package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from tests.test_extending import STEP
from wrn_search.cluster.cluster_address import _our_code
from wrn_search.plugins import VARIABLE, environment_of_nodes

ROOT = Path(__file__).parent.parent
PARTS = {
    step["new"]: step["text"]
    for step in STEP.finditer((ROOT / "docs" / "extending.md").read_text(encoding="utf-8"))
    if step["new"]
}
STRIPES = PARTS["wrn_search/datasets/stripes.py"] + '\n\nDATASETS = {"stripes": STRIPES}\n'
HALTON = PARTS["wrn_search/searchers/halton.py"] + '\n\nSEARCHERS = {"halton": HALTON}\n'
SPACE = {
    "name": "own",
    "dataset": {"name": "stripes"},
    "model": {"depth": 10, "widen_factor": {"choice": [0.25, 0.5]}, "dropout": {"uniform": [0.0, 0.2]}},
    "training": {"epochs": 1, "batch_size": 100},
    "search": {"searcher": "halton", "scheduler": "none", "trials": 2},
    "resources": {"concurrent": 1, "cpus_per_trial": 1},
}


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command in a folder of the user's, with this package and images of its own."""
    path = os.pathsep.join([str(ROOT), *([environment.pop("PATH_TOO")] if "PATH_TOO" in environment else [])])
    given = os.environ | {"PYTHONPATH": path, "WRN_SEARCH_DATA": str(folder / "data"), **environment}
    command = (
        [sys.executable, *arguments]
        if arguments[0] != "check"
        else [sys.executable, "-m", "wrn_search", *arguments]
    )
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, timeout=900)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "stripes.py").write_text(STRIPES)
    (tmp_path / "halton.py").write_text(HALTON)
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(SPACE))
    return tmp_path


def test_a_file_is_named_on_the_command_line_or_by_the_variable_and_never_in_a_space_file(
    folder: Path,
) -> None:
    both = ("--plugin", "stripes.py", "--plugin=halton.py")
    done = run(folder, "check", "own.yaml", *both)
    assert done.returncode == 0, done.stderr
    assert "stripes" in done.stdout
    by_variable = run(
        folder, "check", "own.yaml", **{VARIABLE: f"{folder}/stripes.py{os.pathsep}{folder}/halton.py"}
    )
    assert (by_variable.returncode, by_variable.stdout) == (0, done.stdout)
    alone = run(folder, "check", "own.yaml")
    assert alone.returncode == 2
    assert "dataset.name: must be one of digits, " in alone.stderr
    assert "but got 'stripes'" in alone.stderr
    assert "search.searcher: must be one of" in alone.stderr
    assert "--plugin FILE" in alone.stderr


def test_an_installed_package_has_entry_points(folder: Path) -> None:
    """As `pip install` writes them."""
    site = folder / "site"
    about = site / "stripes_and_halton-1.2.dist-info"
    about.mkdir(parents=True)
    (folder / "stripes.py").rename(site / "my_stripes.py")
    (folder / "halton.py").rename(site / "my_halton.py")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: stripes-and-halton\nVersion: 1.2\n")
    (about / "entry_points.txt").write_text(
        "[wrn_search.datasets]\nstripes = my_stripes:STRIPES\n\n[wrn_search.searchers]\nhalton = my_halton:HALTON\n"
    )
    done = run(folder, "check", "own.yaml", PATH_TOO=str(site))
    assert done.returncode == 0, done.stderr
    (site / "my_halton.py").write_text("import this_is_not_there\n")
    (site / "my_stripes.py").write_text("STRIPES = 7\n")
    done = run(folder, "check", "own.yaml", PATH_TOO=str(site))
    assert done.returncode == 2
    of = "of stripes-and-halton 1.2"
    assert done.stderr.splitlines() == [
        f"entry point stripes = my_stripes:STRIPES {of}: DATASETS['stripes']: must be a Dataset, but got int"
    ]
    (site / "my_stripes.py").write_text(STRIPES)
    done = run(folder, "check", "own.yaml", PATH_TOO=str(site))
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"entry point halton = my_halton:HALTON {of}: wrn_search.searchers: must import, but got "
        "ModuleNotFoundError: No module named 'this_is_not_there'"
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "x = 1\ny = nothing\n",
            "{file}:2: --plugin: must import, but got NameError: name 'nothing' is not defined",
        ),
        ("x = (\n", "{file}:1: --plugin: must import, but got SyntaxError: '(' was never closed"),
        ("raise SystemExit(0)\n", "{file}:1: --plugin: must import, but got SystemExit: 0"),
        ("x = 1\n", "{file}: --plugin: must have a table DATASETS = "),
        ("DATASETS = [1]\n", "{file}: DATASETS: must be a table {{NAME: ...}}, but got list"),
        ("DATASETS = {'Cifar 10': 1}\n", "{file}: DATASETS['Cifar 10']: must have a name of small letters"),
        ("DATASETS = {'own': 1}\n", "{file}: DATASETS['own']: must be a Dataset, but got int"),
        ("SEARCHERS = {'own': 1}\n", "{file}: SEARCHERS['own']: must be a SearcherKind, but got int"),
        (
            STRIPES.replace('"stripes":', '"cifar10":'),
            "{file}: DATASETS['cifar10']: must have a name of its own, but there is one of that name",
        ),
        (
            "from wrn_search.searchers.searcher_table import SEARCHERS\n",
            "{file}: --plugin: must not import the tables that it is a line of",
        ),
    ],
)
def test_one_that_cannot_be_taken_in_is_located(text: str, line: str, folder: Path) -> None:
    file = folder / "bad.py"
    file.write_text(text)
    done = run(folder, "check", "own.yaml", "--plugin", "bad.py")
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(line.format(file=file)), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "got"), [("no.py", "none"), ("a.py", "a folder"), ("own.yaml", "another file")]
)
def test_a_file_that_is_not_there(name: str, got: str, folder: Path) -> None:
    (folder / "a.py").mkdir()
    done = run(folder, "check", "own.yaml", "--plugin", name)
    assert done.returncode == 2
    assert (
        done.stderr
        == f"{folder}/{name}: --plugin: must be a Python file (.py) that is there, but got {got}\n"
    )


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file that not even root can read")
def test_a_file_that_cannot_be_read_is_located(folder: Path) -> None:
    (folder / "unreadable.py").symlink_to("/proc/self/mem")
    done = run(folder, "check", "own.yaml", "--plugin", "unreadable.py")
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(f"{folder}/unreadable.py: --plugin: must import, but got OSError: "), (
        done.stderr
    )
    assert len(done.stderr.splitlines()) == 1


def test_files_travel_to_the_nodes_with_the_job(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Ray brings to a node, unpacked there: a process finds both, under the names and digests of the driver."""
    program = (
        "import json; from wrn_search.datasets.dataset_table import DATASETS\n"
        "from wrn_search.searchers.searcher_table import SEARCHERS\n"
        "from wrn_search.cluster.node_facts import code_digest\n"
        "print(json.dumps(['stripes' in DATASETS, 'halton' in SEARCHERS, code_digest()]))"
    )
    given = os.pathsep.join(str(folder / name) for name in ("stripes.py", "halton.py"))
    driver = json.loads(run(folder, "-c", program, **{VARIABLE: given}).stdout)
    without = json.loads(run(folder, "-c", program).stdout)
    monkeypatch.setenv(VARIABLE, given)
    scratch = folder / "scratch"
    scratch.mkdir()
    code = _our_code(scratch)
    (module,) = [path for path in code["py_modules"] if path.startswith(str(scratch))]
    for name in ("stripes.py", "halton.py"):
        (folder / name).unlink()  # they are on the driver's machine alone
    there = run(folder, "-c", program, PATH_TOO=str(Path(module).parent), **code["env_vars"])
    assert json.loads(there.stdout) == driver, there.stderr
    assert driver[:2] == [True, True]
    assert without[:2] == [False, False]
    assert without[2] != driver[2], "a node without them is told"
    monkeypatch.delenv(VARIABLE)
    assert environment_of_nodes() == {}


@pytest.mark.slow
def test_a_search_a_report_and_a_resume_with_own_parts(folder: Path) -> None:
    both = ("--plugin", "stripes.py", "--plugin", "halton.py")
    done = run(folder, str(ROOT / "run_search.py"), "own.yaml", "--quiet", *both)
    assert done.returncode == 0, done.stderr
    trials = pq.read_table(folder / "results" / "own" / "trials.parquet").to_pylist()
    assert [(trial["dataset"], trial["status"]) for trial in trials] == [("stripes", "completed")] * 2
    versions = json.loads((folder / "results" / "own" / "manifest.json").read_text())["versions"]
    assert {"plugin stripes.py", "plugin halton.py"} <= versions.keys()
    done = run(
        folder, str(ROOT / "run_search.py"), "results/own", "--resume", "--trials", "3", "--quiet", *both
    )
    assert done.returncode == 0, done.stderr
    done = run(folder, "-m", "wrn_search", "report", "results/own", "--json", *both)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_running_cluster_gets_the_files(folder: Path) -> None:
    """Ray's own way of bringing them, to a Ray on this machine that knows nothing of the package."""
    program = (
        "import os, ray; from pathlib import Path; from wrn_search.cluster.cluster_address import _our_code\n"
        "Path('scratch').mkdir(); code = _our_code(Path('scratch').absolute())\n"
        "given = os.environ.pop('WRN_SEARCH_PLUGINS'); os.environ.pop('PYTHONPATH')\n"
        "ray.init(address='local', num_cpus=1, include_dashboard=False, runtime_env=code)\n"
        "Path('stripes.py').unlink()\n"
        "def names():\n"
        "    from wrn_search.datasets.dataset_table import DATASETS\n"
        "    return list(DATASETS)\n"
        "print(ray.get(ray.remote(names).remote()))"
    )
    done = run(folder, "-c", program, **{VARIABLE: str(folder / "stripes.py")})
    assert "'stripes'" in done.stdout, done.stderr
