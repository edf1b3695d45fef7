"""Rules that tie several keys together, and where their breach is told."""

from __future__ import annotations

import pytest

from tests.space.spaces import complaints, space
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.space.rules.across_keys.rules_across_keys import RULES

# Data sets whose images are made another size.
OF_OWN_FILES = (
    "folder, parquet, huggingface, imagenet, stl10, mnist, fashion_mnist, emnist, gtsrb, eurosat, flowers102 and "
    "food101"
)
DROPOUT = (
    "dropout sits between the convolutions of a block, so it must be 0 where a block has only one, but got"
)
BROKEN = [
    (
        "model: {depth: {choice: [16]}, block: {choice: ['B(3,3)', 'B(3,1,3)']}}\nsearch: {stop_when: decided}",
        "search.stop_when: is for a search of networks, so depth or widen_factor must take several values, but got "
        "depth: {choice: [16]} and widen_factor: 1.0",
    ),
    (
        "model: {depth: 16, dropout: {uniform: [0.0, 0.5]}}\nsearch: {stop_when: decided}",
        "search.stop_when: is for a search of networks, so depth or widen_factor must take several values, but got "
        "depth: 16 and widen_factor: 1.0",
    ),
    (
        "training: {epochs: 150, lr_drops: [60, 120, 160]}",
        "training.lr_drops: every drop must come before the last of the 150 epochs, but got [60, 120, 160]",
    ),
    (
        "dataset: {name: folder, group_by: patient}",
        "dataset.group_by: must be a regular expression with one group, as in '(patient[0-9]+)_', as files have no "
        "columns, but got 'patient'",
    ),
    (
        "model: {depth: 17}",
        "model.depth: depth must be 6*N + 4 with block B(3,3) (nearest: 16 or 22), but got 17",
    ),
    (
        "model: {depth: 4}",
        "model.depth: depth must be 6*N + 4 with block B(3,3) (nearest: 10 or 16), but got 4",
    ),
    (
        "model: {depth: 28, block: 'B(3,3,3)'}",
        "model.depth: depth must be 9*N + 4 with block B(3,3,3) (nearest: 22 or 31), but got 28",
    ),
    (
        "model: {depth: 16, deepening_factor: 3}",
        "model.depth: depth must be 9*N + 4 with block B(3,3,3) (nearest: 13 or 22), but got 16",
    ),
    (
        "model: {depth: {int: [10, 40]}}",
        "model.depth: depth must be 6*N + 4 with block B(3,3) (nearest: 10 or 16), but got 11",
    ),
    (
        "model: {depth: 16, block: {choice: ['B(3,3)', 'B(3,3,3)']}}",
        "model.depth: depth must be 9*N + 4 with block B(3,3,3) (nearest: 13 or 22), but got 16",
    ),
    (
        "model: {depth: 22, block: 'B(3,3)', deepening_factor: 3}",
        "model.deepening_factor: deepening_factor must be that of the "
        "block, but got block: 'B(3,3)' and deepening_factor: 3",
    ),
    (
        "model: {block: 'B(3,3)', deepening_factor: {choice: [2]}}",
        "model.deepening_factor: block or deepening_factor "
        "must be given, not both, but got block: 'B(3,3)' and deepening_factor: {choice: [2]}",
    ),
    ("model: {block: B(3), dropout: 0.3}", f"model.dropout: {DROPOUT} 0.3"),
    (
        "model: {depth: 16, deepening_factor: {choice: [1, 2]}, dropout: {uniform: [0, 0.5]}}",
        f"model.dropout: {DROPOUT} {{uniform: [0.0, 0.5]}}",
    ),
    (
        "dataset: {name: cifar10, extra: true}",
        "dataset.extra: only svhn has extra images, but got dataset.name: cifar10",
    ),
    (
        "dataset: {name: folder, label_column: fine_label}",
        "dataset.label_column: only parquet and huggingface have columns, but got dataset.name: folder",
    ),
    (
        "dataset: {name: cifar10, background: black}",
        f"dataset.background: only images of {OF_OWN_FILES} may have transparent parts or are padded, "
        "but got dataset.name: cifar10",
    ),
    (
        "dataset: {name: svhn, image_size: 64}",
        f"dataset.image_size: only images of {OF_OWN_FILES} are made another size, but got "
        "dataset.name: svhn",
    ),
    (
        "dataset: {name: digits, validation: 1490}",
        "dataset.validation: digits has 1497 training images and 10 classes: "
        "validation must be 10 to 1487, but got 1490",
    ),
    (
        "dataset: {name: cifar100, validation: 99}",
        "dataset.validation: cifar100 has 50000 training images and 100 "
        "classes: validation must be 100 to 49900, but got 99",
    ),
    (
        "dataset: {name: digits, train_images: 1198}",
        "dataset.train_images: train_images must be 10 to the 1197 that validation leaves, but got 1198",
    ),
    (
        "dataset: {name: digits, train_images: 9}",
        "dataset.train_images: train_images must be 10 to the 1197 that validation leaves, but got 9",
    ),
    (
        "dataset: {name: digits}\ntraining: {batch_size: {choice: [64, 1200]}}",
        "training.batch_size: batch_size must be at most the 1197 images that are trained on, but got 1200",
    ),
    (
        "search: {searcher: random, warm_start: [results/other]}",
        "search.warm_start: is for a searcher that learns (tpe, gp, nsga2 or cmaes), but got searcher: random",
    ),
    (
        "search: {searcher: cmaes}\nmodel: {block: {choice: ['B(3)', 'B(3,3)']}, init: {choice: [fan_in, fan_out]}}",
        "search.searcher: cmaes learns of numbers alone, so a key with numbers must be searched, but block and init "
        "are lists of labels",
    ),
    (
        "search: {searcher: grid}\nmodel: {dropout: {uniform: [0, 0.5]}}",
        "model.dropout: searcher: grid takes choice and int domains only, but got {uniform: [0.0, 0.5]}",
    ),
    (
        "search: {searcher: grid}\ntraining: {weight_decay: {loguniform: [0.1, 1]}}",
        "training.weight_decay: searcher: grid "
        "takes choice and int domains only, but got {loguniform: [0.1, 1.0]}",
    ),
    (
        "search: {searcher: grid}\nmodel: {depth: {int: [10, 9994, 6]}, widen_factor: {int: [1, 100]}, "
        "deepening_factor: 2, init: {choice: [fan_in, fan_out]}, dropout: {choice: [0, 0.1, 0.2, 0.3]}}",
        "search.searcher: a whole grid must have at most 1000000 configurations (or give search.trials), but got "
        "1332000",
    ),
    (
        "search: {scheduler: median, rungs: [2, 9]}",
        "search.rungs: no rung of scheduler median may come before grace_period: 3, but got [2, 9]",
    ),
    (
        "search: {scheduler: median, brackets: 2}",
        "search.brackets: is for scheduler asha or hyperband, but got brackets: 2 with scheduler: median",
    ),
    (
        "search: {scheduler: hyperband, min_samples: 5}",
        "search.min_samples: is for scheduler median, but got min_samples: 5 with scheduler: hyperband",
    ),
    (
        "training: {epochs: 9}\nsearch: {rungs: [3, 9]}",
        "search.rungs: every rung must be below training.epochs: 9, but got [3, 9]",
    ),
    (
        "search: {goal: tradeoff}\nmodel: {depth: {choice: [10, 16]}, widen_factor: {choice: [1, 2]}}",
        "search.goal: tradeoff is for searcher curves or scheduler curves, but got searcher: tpe with scheduler: asha",
    ),
    (
        "search: {goal: tradeoff, scheduler: curves}\nmodel: {depth: {choice: [10, 16]}}",
        "search.goal: tradeoff needs several values of widen_factor, but got one",
    ),
]


