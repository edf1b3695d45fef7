"""Families in a space file: what each takes, what is refused with the nearest, networks of several in one search."""

from __future__ import annotations

import pytest

from tests.space.spaces import complaints, space
from wrn_search.space.space_file import space_from_mapping
from wrn_search.space.trial_config import TrialConfig, config_problem
from wrn_search.space.trials_of_other_spaces import hparams_within

DEPTHS = "depth must be 18 or 34 with block basic, or 50, 101 or 152 with block bottleneck"

BAD = [
    (
        "{family: preact_resnet, depth: 112}",
        "depth: depth must be 9*N + 2 with block bottleneck (nearest: 110 or 119)",
    ),
    (
        "{family: preact_resnet, depth: 60, block: basic}",
        "depth: depth must be 6*N + 2 with block basic (nearest: 56 or 62)",
    ),
    ("{family: imagenet_resnet, depth: 40}", f"depth: {DEPTHS} (nearest: 34 or 50), but got 40"),
    (
        "{family: imagenet_resnet, depth: {choice: [18, 20]}}",
        f"depth: {DEPTHS} (nearest: 18 or 34), but got 20",
    ),
    (
        "{family: preact_resnet, depth: 164, widen_factor: 2}",
        "widen_factor: widen_factor must be 1 with family preact_res",
    ),
    (
        "{family: preact_resnet, depth: 164, deepening_factor: 2}",
        "deepening_factor: is for family wrn; blocks of family",
    ),
    (
        "{family: preact_resnet, depth: 164, block: 'B(3,3)'}",
        "block: block must be basic or bottleneck with family preact_resnet (nearest: basic), but got B(3,3)",
    ),
    (
        "{block: bottleneck}",
        "block: block must be B(...) with family wrn (nearest: B(1,3,1)), but got bottleneck",
    ),
    (
        "{family: imagenet_resnet, depth: 18, dropout: 0.3}",
        "dropout: dropout must be 0 with family imagenet_resnet",
    ),
    (
        "{network: {choice: [WRN-40-4, WRN-18-2]}, dropout: {uniform: [0, 0.5]}}",
        "dropout: dropout must be 0 with family imagenet_resnet (or apply only elsewhere: when: {family: wrn})",
    ),
    (
        "{family: imagenet_resnet, network: WRN-28-10}",
        f"network: {DEPTHS} (nearest: 18 or 34), but got 28 in WRN-28-10",
    ),
    (
        "{family: imagenet_resnet, network: ResNet-164}",
        "network: must be a network of family imagenet_resnet, WRN-",
    ),
    (
        "{family: preact}",
        "family: must be one of wrn, preact_resnet, imagenet_resnet, but got 'preact' (did you mean",
    ),
    ("{family: {choice: [wrn, preact_resnet]}}", "family: must be a single value, not a domain, but got"),
    ("{stochastic_depth: 1}", "stochastic_depth: must be a number at least 0 and below 1, but got 1"),
]


@pytest.mark.parametrize(("model", "text"), BAD, ids=lambda part: part[:40])
def test_what_a_family_does_not_have_is_refused(model: str, text: str) -> None:
    (line,) = complaints(f"name: s\nmodel: {model}")

    assert line.startswith(f"s.yaml:2: model.{text}".removesuffix("…")), line


