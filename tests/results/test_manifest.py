"""The manifest: what is found out about versions, machine and checkout, and that nothing is changed."""

from __future__ import annotations

import json
import platform
import subprocess
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

import pytest

from wrn_search.results import manifest as manifest_module
from wrn_search.results.manifest import git_state, hardware, manifest, new_search_id, write_manifest


def test_a_manifest_holds_what_explains_and_repeats_a_search(tmp_path):
    details = {"precision": "fp32", "threads": 1, "split_hash": "ab12"}
    values = manifest("id0", 7, ["run_search.py", "x.yaml"], hardware(3, ["a GPU"]), details)
    assert values.items() >= details.items()
    assert (values["search_id"], values["seeds"]) == ("id0", {"search": 7})
    assert values["command"] == ["run_search.py", "x.yaml"]
    assert abs(datetime.now(UTC) - datetime.fromisoformat(values["created_at"])) < timedelta(seconds=60)
    path = tmp_path / "manifest.json"
    write_manifest(path, values)
    assert json.loads(path.read_text()) == values


def test_details_may_not_overwrite_what_was_found_out():
    with pytest.raises(AssertionError, match="details do not overwrite"):
        manifest("id0", 7, [], {}, {"git": "mine"})


def test_versions_are_those_of_the_installed_packages(monkeypatch):
    monkeypatch.setattr(manifest_module, "PACKAGES", ("pyarrow", "no-such-package"))
    assert manifest_module.versions() == {
        "python": platform.python_version(),
        "pyarrow": version("pyarrow"),
        "no-such-package": None,
    }


def test_the_machine_is_described():
    found = hardware(3, ["a GPU"])
    assert found["hostname"] == platform.node()
    assert (found["cores"], found["gpus"]) == (3, ["a GPU"])
    assert found["memory_bytes"] > 2**28
    assert found["cpu"]
    assert platform.machine() in found["platform"] or platform.system() in found["platform"]


def test_search_ids_differ():
    ids = {new_search_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(len(name) == 32 and int(name, 16) >= 0 for name in ids)


@pytest.fixture
def checkout(tmp_path):
    """A repository with one commit that holds a package."""
    package = tmp_path / "repository" / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    git(package, "init", "--quiet")
    git(package, "add", ".")
    git(package, "commit", "--quiet", "--message", "first")
    return package


def git(folder, *arguments):
    identity = ["-c", "user.name=tester", "-c", "user.email=tester@example.org"]
    done = subprocess.run(
        ["git", "-C", folder, *identity, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_the_checkout_is_named_by_its_commit_and_whether_it_has_changes(checkout):
    commit = git(checkout, "rev-parse", "HEAD")
    assert git_state(checkout) == {"commit": commit, "dirty": False}
    (checkout / "__init__.py").write_text("changed = True\n")
    assert git_state(checkout) == {"commit": commit, "dirty": True}
    git(checkout, "commit", "--quiet", "--all", "--message", "second")
    (checkout / "new.py").write_text("")
    state = git_state(checkout)
    assert state["dirty"] is True
    assert state["commit"] != commit


def test_a_package_that_merely_lies_in_a_checkout_is_not_of_it(checkout):
    """A virtual environment in somebody's project must not claim that project's commit."""
    installed = checkout.parent / ".venv" / "package"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("")
    assert git_state(installed) is None


def test_without_a_checkout_or_without_git_there_is_no_commit(tmp_path, checkout, monkeypatch):
    assert git_state(tmp_path) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(checkout) is None
