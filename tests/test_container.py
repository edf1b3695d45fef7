"""The Dockerfile without a builder: what it copies is there, its pins are the project's, and its steps are sound.

With `buildah` at hand it can be built for real: docs/cluster.md says with which base this was done.
"""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "Dockerfile").read_text()


def instructions() -> list[tuple[str, str]]:
    """(instruction, its arguments in one line), without comments."""
    lines = [line for line in TEXT.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def arguments(instruction: str) -> list[str]:
    """Of all instructions of a kind."""
    return [rest for word, rest in instructions() if word == instruction]


def copied() -> list[str]:
    return [source for rest in arguments("COPY") for source in rest.split()[:-1]]


def test_it_is_made_of_instructions_that_builders_know() -> None:
    words = [word for word, _ in instructions()]
    assert words[:2] == ["ARG", "FROM"]
    assert set(words) <= {"ARG", "FROM", "RUN", "COPY", "ENV", "USER", "WORKDIR", "ENTRYPOINT", "CMD"}
    (base,) = [rest for rest in arguments("ARG") if rest.startswith("BASE=")]
    assert re.fullmatch(r"BASE=\S+:(?!latest)\S+", base), "a base without a tag is another one tomorrow"


def test_what_it_copies_is_there_and_reaches_the_builder() -> None:
    ignore = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] not in ("", "#")]
    assert ignore[0] == "*"
    assert {line[1:] for line in ignore if line.startswith("!")} == set(copied())
    assert [source for source in copied() if not (ROOT / source).exists()] == []


def test_it_brings_all_that_a_search_reads_from_the_project() -> None:
    """The package with its data files and the shipped spaces; what `cluster/install.sh` puts on a node."""
    included = re.findall(r"^-r (\S+)", (ROOT / "requirements-cluster.txt").read_text(), re.MULTILINE)
    assert {"wrn_search", "search_spaces", "run_search.py", "requirements-cluster.txt", *included} <= set(
        copied()
    )


def test_every_package_is_pinned_by_the_requirements() -> None:
    installs = re.findall(r"pip install ((?:\$\([^)]*\([^)]*\)[^)]*\)|[^;&])*)", " ".join(arguments("RUN")))
    assert len(installs) == 2
    for options in installs:
        assert "--no-cache-dir" in options
        assert "requirements" in options, "names come from files with pins"
    for file in ("requirements.txt", "requirements-cluster.txt"):
        lines = [line for line in (ROOT / file).read_text().splitlines() if line and line[0] not in "#-"]
        assert [line for line in lines if "==" not in line] == []


def test_the_wheels_for_cpus_are_the_pinned_ones() -> None:
    (pattern,) = re.findall(r"grep -E '([^']+)' /opt/wrn-search/requirements.txt", TEXT)
    found = [
        line for line in (ROOT / "requirements.txt").read_text().splitlines() if re.search(pattern, line)
    ]
    assert [line.partition("==")[0] for line in found] == ["torch", "torchvision"]


def test_packages_of_debian_are_few_and_their_lists_do_not_stay() -> None:
    (step,) = [rest for rest in arguments("RUN") if "apt-get install" in rest]
    assert "--no-install-recommends" in step
    assert "--yes" in step
    assert step.startswith("apt-get update && ")
    assert step.endswith("rm -rf /var/lib/apt/lists/*")


def test_it_does_not_run_as_root_and_starts_the_commands() -> None:
    words = [word for word, _ in instructions()]
    (user,) = arguments("USER")
    assert user.isdecimal(), "Kubernetes' runAsNonRoot wants a number"
    assert user != "0"
    assert words.index("USER") > max(at for at, word in enumerate(words) if word in ("RUN", "COPY"))
    assert json.loads(arguments("ENTRYPOINT")[0]) == ["python", "-m", "wrn_search"]
    assert json.loads(arguments("CMD")[0]) == ["--help"]
    assert re.search(rf"useradd --uid {user}\b", " ".join(arguments("RUN")))


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_shellcheck_finds_nothing_in_its_steps() -> None:
    for step in arguments("RUN"):
        words = "SC2046"  # the pins of torch and torchvision are two words on purpose
        done = subprocess.run(
            ["shellcheck", "--shell=sh", f"--exclude={words}", "-"],
            input=step,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_the_entry_point_runs_where_its_steps_put_the_project(tmp_path: Path) -> None:
    """The steps after the packages, in a folder: the same copies, a virtual environment with the line on its path."""
    project, venv = tmp_path / "wrn-search", tmp_path / "venv"
    project.mkdir()
    for source in copied():
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, project / source, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, project)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    (packages,) = venv.glob("lib/python3.*/site-packages")
    here = [path for path in sys.path if fnmatch.fnmatch(path, "*/site-packages")]
    (packages / "installed.pth").write_text("".join(f"{path}\n" for path in here))
    (packages / "wrn_search_project.pth").write_text(f"{project}\n")
    environment = {
        "PATH": f"{venv}/bin:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "WRN_SEARCH_HOME": str(project),
    }
    for options, said in {
        ("--help",): "Hyperparameter search for Wide Residual Networks.",
        ("check", "search_spaces/digits_quickstart.yaml"): "digits_quickstart",
    }.items():
        done = subprocess.run(
            [*json.loads(arguments("ENTRYPOINT")[0]), *options],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
