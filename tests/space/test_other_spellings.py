"""Other programs' files and habits: taken where they mean the same here, else told with ours beside them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from wrn_search.__main__ import main
from wrn_search.cli import search
from wrn_search.decisions.rung_epochs import rungs_of
from wrn_search.errors import InputError
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.domains import IntRange, member
from wrn_search.space.space import Space
from wrn_search.space.space_file import read_space, space_from_mapping, space_from_text
from wrn_search.training.learning_rate import learning_rate_at

# key, another program's spelling, ours
FOREIGN = [
    ("model.widen_factor", "{_type: choice, _value: [1, 2, 4]}", "{choice: [1, 2, 4]}"),  # NNI
    ("model.dropout", "{quniform: [0.0, 0.5, 0.1]}", "{choice: [0, 0.1, 0.2, 0.3, 0.4, 0.5]}"),
    ("training.batch_size", "{_type: quniform, _value: [16, 64, 16]}", "{int: [16, 64, 16]}"),
    ("training.learning_rate", "{_type: loguniform, _value: [0.0001, 0.1]}", "{loguniform: [0.0001, 0.1]}"),
    ("training.weight_decay", "{normal: [0.0005, 0.0001]}", "{uniform: [0.0003, 0.0007]}"),
    ("training.batch_size", "{randint: [512]}", "{int: [0, 511]}"),
    ("training.batch_size", "{randint: [16, 512]}", "{int: [16, 511]}"),
    ("training.batch_size", "{qrandint: [16, 65, 16]}", "{int: [16, 64, 16]}"),  # Ray Tune
    ("training.batch_size", "{lograndint: [16, 513]}", "{loguniform: [16, 512]}"),
    ("model.depth", "{grid_search: [16, 22]}", "{choice: [16, 22]}"),
    ("model.depth", "{values: [16, 22]}", "{choice: [16, 22]}"),  # Weights & Biases
    ("training.batch_size", "{min: 16, max: 64}", "{int: [16, 64]}"),
    ("model.dropout", "{min: 0.0, max: 0.5}", "{uniform: [0, 0.5]}"),
    ("model.dropout", "{distribution: uniform, min: 0, max: 0.5}", "{uniform: [0, 0.5]}"),
    (
        "training.learning_rate",
        "{distribution: log_uniform_values, min: 0.001, max: 0.1}",
        "{loguniform: [0.001, 0.1]}",
    ),
    (
        "training.learning_rate",
        "{distribution: log_uniform, min: -9.21, max: -2.3}",
        "{loguniform: [0.0001, 0.1003]}",
    ),
    ("model.dropout", "{value: 0.3}", "0.3"),
    ("model.depth", "choice(16, 22, 28)", "{choice: [16, 22, 28]}"),  # hydra
    ("model.depth", "'16,22,28'", "{choice: [16, 22, 28]}"),
    ("model.dropout", "interval(0.0, 0.5)", "{uniform: [0, 0.5]}"),
    ("training.learning_rate", "'tag(log, interval(0.001, 0.1))'", "{loguniform: [0.001, 0.1]}"),
    ("training.batch_size", "range(16, 65, 16)", "{int: [16, 64, 16]}"),
    (
        "training.batch_size",
        "{type: int, low: 16, high: 64, step: 16}",
        "{int: [16, 64, 16]}",
    ),  # Optuna's sweeper
    (
        "training.learning_rate",
        "{type: float, low: 0.001, high: 0.1, log: true}",
        "{loguniform: [0.001, 0.1]}",
    ),
    ("model.dropout", "{type: range, bounds: [0.0, 0.5]}", "{uniform: [0, 0.5]}"),  # Ax
    ("model.init", "{categorical: [fan_in, fan_out]}", "{choice: [fan_in, fan_out]}"),
    ("model.depth", "[16, 22]", "{choice: [16, 22]}"),
    ("model.dropout", "{uniform: [0, 0.5, 0.25]}", "{choice: [0, 0.25, 0.5]}"),  # ours, with a step
    ("model.depth", "{uniform: [10, 40]}", "{int: [10, 40]}"),
]


@pytest.mark.parametrize(("key", "foreign", "ours"), FOREIGN, ids=lambda part: part[:40])
def test_a_foreign_domain_is_told_with_ours(key: str, foreign: str, ours: str) -> None:
    section, name = key.split(".")
    with pytest.raises(InputError) as told:
        space_from_text(f"name: s\n{section}:\n  {name}: {foreign}\n", "s.yaml")
    (problem,) = told.value.problems
    assert (problem.where, problem.key) == ("s.yaml:3", key)
    assert f"write {ours}" in problem.text, problem.text
    if ours not in ("{int: [0, 511]}", "{int: [10, 40]}"):  # an empty batch; depths that do not exist
        document = {"name": "s", section: {name: yaml.safe_load(ours)}, "search": {"searcher": "random"}}
        assert space_from_mapping(document).name == "s", "what is told is a domain of the key"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            'model: {dropout: {if: "widen_factor > 4", uniform: [0.1, 0.5]}}',
            "model.dropout: what a domain depends on must stand under when, but got {if: 'widen_factor > 4', uniform: "
            "[0.1, 0.5]}; write {uniform: [0, 0.5], when: {widen_factor: {min: 4}}}",
        ),
        (
            "training: {lr_schedule: {choice: [step, cosine]}}",
            "training.lr_schedule: must be a single value, not a domain, but got {choice: [step, cosine]}; trials of "
            "one search are compared at equal lr_schedule: run a search for each value (--set training.lr_schedule=...)"
            ", and name all results to one report",
        ),
        (
            "training: {epochs: [100, 200]}",
            "training.epochs: must be a whole number, but got [100, 200]; trials of one search are compared at equal "
            "epochs: run a search for each value (--set training.epochs=...), and name all results to one report",
        ),
        (
            "resources: {gpus_per_trial: 1/3}",
            "resources.gpus_per_trial: must be auto or one of 0, 1/8, 1/4, 1/2, 1, 2, 4, 8, but got '1/3'; shares "
            "halve, so that trials can move together: write 1/4",
        ),
        (
            "training: {betas: [0.9, 0.95]}",
            "training.betas: unknown key: write training.beta1 and training.beta2",
        ),
        ("training: {max_grad_norm: 1}", "training.max_grad_norm: unknown key: write training.clip_norm"),
        (
            "training: {ema_decay: 0.99}",
            "training.ema_decay: unknown key: write training.ema, the decay a step",
        ),
        ("training: {warmup: 5}", "training.warmup: unknown key: write training.warmup_epochs"),
        ("training: {milestones: [60]}", "training.milestones: unknown key: write training.lr_drops"),
    ],
)
def test_what_cannot_be_said_is_refused_with_what_to_write(text: str, line: str) -> None:
    with pytest.raises(InputError) as told:
        space_from_text(f"name: s\n{text}\n", "s.yaml")
    shown = str(told.value).removeprefix("s.yaml:2: ")
    assert shown == line.replace("{choice: [step, cosine]}", "{choice: ['step', 'cosine']}")


def test_drops_are_epochs_too() -> None:
    """The authors' recipe as most programs write it: the same search, to the last digit."""
    drops = "name: s\ntraining: {epochs: 200, lr_drops: %s}\n"
    by_epochs = space_from_text(drops % "[60, 120, 160]", "s.yaml")
    assert by_epochs == space_from_text(drops % "[0.3, 0.6, 0.8]", "s.yaml")
    assert rungs_of(by_epochs) == (60, 120, 160)
    for epochs in (7, 30, 199, 300):
        space = space_from_text(f"name: s\ntraining: {{epochs: {epochs}, lr_drops: [3, 6]}}\n", "s.yaml")
        config = space.trial_config({}, 0, precision="fp32", compile="off")
        rates = [learning_rate_at(epoch, config) for epoch in range(1, 8)]
        assert rates == pytest.approx([0.1] * 2 + [0.02] * 3 + [0.004] * 2)
        assert Space.model_validate(space.to_document()) == space
    with pytest.raises(
        InputError, match=r"training.epochs: every drop must come before the last of the 150 epochs"
    ):
        space_from_mapping({"training": {"lr_drops": [60, 160]}}, ["training.epochs=150"])


