"""`search.budget`: what is told of one that is wrong, contradicts another key or pays for nothing."""

from __future__ import annotations

import pytest

from tests.space.spaces import complaints, space

FORMS = "{epochs: 2000}, {hours: 8}, {gpu_hours: 12} or {network_passes: 1e15}"


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        ("3", f"must be a budget such as {FORMS}, but got 3"),
        ("{}", f"must be a budget such as {FORMS}, but got {{}}"),
        ("[epochs]", f"must be a budget such as {FORMS}, but got ['epochs']"),
        (
            "{epoch: 99}",
            "a search can spend epochs, hours, gpu_hours, network_passes, but got 'epoch' (did you mean 'epochs'?)",
        ),
        ("{1: 99}", "a search can spend epochs, hours, gpu_hours, network_passes, but got '1'"),
        ("{epochs: 0}", "epochs must be a whole number from 1 to 1000000000, but got 0"),
        ("{epochs: -5}", "epochs must be a whole number from 1 to 1000000000, but got -5"),
        ("{epochs: 1.5}", "epochs must be a whole number, but got 1.5"),
        ("{hours: 0}", "hours must be a number above 0 and at most 1e+06, but got 0"),
        ("{hours: -1}", "hours must be a number above 0 and at most 1e+06, but got -1"),
        ("{hours: .nan}", "hours must be a finite number, but got .nan"),
        ("{gpu_hours: many}", "gpu_hours must be a number, but got 'many'"),
        ("{network_passes: true}", "network_passes must be a number, but got true"),
        ("{choice: [1, 2]}", "must be a single value, not a domain, but got {choice: [1, 2]}"),
    ],
)
def test_a_wrong_budget_is_told_with_its_line(budget: str, told: str) -> None:
    (found,) = complaints(f"search:\n  budget: {budget}\n")
    assert found.startswith(f"s.yaml:2: search.budget: {told}")


@pytest.mark.parametrize(
    ("search", "told"),
    [
        (
            "budget: {epochs: 59}",
            "epochs must pay for one configuration, 60 epochs (training.epochs), but got 59",
        ),
        (
            "{budget: {epochs: 119}, repeats: 2}",
            "epochs must pay for one configuration, 60 epochs (training.epochs) x 2 (search.repeats), but got 119",
        ),
        (
            "budget: {network_passes: 1e6}",
            "network_passes must pay for one configuration, 60 epochs (training.epochs) of the smallest network are ",
        ),
        (
            "{budget: {hours: 3}, max_hours: 2}",
            "hours must not contradict search.max_hours: 2, but got 3.0; give one of them",
        ),
        (
            "budget: {gpu_hours: 3}",
            "gpu_hours need trials on GPUs, but got resources.gpus_per_trial: 0; give hours",
        ),
    ],
)
def test_a_budget_that_cannot_be_is_told(search: str, told: str) -> None:
    text = search if search.startswith("{") else f"{{{search}}}"
    (found,) = complaints(f"resources: {{gpus_per_trial: 0}}\nsearch: {text}\n")
    assert found.startswith(f"s.yaml:2: search.budget: {told}")


def test_what_is_said_twice_alike_is_no_contradiction() -> None:
    search = space("search: {budget: {hours: 2, epochs: 60}, max_hours: 2}").search
    assert search.budget == {"hours": 2.0, "epochs": 60}


@pytest.mark.parametrize(
    ("search", "most", "least"),
    [
        ("{}", 64, 64),
        ("{budget: {epochs: 600}}", 600, 10),
        ("{budget: {epochs: 600}, repeats: 3}", 200, 3),
        ("{budget: {epochs: 600}, trials: 7}", 7, 7),
        ("{budget: {hours: 3}}", 1_000_000, 64),
    ],
)
def test_a_budget_without_trials_pays_for_as_many_as_it_can(search: str, most: int, least: int) -> None:
    found = space(f"search: {search}")
    assert (found.trials, found.trials_at_least) == (most, least)
