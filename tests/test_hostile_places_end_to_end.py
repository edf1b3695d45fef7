"""One search in a place that breaks others: no home, a long TMPDIR, files that are named as modules of Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import wrn_search

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
SPACE = {
    "name": "tiny",
    "dataset": {"name": "digits"},
    "model": {"depth": 10, "widen_factor": 0.25},
    "training": {"epochs": 2, "batch_size": 256, "learning_rate": {"loguniform": [0.01, 0.1]}},
    "search": {"searcher": "random", "scheduler": "none", "trials": 2},
    "resources": {"concurrent": 1, "cpus_per_trial": 1},
}
# Python, Ray, torch and the commands import these; the first ones before anything of ours is read.
SHADOWS = ("__future__", "typing", "argparse", "statistics", "secrets", "json", "numpy", "torch")
NOBODY_S_HOME = "/proc"  # not even root can make a file there


def _shadowed(folder: Path) -> Path:
    """A folder of a user who names files like modules."""
    folder.mkdir()
    for name in SHADOWS:
        (folder / f"{name}.py").write_text(f"raise ImportError('{name}.py of ' + {str(folder)!r})\n")
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, str]]:
    """Where the user works, the project's folder, and the environment."""
    base = tmp_path_factory.mktemp("hostile")
    project, here = _shadowed(base / "project"), _shadowed(base / "here")
    (project / "wrn_search").symlink_to(ROOT / "wrn_search")
    (project / "run_search.py").write_text((ROOT / "run_search.py").read_text())
    long = base / "slurm_job_directory_1/slurm_job_directory_2/slurm_job_directory_3/slurm_job_directory_4"
    long.mkdir(parents=True)
    assert len(os.fsencode(long)) >= 112
    given = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "PYTHON"))}
    return (
        here,
        project,
        given
        | {
            "HOME": NOBODY_S_HOME,
            "TMPDIR": str(long),
            "WRN_SEARCH_DATA": str(base / "data"),
        },
    )


def _run(place, *arguments: str) -> subprocess.CompletedProcess[str]:
    here, _, environment = place
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=here,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture(scope="module")
def searched(place) -> subprocess.CompletedProcess[str]:
    here, project, _ = place
    (here / "space.yaml").write_text(yaml.safe_dump(SPACE))
    return _run(place, str(project / "run_search.py"), "space.yaml")


def test_the_search_runs(place, searched) -> None:
    assert searched.returncode == 0, searched.stderr
    trials, _ = wrn_search.read(place[0] / "results" / "tiny")
    assert trials["status"].tolist() == ["completed", "completed"]
    assert "Report: results/tiny/report.html" in searched.stdout


def test_nothing_but_results_is_written_where_the_user_works(place, searched) -> None:
    written = {path.name for path in place[0].iterdir()} - {f"{name}.py" for name in SHADOWS}
    assert written == {"results", "space.yaml"}


@pytest.mark.parametrize(
    "command", [["report", "results/tiny"], ["describe", "--depth", "10", "--widen-factor", "1"]]
)
def test_other_commands_run_from_the_folder_of_the_project(command, place, searched) -> None:
    """`python -m` puts the working directory first."""
    here, project, environment = place
    arguments = [argument.replace("results/", f"{here}/results/") for argument in command]
    done = _run((project, project, environment), "-m", "wrn_search", *arguments)
    assert done.returncode == 0, done.stderr