def test_a_logarithmic_range_of_whole_numbers() -> None:
    space = space_from_text(
        "name: s\ntraining: {batch_size: {loguniform: [16, 512]}}\nsearch: {searcher: random}\n", "s.yaml"
    )
    domain = space.training.batch_size
    assert domain == IntRange(16, 512, log=True)
    assert Space.model_validate(space.to_document()) == space
    assert space.to_document()["training"]["batch_size"] == {"loguniform": [16, 512]}
    for name in ("random", "tpe"):
        searcher = SEARCHERS[name].make(space.searched)
        drawn = []
        for number in range(60):
            hparams = searcher.propose(number)
            assert hparams is not None
            searcher.proposed(number, hparams)
            drawn.append(hparams["batch_size"])
        assert all(type(value) is int and member(domain, value) == value for value in drawn)
        below = sum(
            value < 91 for value in drawn
        )  # the geometric mean of the ends: half of them, 15 % on a linear scale
        assert 18 <= below <= 46, drawn


def test_a_share_of_the_images_validates() -> None:
    text = "name: s\ndataset: {name: %s, validation: %s}\n"
    assert space_from_text(text % ("cifar100", 0.05), "s.yaml").dataset.validation == 2500
    assert space_from_text(text % ("digits", 0.1), "s.yaml").dataset.validation == 150
    with pytest.raises(InputError, match=r"dataset.validation: must be a whole number, but got 1.5"):
        space_from_text(text % ("digits", 1.5), "s.yaml")


