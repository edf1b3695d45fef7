"""Trainings that begin with a file's weights: what is frozen keeps its bits, and all goes on exactly."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.training.trainings import config_of, differences, learned, new_training, run_to_the_end, state_of
from wrn_search.errors import InputError
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.built_network import built_network
from wrn_search.pretrained.weights_file import digest_of
from wrn_search.space.rules.starting_file import pinned
from wrn_search.training.checkpoints.checkpoint_file import CheckpointError
from wrn_search.training.frozen_groups import freeze


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a trained WRN-10-0.5 for seven classes."""
    torch.manual_seed(3)
    network = built_network(Architecture.of(10, 0.5), 7, 1)
    network.train()(torch.randn(8, 1, 8, 8))  # statistics that are none of a beginning
    path = tmp_path_factory.mktemp("weights") / "w.pt"
    torch.save(network.state_dict(), path)
    return path


def begun(path: Path, **changes: object) -> dict[str, object]:
    return {
        "init_from": pinned(str(path), digest_of(path)),
        "epochs": 2,
        "lr_drops": (),
        "weight_decay": 0.1,
        **changes,
    }


def test_frozen_groups_keep_every_bit_and_the_others_learn(weights: Path) -> None:
    training = new_training(config_of(**begun(weights, freeze="stem, group1, group2")))
    run_to_the_end(training)
    file, now = torch.load(weights, weights_only=True), training.network.state_dict()
    frozen = [name for name in now if name.startswith(("stem.", "groups.0.", "groups.1."))]
    assert len(frozen) > 20  # batch norms' means and variances among them
    assert [name for name in frozen if not torch.equal(now[name], file[name])] == []
    assert not torch.equal(now["groups.2.0.convs.0.weight"], file["groups.2.0.convs.0.weight"])
    assert not torch.equal(now["bn.running_mean"], file["bn.running_mean"])
    assert now["linear.weight"].shape == (10, 32)
    stepped = {id(each) for group in training.optimiser.param_groups for each in group["params"]}
    names = {name for name, each in training.network.named_parameters() if id(each) in stepped}
    assert names == {name for name in dict(training.network.named_parameters()) if name not in frozen}


def test_it_goes_on_from_a_checkpoint_to_the_same_bits_and_needs_the_file_no_more(
    weights: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "w.pt"
    mine.write_bytes(weights.read_bytes())
    config = config_of(**begun(mine, freeze="stem, group1"))
    whole = new_training(config)
    metrics = run_to_the_end(whole)
    first = new_training(config)
    first.run_epoch()
    first.save(tmp_path / "c.pt")
    mine.unlink()
    second = new_training(
        config_of(**{**begun(weights, freeze="stem, group1")})
    )  # another place, the same file
    second.restore(tmp_path / "c.pt")
    assert learned(second.run_epoch()) == learned(metrics[1])
    one, other = state_of(second, tmp_path), state_of(whole, tmp_path)
    assert differences(one["state"]["network"], other["state"]["network"]) == []


def test_another_file_at_its_place_ends_the_first_epoch_and_fits_no_checkpoint(
    weights: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "w.pt"
    mine.write_bytes(weights.read_bytes())
    config = config_of(**begun(mine))
    training = new_training(config)
    training.run_epoch()
    training.save(tmp_path / "c.pt")
    torch.save(built_network(Architecture.of(10, 0.5), 7, 1).state_dict(), mine)
    with pytest.raises(InputError, match=r"model\.init_from: must be the file that the search began with"):
        new_training(config).run_epoch()
    with pytest.raises(CheckpointError, match="init_from must be"):
        new_training(config_of(**begun(mine))).restore(tmp_path / "c.pt")


def test_what_is_not_frozen_begins_with_the_file_and_is_decayed(weights: Path) -> None:
    training = new_training(config_of(**begun(weights, learning_rate=1e-12)))
    training.run_epoch()
    file, now = torch.load(weights, weights_only=True), training.network.state_dict()
    torch.testing.assert_close(now["groups.0.0.convs.0.weight"], file["groups.0.0.convs.0.weight"])


@pytest.mark.parametrize(
    ("family", "depth", "names"),
    [
        ("wrn", 10, {"stem", "groups.0"}),
        ("preact_resnet", 8, {"stem", "groups.0"}),
        ("imagenet_resnet", 18, {"conv1", "bn1", "layer1"}),
    ],
)
def test_the_groups_of_every_family(family: str, depth: int, names: set[str]) -> None:
    network = built_network(Architecture.of(depth, 1, family=family), 10, 3)
    modules = freeze(network, "stem, group1")
    own = {id(module): name for name, module in network.named_modules()}
    assert {own[id(module)] for module in modules} == names
    frozen = {name for name, each in network.named_parameters() if not each.requires_grad}
    assert frozen == {
        name for name, _ in network.named_parameters() if name.startswith(tuple(f"{n}." for n in names))
    }
