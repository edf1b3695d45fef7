"""Whole networks and whole configurations in a file: what they mean, and what is told of wrong ones."""

from __future__ import annotations

import pytest

from tests.space.spaces import complaints, space
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.network_names import exact_name, named_network

SEARCHED = "model:\n  depth: {choice: [10, 16]}\n  dropout: {uniform: [0, 0.5]}\n"
HUGE = "9" * 400  # more than any float holds
JOINT = "model:\n  network: {choice: [WRN-10-2, WRN-16-1]}\n"
NOT_A_PLACE = "dropout sits between the convolutions of a block, so it must be 0 where a block has only one"


def points(*items: str) -> str:
    return "search:\n  points:\n" + "".join(f"  - {item}\n" for item in items)


@pytest.mark.parametrize("k", [1.0, 1.125, 10.0625, 1 / 3, 0.0625, 99.99999999999])
@pytest.mark.parametrize("block", ["B(3,3)", "B(3,1,3)"])
def test_a_network_is_what_its_name_says_to_the_last_digit(k: float, block: str) -> None:
    network = Architecture.of(40, k, block)

    assert named_network(exact_name(network)) == network


def test_all_ways_to_list_networks_mean_the_same() -> None:
    forms = [
        "{choice: [WRN-10-1.125, WRN-16-0.75]}",
        "[WRN-10-1.125, WRN-16-0.75]",
        "{choice: [{depth: 10, widen_factor: 1.125}, {depth: 16, widen_factor: 0.75, block: 'B(3,3)'}]}",
        "[{depth: 10, widen_factor: 1.125}, {depth: 16, widen_factor: 0.75, deepening_factor: 2}]",
    ]
    spaces = [space(f"model:\n  network: {form}\n") for form in forms]

    assert {str(each.hyperparameters) for each in spaces} == {str(spaces[0].hyperparameters)}
    assert [each.networks for each in spaces] == [(Architecture(10, 1.125), Architecture(16, 0.75))] * 4
    assert spaces[0].size == 2


def test_one_network_is_fixed_and_its_columns_are_the_ordinary_ones() -> None:
    made = space("model: {network: 'WRN-40-2-B(3,1,3)', dropout: {uniform: [0, 0.5]}}")

    config = made.trial_config({"dropout": 0.1}, 0, precision="fp32", compile="off")
    assert (config.depth, config.widen_factor, config.block, config.deepening_factor) == (
        40,
        2.0,
        "B(3,1,3)",
        3,
    )
    assert list(made.hyperparameters) == ["dropout"]


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        (
            "model:\n  network: [WRN-10-1, WRN-11-1]",
            2,
            "depth must be 6*N + 4 with block B(3,3) (nearest: 10 or 16), but got 11 in WRN-11-1",
        ),
        (
            "model:\n  network: VGG-18",
            2,
            "must be a network such as WRN-28-10, WRN-40-2-B(3,1,3), ResNet-164, WRN-18-1.5 or WRN-50-2-bottleneck, "
            "but got 'VGG-18'",
        ),
        (
            "model:\n  network: {depth: 11, widen_factor: 1}",
            2,
            "depth must be 6*N + 4 with block B(3,3) (nearest: 10 or 16), but got 11",
        ),
        (
            "model:\n  network:\n    choice:\n    - {depth: 10, widen_factor: 1}\n    - {depth: 10, widen_facor: 1}",
            5,
            "a network must be told by depth, widen_factor, block, deepening_factor, family, but got 'widen_facor' "
            "(did you mean 'widen_factor'?)",
        ),
        ("model:\n  network: [WRN-10-1, {depth: 10, widen_factor: 1}]", 2, "must list every value once, but got "
         "WRN-10-1 twice"),
        ("model:\n  network: {uniform: [1, 2]}", 2, "must be a network such as"),
        ("model:\n  network: {depth: .inf, widen_factor: 1}", 2, "depth must be a whole number, but got .inf"),
        ("model:\n  network: {depth: .nan, widen_factor: 1}", 2, "depth must be a whole number, but got .nan"),
        (f"model:\n  network: {{depth: 16, widen_factor: {HUGE}}}", 2, "widen_factor must be a number at least 0.0625"),
    ],
)  # fmt: skip
def test_a_wrong_network_is_told_with_its_line(text: str, line: int, told: str) -> None:
    (found, *_) = complaints(text)

    assert found.startswith(f"s.yaml:{line}: model.network: {told}")


def test_a_network_stands_alone() -> None:
    (found,) = complaints(f"{JOINT}  depth: 16\n")

    rule = "network stands for depth, widen_factor and block, so they must not stand beside it"
    assert found == f"s.yaml:3: model.depth: {rule}, but got depth: 16"


