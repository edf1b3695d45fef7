"""`when`: what it means, and what is told of conditions that are wrong or can never hold."""

from __future__ import annotations

import pytest

from tests.space.spaces import complaints, space

WIDTHS = "model:\n  widen_factor: {choice: [1, 4]}\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "model:\n  dropout: {uniform: [0, 0.5], when: 3}",
            "when must tell what other keys must be, such as ",
        ),
        (
            "model:\n  dropout: {uniform: [0, 0.5], when: {}}",
            "when must tell what other keys must be, such as ",
        ),
        (
            "model:\n  dropout: {uniform: [0, 0.5], when: {widen_facor: 4}}",
            "when must name a key of model or training, but got 'widen_facor' (did you mean 'widen_factor'?)",
        ),
        (
            "model:\n  dropout: {uniform: [0, 0.5], when: {widen_factor: {mn: 3}}}",
            "when: a condition on a number must be min, max or both, but got {mn: 3} (did you mean 'min'?)",
        ),
        (
            "model:\n  dropout: {uniform: [0, 0.5], when: {widen_factor: {min: 3, max: 2}}}",
            "when: min <= max must hold, but got min=3, max=2",
        ),
        (
            f"model:\n  dropout: {{uniform: [0, 0.5], when: {{widen_factor: {{min: {'9' * 400}}}}}}}",
            "when: min must be a finite number, but got a number of about 400 digits",
        ),
        (
            "model:\n  dropout: {uniform: [0, 0.5], when: {block: 'B(7)'}}",
            "when: block must be B(...) with 1 to 16 kernel sizes out of 1, 3 and 5, such as B(3,3), but got 'B(7)'",
        ),
        (
            "model:\n  dropout: {uniform: [0, 0.5], when: {block: 'B(3, 1, 3)'}}",
            "when: some configuration of the space must meet it, but none has {block: ['B(3,1,3)']}",
        ),
        (
            "model:\n  dropout: {uniform: [0, 0.5], when: {lr_drops: {min: 1}}}",
            "when: some configuration of the space must meet it, but none has {lr_drops: {min: 1.0}}",
        ),
        (
            "model:\n  dropout: {uniform: [0, 0.5], when: {depth: []}}",
            "when: must list at least one value, but got []",
        ),
        (
            "model:\n  depth: {choice: [10, 16], when: {widen_factor: 1}}",
            "which networks there are must not depend on other keys (constraints can leave some out), but got ",
        ),
        (
            "model:\n  dropout: {uniform: [0, 0.5], when: {dropout: {min: 0.1}}}",
            "when must name a key that has no condition itself, but got 'dropout'",
        ),
        (
            f"{WIDTHS}  dropout: {{uniform: [0, 0.5], when: {{widen_factor: {{min: 5}}}}}}",
            "when: some configuration of the space must meet it, but none has {widen_factor: {min: 5.0}}",
        ),
        (
            "model:\n  dropout: {uniform: [0, 0.5], if: {widen_factor: 4}}",
            "what a domain depends on must stand under when, but got {uniform: [0, 0.5], if: {widen_factor: 4}}; write "
            "{uniform: [0, 0.5], when: {widen_factor: {min: 4}}}",
        ),
        (
            "model:\n  dropout: {when: {widen_factor: 4}}",
            "must be a value or a domain (choice, uniform, loguniform, int), but got {}",
        ),
    ],
)
def test_a_wrong_condition_is_told_with_its_line(text: str, told: str) -> None:
    (found,) = complaints(text)

    where, _, rest = found.partition(": ")
    assert where in ("s.yaml:2", "s.yaml:3")
    assert rest.partition(": ")[2].startswith(told)


def test_a_point_tells_nothing_that_does_not_apply() -> None:
    dropout = "  dropout: {uniform: [0, 0.5], when: {widen_factor: {min: 4}}}\n"
    (found,) = complaints(f"{WIDTHS}{dropout}search:\n  points:\n  - {{widen_factor: 1, dropout: 0.3}}\n")

    rule = "dropout applies only when {widen_factor: {min: 4.0}}, but got widen_factor: 1.0"
    assert found == f"s.yaml:6: search.points: {rule}"


def test_dropout_may_be_searched_beside_blocks_that_have_no_place_for_it() -> None:
    model = "model:\n  depth: 10\n  block: {choice: [B(3), 'B(3,3)']}\n"
    made = space(f"{model}  dropout: {{uniform: [0, 0.5], when: {{block: 'B(3,3)'}}}}\n")

    assert made.hparams_at({"block": "B(3)", "dropout": 0.3}) == {"block": "B(3)", "dropout": None}
    (found,) = complaints(f"{model}  dropout: {{uniform: [0, 0.5], when: {{depth: 10}}}}\n")
    assert "must be 0 where a block has only one" in found


@pytest.mark.parametrize("when", ["{widen_factor: {min: 4, max: 8}}", "{init: fan_in, widen_factor: [1, 4]}"])
def test_what_is_written_down_reads_as_the_same_space(when: str) -> None:
    made = space(f"{WIDTHS}  dropout: {{uniform: [0, 0.5], when: {when}}}\n")

    assert type(made).model_validate(made.to_document()) == made
