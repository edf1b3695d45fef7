"""A network compiled block by block, by a backend that runs on a CPU: what it computes, how often it is compiled."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
import torch
from torch import nn
from torch._dynamo.testing import CompileCounter

from wrn_search.networks.architecture import Architecture
from wrn_search.networks.built_network import built_network
from wrn_search.training import compiled_network as module
from wrn_search.training.compiled_network import blocks, compiled_network, plain_blocks

CUDA = torch.device("cuda", 0)  # a name: nothing is brought there


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    torch.compiler.reset()
    yield
    torch.compiler.reset()


def _network() -> nn.Module:
    torch.manual_seed(0)
    return built_network(Architecture.of(28, 0.5, "B(3,3)"), 10, 3)


def test_blocks_of_one_shape_share_their_code_and_compute_the_same() -> None:
    """WRN-28 has twelve blocks of six shapes; torch would give up after eight kinds of one function."""
    images = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    plain = _network()
    expected = plain(images)
    expected.sum().backward()
    counter = CompileCounter()
    compiled = compiled_network(_network(), CUDA, backend=counter)
    found = compiled(images)
    found.sum().backward()
    assert len(list(blocks(compiled))) == 12
    assert counter.frame_count == 6
    assert torch.equal(found, expected)
    gradients = zip(plain.parameters(), compiled.parameters(), strict=True)
    assert all(torch.equal(one.grad, other.grad) for one, other in gradients)
    assert list(compiled.state_dict()) == list(plain.state_dict())


def test_evaluation_compiles_nothing() -> None:
    counter = CompileCounter()
    network = compiled_network(_network(), CUDA, backend=counter)
    network.train()
    network(torch.randn(4, 3, 16, 16))
    before = counter.frame_count
    network.eval()
    with torch.inference_mode(), plain_blocks(True):
        network(torch.randn(7, 3, 16, 16))
    assert counter.frame_count == before
    network.train()
    network(torch.randn(4, 3, 16, 16))
    assert counter.frame_count == before, "what was compiled is there again"


def test_on_a_cpu_the_network_is_compiled_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    network = _network()
    compiled = compiled_network(network, torch.device("cpu"), backend="eager")
    assert compiled is not network
    assert all(block._compiled_call_impl is None for block in blocks(network))


def test_a_compiled_network_that_nobody_needs_goes() -> None:
    network = compiled_network(_network(), CUDA, backend="eager")
    network(torch.randn(4, 3, 16, 16))
    gone = weakref.ref(network)
    del network
    torch.compiler.reset()
    gc.collect()
    assert gone() is None


def test_torchvisions_blocks_are_found_too() -> None:
    network = built_network(Architecture(18, 1.0, (3, 3), "imagenet_resnet"), 10, 3)
    assert len(list(blocks(network))) == 8


def test_a_users_threads_of_the_compiler_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor import config

    monkeypatch.setattr(config, "compile_threads", 5)
    monkeypatch.setenv(module._THREADS, "5")
    compiled_network(_network(), CUDA, backend="eager")
    assert config.compile_threads == 5
    monkeypatch.delenv(module._THREADS)
    compiled_network(_network(), CUDA, backend="eager")
    assert config.compile_threads == torch.get_num_threads()
