"""What `check` tells: sizes, networks, rungs and the most that a search can cost."""

from __future__ import annotations

import itertools

import pytest

from tests.space.spaces import space
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import num_params
from wrn_search.space.explained.search_in_words import text_of
from wrn_search.space.search_explanation import explanation, network_range
from wrn_search.space.trials_of_other_spaces import hparams_within

TEXT = """
name: s
description: "which one?\\nboth"
model: {depth: {choice: [28, 16]}, widen_factor: {choice: [2, 10]}, dropout: {uniform: [0, 0.5]}}
training: {epochs: 200, weight_decay: {loguniform: [1e-5, 1e-3]}}
search: {trials: 20, repeats: 3}
"""


def test_the_numbers_are_those_of_the_paper() -> None:
    told = explanation(space(TEXT), rungs=(60, 120, 160))

    assert told["networks"]["largest"] == {
        "name": "WRN-28-10",
        "num_params": 36_479_194,
        "macs": 5_243_328_768,
    }
    assert told["networks"]["smallest"]["name"] == "WRN-16-2"
    assert told["rungs"] == [60, 120, 160]
    assert (told["trials"], told["repeats"], told["rows"], told["most_epochs"]) == (20, 3, 60, 12_000)
    assert told["configurations_in_space"] is None


def test_a_search_by_curves_says_what_goes_on() -> None:
    told = explanation(space(TEXT.replace("trials: 20", "trials: 20, scheduler: curves")), rungs=(1, 2))
    line = "curves, trials wait after epochs 1, 2; the best use of the next epochs goes on"
    assert f"scheduler     {line}" in text_of(told)
    assert told["promote"]


@pytest.mark.parametrize(
    "line",
    [
        "  which one?",
        "  both",
        "data          cifar10: 5000 validation images, all other training images, meanstd, augmentation flip_crop",
        "  depth               one of 28, 16",
        "  dropout             0 to 0.5",
        "  weight_decay        1e-05 to 0.001, uniform in the logarithm",
        "              to WRN-28-10 (36,479,194 parameters, 5,243,328,768 multiply-adds an image)",
        "searcher      tpe, 20 configurations, 3 seeds each",
        "scheduler     asha, trials are compared after epochs 60, 120, 160; those that do not go on wait there, and go "
        "on once enough others were worse, or places are seen not to last",
        "training      200 epochs, 12,000 epochs over 60 trials at most",
    ],
)
def test_the_text_says_so(line: str) -> None:
    assert line in text_of(explanation(space(TEXT), rungs=(60, 120, 160))).splitlines()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name: s", "  nothing: every value is fixed"),
        ("name: s", "scheduler     asha, but no rung lies below the last epoch: every trial runs to its end"),
        ("search: {scheduler: none}", "scheduler     none: every trial runs to its last epoch"),
        (
            "search: {searcher: cmaes}\nmodel: {init: {choice: [fan_in, fan_out]}, dropout: {uniform: [0, 0.5]}}",
            "              draws init at random: labels have no order to follow",
        ),
        ("model: {depth: {int: [10, 40, 6]}}", "  depth               10 to 40 by 6"),
        (
            "model: {depth: {int: [10, 40, 6]}}",
            "              the space has only 6: the search ends when they have been tried",
        ),
        ("model: {depth: {int: [10, 40, 6]}}", "training      60 epochs, 360 epochs over 6 trials at most"),
        (
            "dataset: {name: digits, root: /data, train_images: 500}",
            "data          digits in /data: 300 validation "
            "images, 500 training images, meanstd, augmentation shift",
        ),
        (
            "model: {depth: 16, widen_factor: 2, dropout: {choice: [0, 0.3]}}",
            "space         2 configurations, all of WRN-16-2 (691,674 parameters, 101,106,944 multiply-adds an image)",
        ),
        (
            "dataset: {name: folder}\nmodel: {depth: {choice: [16, 22]}}",
            "space         2 configurations, networks from WRN-16-1",
        ),
    ],
)
def test_special_cases_are_put_in_words(text: str, line: str) -> None:
    assert line in text_of(explanation(space(text), rungs=())).splitlines()


@pytest.mark.parametrize(
    ("search", "line"),
    [
        (
            "{scheduler: hyperband}",
            "scheduler     hyperband, trials are compared after epochs 3, 9, 27; those that do not go on wait there, "
            "and go on once enough others were worse; in 4 brackets, 55 % from 3, 24 % from 9, 12 % from 27 on, "
            "8 % never",
        ),
        (
            "{scheduler: hyperband, brackets: 1, promote: false}",
            "scheduler     hyperband, trials are compared after epochs 3, 9, 27; those that do not go on end there; "
            "in 1 bracket, 100 % from 3 on",
        ),
        (
            "{scheduler: median}",
            "scheduler     median, after epochs 3, 9, 27 those end whose lowest error is above the median of the "
            "averages of those that were there before, once there are 3",
        ),
    ],
)
def test_what_a_scheduler_does_at_its_rungs_is_put_in_words(search: str, line: str) -> None:
    told = explanation(space(f"search: {search}"), (3, 9, 27))

    assert line in text_of(told).splitlines()
    assert told["promote"] is ("wait there" in line)


