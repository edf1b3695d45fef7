"""The Wide Residual Network: structure as in the paper, gradients everywhere, initialisation as measured."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wrn_search.networks import layout
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.wide_resnet import Block, StridedPointwise, WideResNet

TABLE_2_BLOCKS = ["B(1,3,1)", "B(3,1)", "B(1,3)", "B(3,1,1)", "B(3,3)", "B(3,1,3)"]
BLOCKS_BY_DEPTH = [(10, block) for block in TABLE_2_BLOCKS]
BLOCKS_BY_DEPTH += [(7, "B(3)"), (10, "B(3,3)"), (13, "B(3,3,3)"), (16, "B(3,3,3,3)"), (10, "B(5,3)")]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize(("depth", "block"), BLOCKS_BY_DEPTH)
def test_gradients_reach_every_parameter(depth: int, block: str, dropout: float) -> None:
    architecture = Architecture.of(depth, 1, block)
    network = WideResNet(architecture, 5, 3, dropout if architecture.deepening_factor > 1 else 0.0)

    scores = network(torch.randn(4, 3, 12, 12))
    F.cross_entropy(scores, torch.tensor([0, 1, 2, 3])).backward()

    assert scores.shape == (4, 5)
    assert scores.isfinite().all()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, f"no gradient for {name}"
        assert parameter.grad.isfinite().all(), f"no finite gradient for {name}"
        assert parameter.grad.abs().sum() > 0, f"zero gradient for {name}"


@pytest.mark.parametrize("size", [(8, 8), (28, 28), (33, 33), (17, 40)])
@pytest.mark.parametrize("in_channels", [1, 3])
def test_any_image_size_gives_one_score_a_class(in_channels: int, size: tuple[int, int]) -> None:
    network = WideResNet(Architecture.of(10, 1.3), 100, in_channels)

    assert network(torch.randn(2, in_channels, *size)).shape == (2, 100)


def plain_forward(network: WideResNet, images: Tensor) -> Tensor:
    """The authors' formulas for B(3,3), evaluating, from the weights by name: no code of the network."""
    weights = dict(network.named_parameters()) | dict(network.named_buffers())

    def bn_relu(x: Tensor, name: str) -> Tensor:
        mean, variance, scale, shift = (
            weights[f"{name}.{part}"][:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return ((x - mean) / (variance + 1e-5).sqrt() * scale + shift).clamp(min=0)

    out = F.conv2d(images, weights["stem.weight"], padding=1)
    for group in range(3):
        for block in range(len(network.groups[group])):
            name, stride = f"groups.{group}.{block}", 2 if group > 0 and block == 0 else 1
            o1 = bn_relu(out, f"{name}.bns.0")
            o2 = bn_relu(F.conv2d(o1, weights[f"{name}.convs.0.weight"], None, stride, 1), f"{name}.bns.1")
            z = F.conv2d(o2, weights[f"{name}.convs.1.weight"], padding=1)
            projection = weights.get(f"{name}.projection.weight")
            out = z + (out if projection is None else F.conv2d(o1, projection, None, stride))
    return bn_relu(out, "bn").mean((2, 3)) @ weights["linear.weight"].T + weights["linear.bias"]


@pytest.mark.parametrize("widen_factor", [1, 2])
def test_the_forward_pass_is_the_authors(widen_factor: float) -> None:
    network = WideResNet(Architecture.of(16, widen_factor), dropout=0.3).double()
    images = torch.randn(3, 3, 16, 16, dtype=torch.float64)
    for _ in range(3):
        network(images)  # moves the running statistics away from 0 and 1
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.05 * torch.randn_like(parameter)  # and scales and shifts away from 1 and 0
    network.eval()

    torch.testing.assert_close(network(images), plain_forward(network, images))


def test_shortcuts_are_identities_exactly_where_the_channels_stay() -> None:
    def projected(widen_factor: float) -> list[list[bool]]:
        groups = WideResNet(Architecture.of(16, widen_factor)).groups
        return [[block.projection is not None for block in group] for group in groups]

    assert projected(2) == [[True, False], [True, False], [True, False]]
    assert projected(1) == [[False, False], [True, False], [True, False]]
    assert projected(1.05) == [[False, False], [True, False], [True, False]]
    assert projected(0.5) == [[True, False], [True, False], [True, False]]


def test_the_stride_is_in_the_first_convolution_of_groups_2_and_3() -> None:
    network = WideResNet(Architecture.of(22, 2, "B(1,3,1)"))
    strided = [name for name, module in network.named_modules() if getattr(module, "stride", None) == (2, 2)]

    assert strided == [f"groups.{group}.0.{layer}" for group in (1, 2) for layer in ("convs.0", "projection")]


@pytest.mark.parametrize(("kernels", "places"), [((3, 3), ["convs.1"]), ((3, 1, 3), ["convs.1", "convs.2"])])
def test_dropout_comes_before_every_convolution_but_the_first(
    kernels: tuple[int, ...], places: list[str]
) -> None:
    block = Block(layout.Block.of((16,) * (len(kernels) + 1), kernels, stride=1), dropout=0.5)
    zeros: dict[str, float] = {}
    for name, module in block.named_modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_pre_hook(
                lambda _, inputs, name=name: zeros.update({name: (inputs[0] == 0).float().mean().item()})
            )
    block(torch.randn(16, 16, 16, 16))

    # ReLU of a normalised value is 0 half of the time, dropout of it three quarters of the time.
    expected = {f"convs.{i}": 0.75 if f"convs.{i}" in places else 0.5 for i in range(len(kernels))}
    assert zeros == pytest.approx(expected, abs=0.03)


_STEPS_ON_LARGE_IMAGES = """
import sys, torch
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.wide_resnet import WideResNet

torch.set_num_threads(1)
widen_factor, block, size, precision = float(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
network = WideResNet(Architecture.of(10, widen_factor, block)).to(memory_format=torch.channels_last)
images = torch.randn(8, 3, size, size).to(memory_format=torch.channels_last)
for _ in range(2):
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        loss = network(images).square().mean()
    loss.backward()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("widen_factor", "block", "size", "precision"),
    [(0.25, "B(3,3)", 64, "fp32"), (0.5, "B(1,3)", 64, "fp32"), (0.5, "B(3,3)", 224, "bf16")],
)
def test_narrow_networks_train_on_large_images(
    widen_factor: float, block: str, size: int, precision: str
) -> None:
    """In a process of its own: torch's strided 1x1 convolutions of 4, 8 and 12 channels end it on AVX512."""
    arguments = [str(widen_factor), block, str(size), precision]
    done = subprocess.run(
        [sys.executable, "-c", _STEPS_ON_LARGE_IMAGES, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("size", [(8, 8), (33, 33), (17, 40)])
@pytest.mark.parametrize("c_in", [16, 40])
def test_a_pointwise_convolution_that_strides_first_is_torchs(c_in: int, size: tuple[int, int]) -> None:
    """Where torch's own can be run, with 16 channels and more: to the bit, but for sums in another order."""
    ours = StridedPointwise(c_in, 24, 1, 2, bias=False).to(memory_format=torch.channels_last)
    theirs = nn.Conv2d(c_in, 24, 1, 2, bias=False).to(memory_format=torch.channels_last)
    theirs.load_state_dict(ours.state_dict())
    images = torch.randn(4, c_in, *size).to(memory_format=torch.channels_last)
    results = []
    for conv in (ours, theirs):
        inputs = images.clone().requires_grad_()
        outputs = conv(inputs)
        outputs.square().sum().backward()
        assert inputs.grad is not None
        assert conv.weight.grad is not None
        results.append((outputs, inputs.grad, conv.weight.grad))

    (our_outputs, our_inputs, our_weights), (their_outputs, their_inputs, their_weights) = results
    assert torch.equal(our_outputs, their_outputs)
    assert torch.equal(our_inputs, their_inputs)
    torch.testing.assert_close(our_weights, their_weights, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("block", ["B(3,3)", "B(1,3)"])
def test_only_narrow_networks_stride_first(block: str) -> None:
    def striding_first(widen_factor: float) -> list[str]:
        network = WideResNet(Architecture.of(10, widen_factor, block))
        return [name for name, module in network.named_modules() if isinstance(module, StridedPointwise)]

    narrow = (
        ["groups.1.0.projection"] if block == "B(3,3)" else ["groups.1.0.convs.0", "groups.1.0.projection"]
    )
    assert striding_first(1) == []
    assert striding_first(0.5) == narrow  # 8 channels into the second group, 16 into the third
    assert striding_first(0.25) == narrow + [name.replace("groups.1", "groups.2") for name in narrow]


def test_evaluation_drops_nothing() -> None:
    network = WideResNet(Architecture.of(10, 1), dropout=0.5)
    images = torch.randn(4, 3, 8, 8)
    assert not torch.equal(network(images), network(images))
    network.eval()

    assert torch.equal(network(images), network(images))


@pytest.mark.parametrize("init", ["fan_in", "fan_out"])
def test_initial_weights_are_kaiming_normal(init: str) -> None:
    network = WideResNet(Architecture.of(10, 8), init=init)

    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            c_out, c_in, kernel, _ = module.weight.shape
            fan = (c_in if init == "fan_in" else c_out) * kernel**2
            assert module.bias is None
            assert module.weight.std().item() == pytest.approx(math.sqrt(2 / fan), rel=0.1), name
            assert abs(module.weight.mean().item()) < 0.1 * math.sqrt(2 / fan), name
        if isinstance(module, nn.BatchNorm2d):
            assert (module.eps, module.momentum) == (1e-5, 0.1)
            assert (module.weight == 1).all()
            assert (module.bias == 0).all()
    assert network.linear.weight.std().item() == pytest.approx(math.sqrt(2 / 512), rel=0.05)
    assert (network.linear.bias == 0).all()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"dropout": 1.0}, "0 <= dropout < 1 must hold, but got 1"),
        ({"dropout": -0.1}, "0 <= dropout < 1 must hold, but got -0.1"),
        ({"init": "xavier"}, "init must be one of fan_in, fan_out, but got 'xavier'"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        WideResNet(Architecture.of(10, 1), **arguments)  # type: ignore[arg-type]


def test_dropout_has_no_place_in_blocks_of_one_convolution() -> None:
    with pytest.raises(ValueError, match=r"dropout = 0 must hold with block B\(3\), but got 0.3"):
        WideResNet(Architecture.of(10, 1, "B(3)"), dropout=0.3)
