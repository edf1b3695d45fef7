"""Constraints: what they leave, and what is told of those that are wrong, contradict each other or leave nothing."""

from __future__ import annotations

import pytest

from tests.space.spaces import complaints, space
from wrn_search.errors import InputError
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import macs, num_params
from wrn_search.space.network_budgets import check_images
from wrn_search.space.rules.budget_rules import interval_of

FORMS = "{max: 2.5e6}, {min: 1e6, max: 2e6} or {target: 2.2e6, tolerance: 5%}"
MODEL = "model:\n  depth: {int: [10, 40, 6]}\n  widen_factor: {choice: [1, 2, 4]}\n"


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        ("3", f"must be a budget such as {FORMS}, but got 3"),
        ("{}", f"must be a budget such as {FORMS}, but got {{}}"),
        ("{target: 2e6}", f"must be a budget such as {FORMS}, but got {{target: 2000000.0}}"),
        ("{target: 2e6, tolerance: 5%, max: 3e6}", f"must be a budget such as {FORMS}, but got "),
        ("{mx: 3}", "a budget must be told by min, max, target, tolerance, but got 'mx' (did you mean 'max'?)"),
        ("{max: 0}", "max must be a number above 0, but got 0"),
        (f"{{max: {'9' * 400}}}", "max must be a number above 0, but got a number of about 400 digits"),
        ("{max: many}", "max must be a number above 0, but got 'many'"),
        ("{min: 3, max: 2}", "min <= max must hold, but got min=3, max=2"),
        ("{target: 2, tolerance: 5}", "tolerance must be a share above 0 and below 1, such as 5% or 0.05, but got 5"),
        ("{target: 2, tolerance: x%}", "tolerance must be a share above 0 and below 1, such as 5% or 0.05, but got "),
        ("{choice: [1, 2]}", "must be a single value, not a domain, but got {choice: [1, 2]}"),
    ],
)  # fmt: skip
def test_a_wrong_budget_is_told_with_its_line(budget: str, told: str) -> None:
    (found,) = complaints(f"constraints:\n  num_params: {budget}\n")

    assert found.startswith(f"s.yaml:2: constraints.num_params: {told}")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            f"{MODEL}constraints: {{num_params: {{target: 2.3e6, tolerance: 1%}}}}",
            "constraints.num_params: some network of the space must have num_params: {target: 2300000, tolerance: 0.01}"
            ", but none of 18 combinations has: the nearest is WRN-40-2 with 2243546 parameters and 327599360 ",
        ),
        (
            f"{MODEL}constraints: {{num_params: {{max: 1e5}}, macs: {{min: 1e9}}}}",
            "constraints.num_params: some network of the space must have num_params: {max: 100000} and macs: {min: "
            "1000000000}, but none of 18 combinations has: the nearest is ",
        ),
        (
            "model: {depth: {int: [11, 14]}}\nconstraints: {num_params: {max: 1e9}}",
            "constraints.num_params: some network of the space must have num_params: {max: 1000000000}, but none of 4 "
            "combinations has: none exists",
        ),
        (
            "model: {widen_factor: {choice: [0.3, 0.7]}}\nconstraints: {multiple_of: 8}",
            "constraints.multiple_of: some widening factor must have channels that are multiples of 8, but none of the "
            "space has",
        ),
        (
            "model: {network: [WRN-10-1, WRN-16-1]}\nconstraints: {macs: {max: 2}}",
            "constraints.macs: some network of model.network must meet it, but none of WRN-10-1, WRN-16-1 does",
        ),
        (
            "search: {points: [{depth: 10}, {depth: 16}]}\nconstraints: {num_params: {max: 1e5}}",
            "search.points: a point's network must have num_params: {max: 100000}, but got WRN-16-1 with 175066 "
            "parameters and 26657408 multiply-adds",
        ),
        (
            f"{MODEL}constraints: {{num_params: {{max: 1e6}}}}\nsearch: {{points: [{{depth: 40, widen_factor: 4}}]}}",
            "search.points: a point's network must be one of the space's networks (WRN-10-1, WRN-10-2, ",
        ),
        (
            "dataset: {name: cifar100}\nconstraints: {num_classes: 10}",
            "constraints.num_classes: must be that of cifar100, 100, but got 10",
        ),
        (
            "dataset: {name: folder, validation: 100}\nconstraints: {macs: {max: 1e8}, num_classes: 7}",
            "constraints.macs: image_shape must be given with a budget, as only the files of folder tell it, but got",
        ),
        (
            "model: {depth: {int: [10, 9994]}, widen_factor: {uniform: [0.1, 100]}, deepening_factor: {int: [1, 3]}}\n"
            "constraints: {num_params: {max: 1e8}}",
            "constraints.num_params: the space must have at most 20000000 combinations of block, depth and widening "
            "factor, but got 47",
        ),
    ],
)  # fmt: skip
def test_constraints_that_leave_nothing_are_told(text: str, told: str) -> None:
    (found,) = complaints(text)

    assert found.partition(": ")[2].startswith(told)