@pytest.mark.parametrize(
    "model",
    [
        "{depth: {choice: [40, 16]}, block: {choice: ['B(1,3,1)', 'B(3,3)']}, widen_factor: {choice: [4, 1, 2]}}",
        "{depth: {choice: [22, 40]}, deepening_factor: {choice: [3, 1, 2]}, widen_factor: 2}",
    ],
)
def test_the_range_of_networks_is_that_of_all_combinations(model: str) -> None:
    read = space(f"model: {model}")
    options = {name: domain.to_document()["choice"] for name, domain in read.hyperparameters.items()}
    blocks = options.get("block") or [
        f"B({','.join('3' * length)})" for length in options["deepening_factor"]
    ]
    widths = options.get("widen_factor", [2])
    counts = [
        num_params(Architecture.of(depth, width, block))
        for depth, width, block in itertools.product(options["depth"], widths, blocks)
    ]

    smallest, largest = network_range(read)

    assert (num_params(smallest), num_params(largest)) == (min(counts), max(counts))


def test_a_huge_space_is_measured_at_its_ends() -> None:
    read = space("model: {depth: {int: [10, 9994, 6]}, widen_factor: {int: [1, 100]}}")

    assert [network.name for network in network_range(read)] == ["WRN-10-1", "WRN-9994-100"]


def test_budgets_lists_points_and_conditions_are_told() -> None:
    text = (
        "model:\n  depth: {int: [10, 100, 6]}\n  widen_factor: {uniform: [1, 6]}\n"
        "  dropout: {uniform: [0, 0.5], when: {widen_factor: {min: 4}, depth: [10, 16]}}\n"
        "constraints: {num_params: {target: 2.2e6, tolerance: 5%}, multiple_of: 2}\n"
        "search: {points: [{network: WRN-10-5.5}]}\n"
    )
    made = space(text)

    told = explanation(made, (18, 36))
    lines = text_of(told).splitlines()

    assert told["networks"]["count"] == len(told["networks"]["names"]) == len(made.networks or ())
    assert "  dropout             0 to 0.5, where widen_factor is at least 4 and depth is 10 or 16" in lines
    assert "constraints   num_params: {target: 2200000, tolerance: 0.05}, multiple_of: 2" in lines
    assert "points        1 configuration of search.points first, in the order of the file" in lines
    assert any(
        line.startswith(f"networks      {len(made.networks or ())} networks: WRN-10-") for line in lines
    )


BOTH = "optimizer: {choice: [sgd, adamw]}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            f"training: {{{BOTH}}}",
            "0.1 is for sgd and adamw alike, whose usual ones are 0.1 and 0.001: say when: ",
        ),
        (
            f"training: {{{BOTH}, learning_rate: {{loguniform: [0.001, 0.1]}}}}",
            "{loguniform: [0.001, 0.1]} is for sgd and adamw alike",
        ),
        (
            "search: {searcher: grid, points: [{optimizer: sgd}, {optimizer: adamw}]}",
            "0.1 is for adamw and sgd alike, whose usual ones are 0.001 and 0.1: tell learning_rate in each point",
        ),
        (
            f"training: {{{BOTH}, learning_rate: {{loguniform: [0.01, 0.3], when: {{optimizer: [sgd]}}}}}}",
            "",
        ),
        (
            "search: {searcher: grid, points: [{optimizer: sgd}, {optimizer: adamw, learning_rate: 0.001}]}",
            "",
        ),
        ("training: {optimizer: adamw}", ""),
    ],
)
def test_one_learning_rate_for_two_optimisers_is_told(text: str, told: str) -> None:
    made = space(text)
    found = explanation(made, ())
    assert found["shared_rates"].startswith(told) if told else found["shared_rates"] == ""
    assert ("warning       learning_rate" in text_of(found)) is bool(told)


def test_an_optimiser_without_a_domain_of_its_own_is_trained_at_its_usual_rates() -> None:
    when = "when: {optimizer: [sgd]}"
    made = space(
        f"training: {{{BOTH}, learning_rate: {{choice: [0.05, 0.2], {when}}}, "
        f"weight_decay: {{choice: [1.0e-4], {when}}}}}"
    )
    rates = {}
    for optimizer in ("sgd", "adamw"):
        hparams = made.hparams_at({"optimizer": optimizer, "learning_rate": 0.05, "weight_decay": 1e-4})
        config = made.trial_config(hparams, 0, precision="fp32", compile="off")
        rates[optimizer] = (config.learning_rate, config.weight_decay)
        assert hparams_within(made, config.to_dict()) == hparams
    assert rates == {"sgd": (0.05, 1e-4), "adamw": (0.001, 0.01)}
