"""Before a search: the file is pinned, and every network of the space fits it, or is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.space.spaces import complaints, space
from wrn_search.__main__ import main
from wrn_search.errors import InputError
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.built_network import built_network
from wrn_search.pretrained.weights_file import digest_of
from wrn_search.pretrained.weights_of_a_space import with_known_weights
from wrn_search.space.rules.starting_file import same_file

GROUPS = "must be a list of stem, group1, group2, group3, group4, each once"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a WRN-10-0.5 for ten classes of images with one channel."""
    path = tmp_path_factory.mktemp("weights") / "w.pt"
    torch.save(built_network(Architecture.of(10, 0.5), 10, 1).state_dict(), path)
    return path


def text(weights: Path, model: str, more: str = "") -> str:
    return f"dataset: {{name: digits}}\nmodel: {{{model}, init_from: {weights}{more}}}\n"


@pytest.mark.parametrize(
    "model", ["depth: 10, widen_factor: 0.5", "network: WRN-10-0.5", "network: {choice: [WRN-10-0.5]}"]
)
def test_a_space_of_what_fits_is_pinned_by_path_and_digest(model: str, weights: Path) -> None:
    found = with_known_weights(space(text(weights, model, ", freeze: [group2, stem]")))
    assert found.model.init_from == f"{weights}@sha256:{digest_of(weights)}"
    assert found.model.freeze == "stem, group2"
    again = space(json.dumps(found.to_document()))
    assert with_known_weights(again).model == found.model
    config = again.trial_config({}, 0, precision="fp32", compile="off")
    assert (config.init_from, config.freeze) == (found.model.init_from, "stem, group2")


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (
            "depth: {choice: [10, 16]}, widen_factor: {choice: [0.5, 1]}",
            "is of WRN-10-0.5: WRN-10-1, WRN-16-0.5, WRN-16-1 would begin with other weights (of the space only "
            "WRN-10-0.5 fits); set model.network: WRN-10-0.5",
        ),
        ("network: {choice: [WRN-16-1, ResNet-8]}", "(none of the space fits)"),
        ("depth: 10, widen_factor: {uniform: [0.5, 1]}", "any number of others between; set model.network: WRN-10-0.5"),
        (
            "depth: {choice: [10, 16, 22, 28, 34, 40, 46]}, widen_factor: 0.5",
            "WRN-16-0.5, WRN-22-0.5, WRN-28-0.5, WRN-34-0.5, WRN-40-0.5 and 1 more would",
        ),
    ],
)  # fmt: skip
def test_networks_that_do_not_fit_are_named_with_what_does(model: str, words: str, weights: Path) -> None:
    with pytest.raises(InputError) as caught:
        with_known_weights(space(text(weights, model)))
    assert words in str(caught.value)
    assert str(caught.value).startswith(
        "model.init_from: must fit all networks of the space, but is of WRN-10-0.5"
    )


def test_check_tells_the_file_and_refuses_with_status_2(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(text(weights, "depth: 10, widen_factor: 0.5", ", freeze: [stem]"))
    assert main(["check", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["init_from"]
    assert (told["network"], told["sha256"], told["frozen"]) == ("WRN-10-0.5", digest_of(weights), "stem")
    assert main(["check", str(path)]) == 0
    assert "has 10 classes, as the images: its last layer is taken over" in capsys.readouterr().out
    assert main(["check", str(path), "--set", "model.depth=16"]) == 2
    assert "model.init_from: must fit all networks" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "key", "text"),
    [
        ("freeze: [stem]", "freeze", "freeze must stand beside init_from, but got 'stem'"),
        (
            "freeze: [group4], init_from: w.pt",
            "freeze",
            "freeze must name groups that the networks have (family wrn: group1 to group3), but got 'group4'",
        ),
        ("freeze: [body], init_from: w.pt", "freeze", f"{GROUPS}, but got ['body']"),
        ("freeze: [stem, stem], init_from: w.pt", "freeze", f"{GROUPS}, but got ['stem', 'stem']"),
        (
            "init: {choice: [fan_in, fan_out]}, init_from: w.pt",
            "init",
            "init must not be searched beside init_from, which gives the weights, but got {choice: ['fan_in', "
            "'fan_out']}",
        ),
        (
            "init_from: {choice: [a, b]}",
            "init_from",
            "must be a single value, not a domain, but got {choice: ['a', 'b']}",
        ),
        (
            "init_from: 3",
            "init_from",
            "must be random, or the path of a file with weights, without control characters, but got 3 (quote it)",
        ),
    ],
)  # fmt: skip
def test_bad_keys_are_located(model: str, key: str, text: str) -> None:
    assert f"s.yaml:1: model.{key}: {text}" in complaints(f"model: {{{model}}}\n")


def test_a_file_is_the_same_wherever_it_lies() -> None:
    one, other = f"/a/w.pt@sha256:{'0' * 64}", f"/b/w.pt@sha256:{'0' * 64}"
    assert same_file(one, other)
    assert same_file("random", "random")
    assert not same_file(one, f"/a/w.pt@sha256:{'1' * 64}")
    assert not same_file("/a/w.pt", "/b/w.pt")
    assert not same_file(None, "random")
