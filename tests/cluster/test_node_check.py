"""Whether a node may train: pure judgements, and real files; real nodes are in tests/cluster."""

from __future__ import annotations

import hashlib
import shutil
import threading
from pathlib import Path

import pytest

from wrn_search.cluster.living_nodes import LivingNode
from wrn_search.cluster.node_check import Look, is_to_show_gpus, problems_of
from wrn_search.cluster.node_facts import code_digest, looked, own_versions, storage_error
from wrn_search.errors import Problem
from wrn_search.hardware.arithmetic_on_offer import ArithmeticOnOffer
from wrn_search.hardware.machine import Node
from wrn_search.space.dataset_section import DatasetSettings

DRIVER = {"wrn-search": "abc", "python": "3.12", "torch": "2.9.0"}


def _texts(look: Look | Problem) -> list[str]:
    return [str(problem) for problem in problems_of("n1 (10.0.0.1)", look, DRIVER, "split-a")]


def test_a_node_that_is_as_the_driver_may_train() -> None:
    assert _texts(Look(DRIVER)) == []
    assert _texts(Look(DRIVER, split_hash="split-a")) == []


def test_every_difference_is_told_with_both_values_and_the_node() -> None:
    look = Look(
        {"wrn-search": "abc", "python": "3.11", "torch": None},
        storage="Permission denied (/s)",
        split_hash="split-b",
    )
    assert _texts(look) == [
        "--address: every node must have the driver's python (3.12), but got 3.11 on n1 (10.0.0.1)",
        "--address: every node must have the driver's torch (2.9.0), but got none on n1 (10.0.0.1)",
        "--results: must be a directory on storage that all nodes share and can write, but got on n1 (10.0.0.1): "
        "Permission denied (/s)",
        "dataset: every node must find the same images (split split-a), but got split-b on n1 (10.0.0.1)",
    ]


def test_a_node_without_the_package_or_the_images_says_so() -> None:
    assert _texts(Look({}, code_error="No module named 'pydantic'")) == [
        "--address: every node must have the project's requirements, but got on n1 (10.0.0.1): "
        "No module named 'pydantic'"
    ]
    assert _texts(Look(DRIVER, weights_error="/w.pt: model.init_from: No such file")) == [
        "model.init_from: must be the same file on every node, but got on n1 (10.0.0.1): /w.pt: model.init_from: No "
        "such file"
    ]
    assert _texts(Look(DRIVER, data_error="dataset.root: must hold train*.parquet")) == [
        "dataset: must be at hand on every node, but got on n1 (10.0.0.1): dataset.root: must hold train*.parquet"
    ]
    late = Problem("--address", "every node must answer")
    assert problems_of("n1", late, DRIVER, "split-a") == [late]


def test_builds_for_other_hardware_count_as_the_same_version(monkeypatch) -> None:
    known = {
        "python": "3.12.4",
        "torch": "2.9.0+cu128",
        "torchvision": None,
        "numpy": "2.4.6",
        "ray": "2.60.0",
    }
    monkeypatch.setattr("wrn_search.cluster.node_facts.versions", lambda: known)
    ours = own_versions()
    assert (ours["torch"], ours["torchvision"], ours["python"]) == ("2.9.0", None, "3.12")


def test_the_digest_changes_with_any_source_file_and_nothing_else(tmp_path: Path) -> None:
    package = tmp_path / "package"
    shutil.copytree(Path(__file__).parents[2] / "wrn_search" / "space", package / "space")
    before = code_digest(package)
    (package / "space" / "__pycache__").mkdir(exist_ok=True)
    (package / "space" / "__pycache__" / "rules.pyc").write_bytes(b"x")
    moved = shutil.copytree(package, tmp_path / "elsewhere")
    assert code_digest(package) == code_digest(moved) == before
    (package / "space" / "rules" / "key_rule.py").open("a").write("# a word\n")
    changed = code_digest(package)
    (package / "space" / "rules" / "key_rule.py").rename(package / "space" / "more_rules.py")
    assert len({before, changed, code_digest(package)}) == 3


def test_shared_storage_is_what_shows_the_drivers_file_and_takes_another(tmp_path: Path) -> None:
    probe = tmp_path / ".probe"
    assert storage_error(probe, "a", seconds=0) == f"the driver's files are not in {tmp_path}"
    probe.write_text("b")
    assert storage_error(probe, "a", seconds=600) == f"other files than the driver's are in {tmp_path}"
    probe.write_text("")
    assert storage_error(probe, "a", seconds=0) == f"other files than the driver's are in {tmp_path}"
    probe.write_text("a")
    assert storage_error(probe, "a") is None
    assert list(tmp_path.iterdir()) == [probe]
    assert storage_error(probe / "below", "a") == f"Not a directory ({probe})"