def test_dropout_needs_a_place_in_every_listed_network() -> None:
    (found,) = complaints("model: {network: [WRN-10-1, 'WRN-10-1-B(3)'], dropout: 0.1}")

    assert found == f"s.yaml:1: model.dropout: {NOT_A_PLACE}, but got 0.1"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (points("{depht: 10}"), "a configuration must be told by network, depth, "),
        (points("3"), "must be a configuration, such as {depth: 16, dropout: 0.3}, but got 3"),
        (points("{}"), "must be a configuration, such as {depth: 16, dropout: 0.3}, but got {}"),
        (points("{dropout: 1}"), "dropout must be a number at least 0 and below 1, but got 1"),
        (points("{epochs: 3}"), "a configuration must be told by network, "),
        (points("{depth: {choice: [10]}}"), "depth must be a single value, but got {choice: [10]}"),
        (points("{network: WRN-10-1, depth: 10}"), "network stands for depth, widen_factor and block"),
        (points("{block: 'B(3,3)', deepening_factor: 2}"), "block or deepening_factor must be told, not both"),
        (points("{depth: 11}"), "depth must be 6*N + 4 with block B(3,3) (nearest: 10 or 16), but got 11"),
        (points("{block: B(3), dropout: 0.1}"), f"{NOT_A_PLACE}, but got 0.1"),
        (SEARCHED + points("{depth: 22}"), "depth must lie in {choice: [10, 16]}, but got 22"),
        (SEARCHED + points("{widen_factor: 2}"), "widen_factor is fixed at 1.0 in this space (give it a domain to "
         "search it), but got 2.0"),
        (SEARCHED + points("{block: 'B(3,1,3)'}"), "block must be a block of this space, but got 'B(3,1,3)'"),
        (JOINT + points("{depth: 10, widen_factor: 1}"), "a point's network must be one of the space's networks "
         "(WRN-10-2, WRN-16-1), but got {depth: 10, widen_factor: 1.0}"),
        (JOINT + points("{depth: 10}"), "a point must tell all of depth, widen_factor or none, as networks are no "
         "product of them, but got {depth: 10}"),
        ("model: {network: WRN-10-1}\n" + points("{depth: 16}"), "the network is fixed by model.network: take that "
         "out, or this key, but got 16"),
    ],
)  # fmt: skip
def test_a_wrong_point_is_told_with_its_line(text: str, told: str) -> None:
    (found,) = complaints(text)

    assert found.startswith(f"s.yaml:{text.count(chr(10))}: search.points: {told}")


@pytest.mark.parametrize(
    "pair",
    [
        ("{depth: 10}", "{network: WRN-10-1}"),
        ("{depth: 22, deepening_factor: 3}", "{depth: 22, block: 'B(3,3,3)'}"),
        ("{depth: 10, weight_decay: 5e-4}", "{depth: 10}"),
    ],
)
@pytest.mark.parametrize("model", ["", SEARCHED])
def test_one_configuration_twice_is_told(pair: tuple[str, str], model: str) -> None:
    if model and "deepening_factor" in pair[0]:
        model = "model:\n  depth: {choice: [22, 40]}\n  block: {choice: ['B(3,1,3)', 'B(3,3,3)']}\n"
    found = complaints(model + points(*pair))[-1]

    rule = "every configuration must be listed once (search.repeats trains more seeds of it)"
    assert (
        found == f"s.yaml:{4 + model.count(chr(10))}: search.points: {rule}, but got point 2 again as point 1"
    )


@pytest.mark.parametrize(
    ("blocks", "point", "means"),
    [
        ("deepening_factor: {choice: [2, 3]}", "{network: 'WRN-22-1-B(3,3,3)'}", {"deepening_factor": 3}),
        ("deepening_factor: {choice: [2, 3]}", "{block: 'B(3,3)'}", {"deepening_factor": 2}),
        ("block: {choice: ['B(3,1,3)', 'B(3,3)']}", "{deepening_factor: 2}", {"block": "B(3,3)"}),
    ],
)
def test_a_point_and_a_prior_may_tell_the_block_by_its_other_name(
    blocks: str, point: str, means: object
) -> None:
    made = space(f"model:\n  depth: 22\n  {blocks}\nsearch: {{points: [{point}], prior: {point}}}\n")

    assert made.searched.points == (means,)
    assert made.searched.prior is not None
    assert made.searched.prior.values == means


@pytest.mark.parametrize("rest", ["", "constraints: {num_params: {max: 1e+5}}\n"])
def test_where_one_listed_network_is_left_the_points_are_the_space(rest: str) -> None:
    networks = "[WRN-10-1, WRN-16-2]" if rest else "[WRN-10-1]"
    made = space(f"model:\n  network: {networks}\n{rest}" + points("{dropout: 0.1}", "{dropout: 0.2}"))

    assert (made.size, made.hparams_at({"point": 1})) == (2, {"dropout": 0.2})


def test_what_is_written_down_reads_as_the_same_space() -> None:
    for text in (
        JOINT + points("{network: WRN-16-1}"),
        points("{depth: 10, deepening_factor: 2}", "{depth: 16}"),
    ):
        made = space(text)
        again = type(made).model_validate(made.to_document())
        assert (again, again.searched.points) == (made, made.searched.points)
