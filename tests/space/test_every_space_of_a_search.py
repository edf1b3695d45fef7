"""What was ever searched stays searched: domains of earlier sessions and values of trials, as one domain each."""

from __future__ import annotations

import pytest

from wrn_search.space.domains import Choice, IntRange, LogUniform, Uniform, member
from wrn_search.space.every_space_of_a_search import domain_of, ever_searched


@pytest.mark.parametrize(
    "domain",
    [Choice((16, 22)), Choice(("fan_in",)), Uniform(0.0, 0.5), LogUniform(1e-5, 1e-2), IntRange(1, 9, 2)],
)
def test_a_domain_is_read_as_the_space_file_writes_it(domain) -> None:
    assert domain_of(domain.to_document()) == domain


@pytest.mark.parametrize(
    "other",
    [16, "asha", None, [1, 2], {}, {"choice": []}, {"uniform": [1]}, {"of": [1, 2]}, {"int": ["a", "b"]}],
)
def test_all_else_is_none(other) -> None:
    assert domain_of(other) is None


def test_a_space_that_never_changed_is_as_it_is() -> None:
    now = {"dropout": Uniform(0.0, 0.5), "depth": Choice((16, 22))}
    assert ever_searched(now) == now
    assert list(ever_searched(now, (), {"depth": [22], "dropout": [0.1]})) == list(now)


@pytest.mark.parametrize(
    ("now", "before", "tried", "expected"),
    [
        (None, {"choice": [16, 22]}, [16, 16], Choice((16, 22))),  # fixed by now
        (Choice((16,)), {"choice": [16, 22]}, [22], Choice((16, 22))),
        (Choice((28,)), None, [16, 28], Choice((28, 16))),  # by a version that did not keep the domain before
        (None, None, [22, 16], Choice((16, 22))),
        (IntRange(10, 16, 6), {"int": [22, 28, 6]}, [22], IntRange(10, 28)),
    ],
)
def test_one_domain_holds_what_any_session_searched(now, before, tried, expected) -> None:
    domains = {} if now is None else {"depth": now}
    replaced = [] if before is None else [{"model.depth": before, "search.trials": 4}]
    assert ever_searched(domains, replaced, {"depth": tried}) == {"depth": expected}


def test_intervals_grow_and_keep_their_scale() -> None:
    found = ever_searched(
        {"weight_decay": LogUniform(1e-4, 1e-3)}, [{"training.weight_decay": {"loguniform": [1e-5, 1e-4]}}]
    )
    assert found == {"weight_decay": LogUniform(1e-5, 1e-3)}
    found = ever_searched({"dropout": Uniform(0.1, 0.2)}, (), {"dropout": [0.0, 0.5]})
    assert found == {"dropout": Uniform(0.0, 0.5)}
    many = [step / 100 for step in range(30)]
    assert ever_searched({}, (), {"dropout": many}) == {"dropout": Uniform(0.0, 0.29)}


def test_whatever_was_tried_lies_in_the_domain() -> None:
    mixed = [{"model.dropout": {"choice": [0.0, 0.3]}}, {"model.dropout": {"uniform": [0.1, 0.2]}}]
    tried = [0.3, 0.15, 0.0, 0.7]
    domain = ever_searched({}, mixed, {"dropout": tried})["dropout"]
    assert all(member(domain, value) is not None for value in [0.0, 0.3, 0.7])


def test_keys_that_are_no_hyperparameters_are_none() -> None:
    assert (
        ever_searched({}, [{"search.trials": {"choice": [1, 2]}, "model.nothing": {"choice": [1, 2]}}]) == {}
    )