def test_a_target_with_a_tolerance_is_an_interval() -> None:
    made = space(f"{MODEL}constraints: {{num_params: {{target: 2.2e6, tolerance: 5%}}}}")

    assert interval_of(made.constraints.num_params or {}) == (2.2e6 * 0.95, 2.2e6 * 1.05)
    assert type(made).model_validate(made.to_document()) == made


def test_only_networks_within_all_budgets_are_left() -> None:
    made = space(f"{MODEL}constraints: {{num_params: {{max: 1e6}}, macs: {{min: 3e7}}}}")

    every = [Architecture(depth, k) for depth in range(10, 41, 6) for k in (1.0, 2.0, 4.0)]
    assert list(made.networks or ()) == [n for n in every if num_params(n) <= 1e6 and macs(n) >= 3e7]
    assert made.size == len(made.networks or ())


def test_an_interval_of_widths_holds_whole_channels_or_multiples() -> None:
    text = "model: {depth: 10, widen_factor: {uniform: [1, 2]}}\nconstraints: {multiple_of: %d}"

    assert [n.widen_factor for n in space(text % 8).networks or ()] == [1.0, 1.5, 2.0]
    assert [n.widths[0] for n in space(text % 1).networks or ()] == list(range(16, 33))


def test_depths_that_do_not_exist_with_a_block_are_left_out() -> None:
    made = space(
        "model: {depth: {int: [10, 22]}, deepening_factor: {int: [1, 3]}}\nconstraints: {macs: {max: 1e9}}"
    )

    shapes = {(n.deepening_factor, n.depth) for n in made.networks or ()}
    assert shapes == {
        (1, 10),
        (1, 13),
        (1, 16),
        (1, 19),
        (1, 22),
        (2, 10),
        (2, 16),
        (2, 22),
        (3, 13),
        (3, 22),
    }


def test_listed_networks_are_kept_to_the_budget() -> None:
    made = space("model: {network: [WRN-10-1, WRN-16-1, WRN-40-1]}\nconstraints: {num_params: {max: 2e5}}")

    assert made.networks == (Architecture(10, 1.0), Architecture(16, 1.0))
    assert list(made.hyperparameters) == ["depth"]


def test_images_of_the_user_must_be_what_the_file_says() -> None:
    made = space(
        "dataset: {name: folder, validation: 100}\n"
        "constraints: {macs: {max: 1e9}, num_classes: 7, image_shape: [32, 32, 3]}"
    )

    check_images(made, 7, (32, 32, 3))
    with pytest.raises(InputError) as caught:
        check_images(made, 8, (28, 32, 3))
    assert [str(problem) for problem in caught.value.problems] == [
        "constraints.num_classes: must be what the files tell, 8, but got 7",
        "constraints.image_shape: must be what the files tell, [28, 32, 3], but got [32, 32, 3]",
    ]


@pytest.mark.parametrize(
    "value", ["3", "{B(3,3): 3}", "{B(3,3): {ten: [1, 2]}}", "{B(3,3): {10: [1]}}", "[1, 2]"]
)
def test_what_the_program_writes_is_not_to_be_written_otherwise(value: str) -> None:
    text = value.replace("B(3,3)", "'B(3,3)'")
    (found,) = complaints(f"constraints:\n  predicted: {text}\n")
    rule = "must be left to the program: block -> depth -> [least, most widening factor], but got "
    assert found.startswith(f"s.yaml:2: constraints.predicted: {rule}")


def test_predicted_widths_leave_their_networks() -> None:
    predicted = "{'B(3,3)': {16: [1, 2], 40: [4, 4]}}"
    text = f"{MODEL}constraints: {{peak_memory_bytes: {{max: 1e9}}, predicted: {predicted}}}"
    assert [each.name for each in space(text).networks or ()] == ["WRN-16-1", "WRN-16-2", "WRN-40-4"]
    (found,) = complaints("constraints: {seconds_per_epoch: {max: 1}}\ndataset: {name: folder}")[:1]
    assert "must be given with a budget" in found
