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


@pytest.mark.parametrize("name", LAUNCHED)
def test_every_ray_of_a_cluster_is_told_whether_to_ask_for_a_token(name: str) -> None:
    """Left to Ray it depends on what lies in a home, and on head and workers differently."""
    document = yaml.safe_load((CLUSTER / name).read_text())
    starts = [
        command
        for key in ("head_start_ray_commands", "worker_start_ray_commands")
        for command in document[key]
        if "ray start" in command
    ]
    assert len(starts) == 2
    assert all(re.search(r"\bRAY_AUTH_MODE=disabled\b.* ray start\b", command) for command in starts)


def test_a_job_of_slurm_has_a_token_of_its_own_before_any_ray_starts() -> None:
    script = (CLUSTER / "slurm.sh").read_text()
    (assigned,) = re.findall(r"^RAY_AUTH_TOKEN=.*$", script, re.MULTILINE)
    made = ["bash", "-c", f'PYTHON=python3\n{assigned}\necho "$RAY_AUTH_TOKEN"']
    first, second = (
        subprocess.run(made, capture_output=True, text=True, check=True).stdout for _ in range(2)
    )
    assert re.fullmatch(r"[0-9a-f]{64}\n", first)
    assert first != second
    exported = script.index("\nexport RAY_AUTH_MODE=token RAY_AUTH_TOKEN\n")
    assert script.index(assigned) < exported < script.index("ray start")


@pytest.mark.parametrize(("mode", "is_then"), [(None, "disabled"), ("token", "token")])
def test_shells_of_an_installed_node_agree_on_the_mode(
    mode: str | None, is_then: str, tmp_path: Path
) -> None:
    """The line as the installer writes it, read by a shell in which the user has set it, or has not."""
    (line,) = re.findall(r"^export RAY_AUTH_MODE=.*$", (CLUSTER / "install.sh").read_text(), re.MULTILINE)
    script = f'cat > "$HOME/env.sh" <<END\n{line}\nEND\n. "$HOME/env.sh"; printenv RAY_AUTH_MODE'
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"} | ({"RAY_AUTH_MODE": mode} if mode else {})
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"{is_then}\n"