def test_merge_keys() -> None:
    merged = yaml.safe_load(
        "a: &a {epochs: 30, momentum: 0.8}\nb: &b {epochs: 7, batch_size: 9}\nc: {<<: [*a, *b], momentum: 0.5}"
    )
    text = "name: s\ntraining: {<<: [&a {epochs: 30, momentum: 0.8}, &b {epochs: 7, batch_size: 9}], momentum: 0.5}\n"
    space = space_from_text(text, "s.yaml")
    assert merged["c"] == {"epochs": 30, "momentum": 0.5, "batch_size": 9}
    assert (space.training.epochs, space.training.momentum, space.training.batch_size) == (30, 0.5, 9)
    wrong = "name: s\ntraining:\n  <<:\n    epochs: no\n    momentum: 2\n  momentum: 3\n"
    with pytest.raises(InputError) as told:
        space_from_text(wrong, "s.yaml")
    assert [str(problem).split(": must")[0] for problem in told.value.problems] == [
        "s.yaml:4: training.epochs",
        "s.yaml:6: training.momentum",
    ]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("space (1).yaml", "space_1"),
        ("Größe.yaml", "Gr_e"),
        ("a..b.yaml", "a_b"),
        ("-x.yaml", "x"),
        ("(1).yaml", "1"),
        ("___.yaml", "search"),
        ("x" * 120 + ".yaml", "x" * 100),
        ("plain-1.2.yaml", "plain-1.2"),
    ],
)
def test_a_file_of_any_name_gives_a_name(file: str, name: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text("dataset: {name: digits}\n")
    assert read_space(tmp_path / file).name == name


@pytest.mark.parametrize("program", [search.main, lambda arguments: main(["run", *arguments])])
def test_an_assignment_without_set_is_explained(program, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        program(["search_spaces/digits_quickstart.yaml", "training.epochs=3"])
    assert ended.value.code == 2
    assert "to set a key, write --set training.epochs=3" in capsys.readouterr().err
    assert program(["training.epochs=3"]) == 2
    assert "to set a key, write --set training.epochs=3" in capsys.readouterr().err


def test_the_key_that_somebody_wrote_is_blamed() -> None:
    with pytest.raises(InputError) as told:
        space_from_mapping({"dataset": {"name": "digits"}}, ["dataset.train_images=100"])
    assert [(problem.where, problem.key) for problem in told.value.problems] == [
        ("--set", "dataset.train_images")
    ]
    assert "batch_size must be at most the 100 images" in str(told.value)
