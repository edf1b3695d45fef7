"""Weights of every known file compute here what they computed where they come from; others are refused in a line."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from torch import Tensor, nn

from tests.pretrained.ports import Xternalz, functional_scores, functional_weights, randomised, saved
from wrn_search.errors import InputError
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.built_network import built_network
from wrn_search.pretrained.starting_weights import begin_with, starting_weights
from wrn_search.pretrained.weights_file import MOST_BYTES_OF_A_FILE, digest_of
from wrn_search.training.checkpoints.checkpoint_file import save_checkpoint

IMAGES = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(5))


def scores(path: Path, classes: int, images: Tensor = IMAGES) -> tuple[str, Tensor, tuple[str, ...]]:
    """(network, scores of our network that begins with a file, what began anew)."""
    start = starting_weights(str(path))
    network = built_network(start.architecture, classes, images.shape[1])
    anew = begin_with(network, start, classes, images.shape[1])
    with torch.inference_mode():
        return start.network, network.eval()(images), anew


@pytest.mark.parametrize("wrapped", ["bare", "state_dict", "module", "legacy"])
@pytest.mark.parametrize("k", [1, 2])
def test_xternalz(wrapped: str, k: int, tmp_path: Path) -> None:
    port = randomised(Xternalz(2, k, 7))
    state: dict[str, Any] = port.state_dict()
    if wrapped != "bare":
        state = {"epoch": 3, "state_dict": {f"module.{name}": each for name, each in state.items()}}
    path = saved(state, tmp_path / "x.pth", legacy=wrapped == "legacy")
    network, found, anew = scores(path, 7)
    assert (network, anew) == (f"WRN-16-{k}", ())
    torch.testing.assert_close(found, port(IMAGES))


@pytest.mark.parametrize("kind", ["one dictionary", "params and stats", "npz"])
def test_szagoruykos_functions(kind: str, tmp_path: Path) -> None:
    params, stats = functional_weights(1, 2, 5)
    if kind == "npz":
        path = tmp_path / "weights.npz"
        np.savez_compressed(path, **{name: each.numpy() for name, each in (params | stats).items()})
    else:
        content = (
            {"params": params | stats} if kind == "one dictionary" else {"params": params, "stats": stats}
        )
        path = saved({**content, "epoch": 200}, tmp_path / "model.pt7")
    network, found, _ = scores(path, 5)
    assert network == "WRN-10-2"
    torch.testing.assert_close(found, functional_scores(IMAGES, params, stats, 1))


@pytest.mark.parametrize(
    ("name", "ours"), [("resnet18", "WRN-18-1"), ("wide_resnet50_2", "WRN-50-2-bottleneck")]
)
def test_torchvision(name: str, ours: str, tmp_path: Path) -> None:
    port = torchvision.models.get_model(name, num_classes=4).eval()
    state = {
        key: value for key, value in port.state_dict().items() if not key.endswith("num_batches_tracked")
    }
    images = torch.randn(1, 3, 32, 32)
    network, found, _ = scores(saved(state, tmp_path / "t.pth"), 4, images)
    assert network == ours
    with torch.inference_mode():
        torch.testing.assert_close(found, port(images))


def test_a_head_of_another_size_begins_anew_and_all_else_is_taken_over(tmp_path: Path) -> None:
    port = randomised(Xternalz(1, 1, 7))
    path = saved(port.state_dict(), tmp_path / "x.pth")
    start = starting_weights(str(path))
    network = built_network(start.architecture, 3, 3)
    before = network.state_dict()["linear.weight"].clone()
    assert begin_with(network, start, 3, 3) == ("linear.weight", "linear.bias")
    assert torch.equal(network.state_dict()["linear.weight"], before)
    assert torch.equal(network.state_dict()["bn.running_var"], port.state_dict()["bn1.running_var"])
    headless = {name: each for name, each in port.state_dict().items() if not name.startswith("fc.")}
    assert starting_weights(str(saved(headless, tmp_path / "h.pth"))).num_classes is None


def meliketoy() -> dict[str, Tensor]:
    state = nn.Module()
    state.conv1, state.linear = nn.Conv2d(3, 16, 3), nn.Linear(64, 10)
    state.layer1 = nn.Sequential(nn.Module())
    state.layer1[0].conv1 = nn.Conv2d(16, 16, 3)
    return state.state_dict()


def network_of(depth: int = 10, **changes: Any) -> dict[str, Any]:
    weights = built_network(Architecture.of(depth, 0.5), 10, 1).state_dict()
    return {**weights, **changes}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lambda: {"a": torch.zeros(3)}, "must hold weights by names that are known .*but got 1 tensors: a"),
        (lambda: [1, 2], "but got no tensors by name"),
        (meliketoy, "is of meliketoy/wide-resnet.pytorch: its convolutions have biases"),
        (
            lambda: {f"{n}.{p}": torch.zeros(1) for n in ("conv0", "group0.block0.conv0") for p in ("weight", "bias")},
            "batch norms are folded",
        ),
        (lambda: network_of(**{"stem.weight": torch.zeros(16, 1, 5, 5)}), "stem.weight must be 16x1x3x3, but is 16x1"),
        (lambda: network_of(**{"more": torch.zeros(1)}), "there is no more"),
        (lambda: network_of(**{"bn.bias": torch.full((32,), torch.nan)}), "must be finite, but bn.bias is not"),
        (lambda: {k: v for k, v in network_of().items() if "groups.2" not in k}, "is missing"),
        (lambda: {"format": "wrn-search model", "version": 1}, "model .* 'weights' is missing in it"),
        (
            lambda: {"format": "wrn-search checkpoint", "state": {"config": {"depth": 17}, "network": {}}},
            "a whole wrn-search checkpoint of this program, but 'dataset' is missing in it",
        ),
        (
            lambda: {
                "format": "wrn-search model", "weights": {}, "preprocessing": "zca", "depth": 17, "widen_factor": 1,
                "block": "B(3,3)",
            },
            "which tells depth, widen_factor and block, but they make no network: .*17",
        ),
    ],
)  # fmt: skip
def test_strangers_and_what_computes_something_else_are_refused(
    content: Callable[[], Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words) as caught:
        starting_weights(str(saved(content(), tmp_path / "w.pt")))
    assert str(caught.value).startswith(f"{tmp_path / 'w.pt'}: model.init_from: ")
    assert len(str(caught.value).splitlines()) == 1


class Payload:
    """Makes a folder when it is unpickled."""

    def __init__(self, mark: Path):
        self.mark = str(mark)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (self.mark,)


@pytest.mark.parametrize("legacy", [False, True])
def test_objects_in_a_file_are_not_made(legacy: bool, tmp_path: Path) -> None:
    path = saved({"net": Payload(tmp_path / "mark")}, tmp_path / "w.pt", legacy=legacy)
    with pytest.raises(
        InputError, match=r"holds Python objects, which could run code: save model.state_dict\(\)"
    ):
        starting_weights(str(path))
    np.savez(tmp_path / "w.npz", a=np.array([Payload(tmp_path / "mark")], dtype=object))
    with pytest.raises(InputError, match=r"must be a whole file of torch or a \.npz"):
        starting_weights(str(tmp_path / "w.npz"))
    assert not (tmp_path / "mark").exists()


def test_damaged_and_other_files_are_told(tmp_path: Path) -> None:
    whole = saved(network_of(), tmp_path / "w.pt")
    for name, content, words in (
        ("cut.pt", whole.read_bytes()[:5000], "must be a whole file of torch .* its end is missing: 5,000 bytes of an"),
        ("empty.pt", b"", r"must be a file with weights, but is empty \(0 bytes\)"),
        ("text.pt", b"weights", "must be a whole file of torch .* is text of 7 bytes that begins with 'weights'"),
        ("page.pt", b"<!DOCTYPE html><html>", "must be a whole file of torch .* is a web page: download the"),
        ("lfs.pt", b"version https://git-lfs.github.com/spec/v1\noid", "is a pointer of Git LFS"),
        ("gz.pt", b"\x1f\x8b\x08\x00abc", "is a gzip archive: unpack it"),
        ("zeros.pt", bytes(9000), r"begins with zeros \(9,000 bytes\)"),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=words):
            starting_weights(str(tmp_path / name))
    flipped = bytearray(whole.read_bytes())
    flipped[len(flipped) // 2] ^= 1
    (tmp_path / "flip.pt").write_bytes(flipped)
    with pytest.raises(InputError, match=r"the checksum of .* is wrong"):
        starting_weights(str(tmp_path / "flip.pt"))
    with (
        zipfile.ZipFile(whole) as source,
        zipfile.ZipFile(tmp_path / "z.pt", "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for each in source.namelist():
            bomb.writestr(each, source.read(each))
    with pytest.raises(InputError, match="is compressed"):
        starting_weights(str(tmp_path / "z.pt"))
    for name, words in (("none.pt", "No such file"), ("x.safetensors", "safetensors")):
        (tmp_path / "x.safetensors").write_bytes(b"{}")
        with pytest.raises(InputError, match=words):
            starting_weights(str(tmp_path / name))


def test_only_regular_files_of_a_bounded_size_are_read(tmp_path: Path) -> None:
    """What has no end, or waits for a writer, would be read for ever."""
    os.mkfifo(tmp_path / "pipe.pt")
    with (tmp_path / "huge.pt").open("wb") as file:
        file.truncate(MOST_BYTES_OF_A_FILE + 1)  # holes: nothing of it lies on the disk
    for path, words in (
        (Path("/dev/zero"), "must be a regular file with weights, but is a device"),
        (tmp_path / "pipe.pt", "must be a regular file with weights, but is a named pipe"),
        (tmp_path, "must be a regular file with weights, but is a folder"),
        (tmp_path / "huge.pt", "of at most 16 GB, but has 16,000,000,001 bytes"),
    ):
        with pytest.raises(InputError, match=words):
            starting_weights(str(path))


def test_a_checkpoint_of_a_trial_and_the_digest_that_pins_a_file(tmp_path: Path) -> None:
    config = {"depth": 10, "widen_factor": 0.5, "block": "B(3,3)", "dataset": {"preprocessing": "zca"}}
    path = tmp_path / "t.pt"
    save_checkpoint(path, {"config": config, "network": network_of()})
    start = starting_weights(str(path))
    assert (start.network, start.source, start.preprocessing) == ("WRN-10-0.5", "a trial's checkpoint", "zca")
    assert start.pinned == f"{path}@sha256:{digest_of(path)}"
    assert starting_weights(start.pinned).digest == start.digest
    save_checkpoint(path, {"config": config, "network": network_of(**{"bn.bias": torch.ones(32)})})
    with pytest.raises(
        InputError, match=f"must be the file that the search began with, of SHA-256 {start.digest}"
    ):
        starting_weights(start.pinned)


def test_images_of_other_channels_are_told(tmp_path: Path) -> None:
    start = starting_weights(str(saved(network_of(), tmp_path / "w.pt")))
    with pytest.raises(InputError, match="for images of 3 channels, but is of one for 1"):
        begin_with(built_network(start.architecture, 10, 3), start, 10, 3)