@pytest.mark.parametrize("first", [None, "", "a probe's fir"])
def test_files_of_a_network_file_system_may_be_late(first: str | None, tmp_path: Path) -> None:
    """The name can be there before the content, the beginning of the content before the rest."""
    probe = tmp_path / ".probe"
    if first is not None:
        probe.write_text(first)
    later = threading.Timer(0.3, probe.write_text, ["a probe's first content"])
    later.start()
    try:
        assert storage_error(probe, "a probe's first content", seconds=30) is None
    finally:
        later.join()


@pytest.mark.parametrize(("validation", "told"), [(300, None), (1490, "dataset.validation: ")])
def test_a_node_prepares_the_images_or_says_why_not(validation, told, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path / "data"))
    (tmp_path / ".probe").write_text("a")
    look = Look(
        **looked(str(tmp_path / ".probe"), "a", DatasetSettings(name="digits", validation=validation))
    )
    assert problems_of("n1", Look(look.versions), own_versions(), "") == []
    assert (look.split_hash is None) == (told is not None)
    assert look.data_error is None if told is None else look.data_error.startswith(told)


def test_a_node_whose_torch_sees_no_gpu_must_not_train_on_one() -> None:
    blind = Look(DRIVER, arithmetic=ArithmeticOnOffer(True, True, cuda_capabilities=()))
    (problem,) = problems_of("n1 (10.0.0.1)", blind, DRIVER, "split-a", on_gpus=True)
    assert str(problem).startswith(
        "--address: torch must see the GPUs that Ray was told of, but sees none on n1"
    )
    assert "WRN_SEARCH_SIMULATED_GPUS=1" in str(problem)
    assert problems_of("n1", blind, DRIVER, "split-a") == []
    seeing = Look(DRIVER, arithmetic=ArithmeticOnOffer(True, True, cuda_capabilities=((9, 0),)))
    assert problems_of("n1", seeing, DRIVER, "split-a", on_gpus=True) == []


@pytest.mark.parametrize(
    ("capabilities", "precision", "refused"),
    [
        (((7, 5),), "tf32", True),
        (((9, 0), (7, 0)), "tf32", True),
        (((8, 0), (9, 0)), "tf32", False),
        (None, "tf32", False),  # nobody can say
        (((7, 5),), "fp32", False),
        (((7, 5),), "", False),
    ],
)
def test_a_node_whose_gpus_have_no_tf32_must_not_join_a_search_in_it(
    capabilities: tuple[tuple[int, int], ...] | None, precision: str, refused: bool
) -> None:
    """It would compute in fp32 without a word, and a ranking would mix two arithmetics."""
    look = Look(DRIVER, arithmetic=ArithmeticOnOffer(True, True, capabilities))
    found = problems_of("n1 (10.0.0.1)", look, DRIVER, "split-a", on_gpus=True, precision=precision)
    assert [problem.key for problem in found] == ["training.precision"] * refused
    if found:
        assert (
            "tf32 needs GPUs of CUDA compute capability 8.0 or more, but one on n1 (10.0.0.1) has 7."
            in str(found[0])
        )
    assert problems_of("n1", look, DRIVER, "split-a", on_gpus=False, precision=precision) == []


def test_gpus_that_are_declared_simulated_need_not_be_seen(monkeypatch) -> None:
    assert is_to_show_gpus(LivingNode("a", "a", Node(2, 1)))
    assert not is_to_show_gpus(LivingNode("a", "a", Node(2)))
    monkeypatch.setenv("WRN_SEARCH_SIMULATED_GPUS", "1")
    assert not is_to_show_gpus(LivingNode("a", "a", Node(2, 1)))


def test_the_file_that_networks_begin_with_is_looked_for(tmp_path):
    probe, weights = tmp_path / ".probe", tmp_path / "w.pt"
    probe.write_text("a")
    weights.write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    told = lambda path, digest: Look(**looked(str(probe), "a", None, f"{path}@sha256:{digest}")).weights_error  # noqa: E731
    assert told(weights, digest) is None
    assert told(weights, "0" * 64) == f"another file in {weights} (SHA-256 {digest})"
    assert "No such file" in told(tmp_path / "none.pt", digest)
    assert Look(**looked(str(probe), "a", None)).weights_error is None