def test_other_rules_are_told_beside_those_of_families() -> None:
    found = complaints("name: s\nmodel: {block: basic, dropout: 2}\ntraining: {epochs: 5, lr_drops: [9]}\n")

    keys = {line.split(":")[2].strip() for line in found}
    assert keys == {"model.block", "model.dropout", "training.lr_drops"}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("{family: preact_resnet, depth: 110}", ("ResNet-110", "basic", 1.0)),
        ("{family: preact_resnet, depth: 164}", ("ResNet-164", "bottleneck", 1.0)),
        ("{family: imagenet_resnet, depth: 18, widen_factor: 1.5}", ("WRN-18-1.5", "basic", 1.5)),
        ("{family: imagenet_resnet, depth: 50, widen_factor: 2}", ("WRN-50-2-bottleneck", "bottleneck", 2.0)),
        ("{family: imagenet_resnet, network: WRN-34-2}", ("WRN-34-2", "basic", 2.0)),
        ("{network: ResNet-1001}", ("ResNet-1001", "bottleneck", 1.0)),
        ("{network: {family: preact_resnet, depth: 164}}", ("ResNet-164", "bottleneck", 1.0)),
    ],
)
def test_a_trial_of_a_family_is_whole(model: str, expected: tuple[str, str, float]) -> None:
    made = space(f"name: s\nmodel: {model}")
    config = made.trial_config({}, 0, precision="fp32", compile="off")

    assert (config.architecture.name, config.block, config.widen_factor) == expected
    assert config.deepening_factor is None
    assert config_problem(config.to_dict()) is None
    assert TrialConfig.from_dict(config.to_dict()) == config
    assert space_from_mapping(made.to_document()).to_document() == made.to_document()


def test_networks_of_several_families_are_one_choice() -> None:
    names = ["WRN-40-4", "ResNet-164", "WRN-34-2", "WRN-34-2-basic"]
    dropout = "{uniform: [0.0, 0.5], when: {family: [wrn, preact_resnet]}}"
    made = space(f"name: s\nmodel: {{network: {{choice: [{', '.join(names)}]}}, dropout: {dropout}}}")

    assert made.hyperparameters["family"].to_document() == {
        "choice": ["wrn", "preact_resnet", "imagenet_resnet"]
    }
    for network in made.networks or ():
        hparams = made.shape_of(network) | {"dropout": 0.25}
        hparams = made.hparams_at(made.point_of(hparams) or {})
        config = made.trial_config(hparams, 0, precision="fp32", compile="off")
        assert config.architecture == network
        assert hparams["dropout"] == (None if network.family == "imagenet_resnet" else 0.25)
        assert config.dropout == (hparams["dropout"] or 0.0)
        assert hparams_within(made, config.leaves) == hparams


def test_points_may_tell_a_family_or_name_a_network() -> None:
    made = space(
        "search: {points: [{network: ResNet-164}, {network: WRN-40-4}, {family: preact_resnet, depth: 110}]}"
    )
    points = [made.hparams_at({"point": place}) for place in range(3)]
    configs = [made.trial_config(point, 0, precision="fp32", compile="off") for point in points]

    assert [config.architecture.name for config in configs] == ["ResNet-164", "WRN-40-4", "ResNet-110"]


def test_points_of_wide_networks_say_nothing_of_families() -> None:
    made = space("search: {points: [{network: WRN-16-4}, {network: WRN-40-2}]}")

    assert list(made.hyperparameters) == ["depth", "widen_factor", "block"]


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (
            "{family: imagenet_resnet, depth: {choice: [18, 34, 50]}, widen_factor: {choice: [1, 1.5]}}",
            ["WRN-18-1", "WRN-18-1.5", "WRN-34-1", "WRN-50-1-bottleneck", "WRN-50-1.5-bottleneck"],
        ),
        (
            "{family: preact_resnet, depth: {choice: [110, 164, 1001, 20]}}",
            ["ResNet-20", "ResNet-110", "ResNet-164", "ResNet-1001"],
        ),
    ],
)
def test_a_budget_leaves_networks_of_the_family(model: str, names: list[str]) -> None:
    made = space(f"name: s\nmodel: {model}\nconstraints: {{num_params: {{max: 4.5e+7}}}}")

    assert [network.name for network in made.networks or ()] == names
    for network in made.networks or ():
        hparams = made.shape_of(network)
        point = made.point_of(hparams)
        assert point is not None
        assert made.hparams_at(point) == hparams
        assert made.trial_config(hparams, 0, precision="fp32", compile="off").architecture == network