@pytest.mark.parametrize(("text", "line"), BROKEN, ids=lambda part: part[:40])
def test_a_broken_rule_is_told_with_its_numbers(text: str, line: str) -> None:
    (told,) = complaints(text)

    assert told.partition(": ")[0] in ("s.yaml:1", "s.yaml:2")
    assert told.partition(": ")[2] == line


def test_every_rule_can_be_broken() -> None:
    keys = {line.partition(":")[0] for _, line in BROKEN}

    assert len(RULES) == 58  # those of families, points, budgets, conditions, ... have tests of their own
    assert keys >= {
        "model.depth",
        "model.deepening_factor",
        "model.dropout",
        "dataset.extra",
        "dataset.label_column",
        "dataset.background",
        "dataset.validation",
    }
    assert keys >= {"training.batch_size", "dataset.train_images", "training.weight_decay", "search.rungs"}
    assert "search.warm_start" in keys


FINE = [
    "search: {goal: tradeoff, searcher: curves}\nmodel: {network: {choice: [WRN-10-2, WRN-16-1]}}",
    "model: {depth: {int: [10, 40, 6]}}",
    "model: {depth: {choice: [10, 22]}, deepening_factor: {choice: [1, 2]}}",
    "model: {block: 'B(3,3)', deepening_factor: 2}",
    "model: {depth: 16, block: B(3), dropout: 0.0}",
    "dataset: {name: svhn, extra: true, validation: 73247}",
    "dataset: {name: digits, validation: 1487, train_images: 10}\ntraining: {batch_size: 10}",
    "dataset: {name: parquet, validation: 9000000}",
    "dataset: {name: parquet, image_column: picture, label_column: fine_label}",
    "dataset: {name: folder, background: '#FF8000'}",
    "search: {searcher: grid}\ntraining: {weight_decay: {int: [0, 2]}}",
    "search: {warm_start: [results/one, /results/two]}",
    "search: {warm_start: [], searcher: grid}",
    "training: {epochs: 9}\nsearch: {rungs: [3, 9], scheduler: none}",
    "search: {scheduler: median, rungs: [2, 9], grace_period: 2, min_samples: 9}",
    "search: {scheduler: hyperband, brackets: 1, min_samples: 3}",
    "search: {scheduler: none, brackets: 1}",
    "search: {searcher: cmaes}\nmodel: {init: {choice: [fan_in, fan_out]}, depth: {choice: [10, 16]}}",
]


@pytest.mark.parametrize("text", FINE)
def test_what_only_looks_like_a_breach_is_fine(text: str) -> None:
    assert space(text)


def test_each_depth_of_a_choice_is_told_at_its_own_line() -> None:
    assert [
        line.partition(": ")[0]
        for line in complaints("model:\n  depth:\n    choice:\n    - 17\n    - 16\n    - 18\n")
    ] == [
        "s.yaml:4",
        "s.yaml:6",
    ]


def test_a_breach_through_a_default_is_told_at_the_key_that_was_written() -> None:
    text = "name: s\nmodel:\n  block: B(3,3,3)\ndataset:\n  name: digits\n  train_images: 50\n"

    assert [line[:32] for line in complaints(text)] == [
        "s.yaml:3: model.block: depth mus",
        "s.yaml:6: dataset.train_images: ",
    ]


def test_svhn_has_as_many_extra_images_as_its_authors_say() -> None:
    assert DATASETS["svhn"].facts.extra_images == 531_131
