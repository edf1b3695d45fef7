"""The cluster files without a cluster: what Ray and bash think of them, and what their readers are promised."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
import ray.autoscaler
import yaml

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = ROOT / "cluster"
LAUNCHED = ("local.yaml", "aws.yaml")
NEVER_RUN = ("aws.yaml", "slurm.sh")
EVERY = (*LAUNCHED, "slurm.sh")
SCHEMA = json.loads((Path(ray.autoscaler.__file__).parent / "ray-schema.json").read_text())


@pytest.mark.parametrize("name", LAUNCHED)
def test_ray_accepts_the_file(name: str) -> None:
    jsonschema.validate(yaml.safe_load((CLUSTER / name).read_text()), SCHEMA)


def test_the_schema_would_refuse_a_misspelt_key() -> None:
    document = yaml.safe_load((CLUSTER / "aws.yaml").read_text())
    with pytest.raises(jsonschema.ValidationError, match="setup_command"):
        jsonschema.validate({**document, "setup_command": []}, SCHEMA)


@pytest.mark.parametrize("name", LAUNCHED)
def test_what_is_copied_to_the_nodes_is_there_and_enough(name: str) -> None:
    mounts = yaml.safe_load((CLUSTER / name).read_text())["file_mounts"]
    assert all((ROOT / local).exists() for local in mounts.values())
    assert all(remote == f"~/wrn-search/{local}" for remote, local in mounts.items())
    included = re.findall(r"^-r (\S+)", (ROOT / "requirements-cluster.txt").read_text(), re.MULTILINE)
    assert {"wrn_search", "cluster", "search_spaces", "requirements-cluster.txt", *included} <= set(
        mounts.values()
    )


@pytest.mark.parametrize("name", EVERY)
def test_every_file_installs_the_project_and_names_shared_results(name: str) -> None:
    text = (CLUSTER / name).read_text()
    assert re.search(r"cluster/install\.sh --results \S+", text)


@pytest.mark.parametrize("name", EVERY)
def test_the_header_says_what_it_is_what_to_edit_and_the_commands(name: str) -> None:
    header = re.match(r"(#[^\n]*\n)+", (CLUSTER / name).read_text())
    assert header is not None
    assert all(f"# {word} " in header[0] for word in ("what it is", "to edit", "needs"))
    assert "search_spaces/cifar_width_depth.yaml" in header[0]
    assert ("NEVER RUN" in header[0]) == (name in NEVER_RUN)


@pytest.mark.parametrize("name", ["install.sh", "slurm.sh"])
def test_bash_reads_the_script(name: str) -> None:
    subprocess.run(["bash", "-n", str(CLUSTER / name)], check=True)


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("name", ["install.sh", "slurm.sh"])
def test_shellcheck_finds_nothing(name: str) -> None:
    done = subprocess.run(["shellcheck", str(CLUSTER / name)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_slurm_takes_its_options_from_the_head_of_the_script() -> None:
    """sbatch reads #SBATCH lines up to the first command."""
    before, _, after = (CLUSTER / "slurm.sh").read_text().partition("set -euo pipefail")
    assert before.count("\n#SBATCH --") == 8
    assert "#SBATCH" not in after


@pytest.mark.parametrize(
    ("options", "complaint"),
    [([], "--results DIR must name storage"), (["--result", "x"], "unknown option --result")],
)
def test_the_installer_refuses_what_it_does_not_know(
    options: list[str], complaint: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        ["bash", str(CLUSTER / "install.sh"), *options],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert complaint in done.stderr
    assert list(tmp_path.iterdir()) == []
