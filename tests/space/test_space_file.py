"""The door: misspelt, misplaced and unsupported keys, overrides, order of the lines, and the way back to YAML."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.space.spaces import SPACES, complaints, documents, space
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.errors import InputError
from wrn_search.schedulers.scheduler_table import SCHEDULERS
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.misspelt_keys import SECTIONS
from wrn_search.space.section_keys import ModelSettings
from wrn_search.space.sections.training_keys import TrainingSettings
from wrn_search.space.space import Space
from wrn_search.space.space_file import read_space, space_from_mapping
from wrn_search.space.yaml_with_lines import yaml_text

TOP_KEYS = ", ".join(Space.model_fields)
MODEL_KEYS = ", ".join(ModelSettings.model_fields)
TRAINING_KEYS = ", ".join(TrainingSettings.model_fields)
KEY_ERRORS = [
    ("modle: {depth: 16}", f"modle: unknown key, must be one of {TOP_KEYS} (did you mean 'model'?)"),
    ("zzz: 1", f"zzz: unknown key, must be one of {TOP_KEYS}"),
    ("model: {dept: 16}", f"model.dept: unknown key, must be one of {MODEL_KEYS} (did you mean 'depth'?)"),
    (
        "training: {epocs: 3}",
        f"training.epocs: unknown key, must be one of {TRAINING_KEYS} (did you mean 'epochs'?)",
    ),
    ("model: {epochs: 3}", "model.epochs: unknown key here; it belongs under training"),
    ("depth: 16", "depth: unknown key here; it belongs under model"),
    (
        "search: {description: x}",
        "search.description: unknown key here; it belongs to the top level of the file",
    ),
    (
        "model: {num_params: 3}",
        "model.num_params: unknown key here; it belongs under constraints",
    ),
    ("model: 3", "model: must be a section with keys below it, but got 3"),
    ("search: [1, 2]", "search: must be a section with keys below it, but got [1, 2]"),
    ("dataset: cifar10", "dataset: must be a section with keys below it, but got 'cifar10'"),
    ("model: {depth: null}", "model.depth: must be a whole number, but got null"),
    (
        "training: {epochs: {choice: [1, 2]}}",
        "training.epochs: must be a single value, not a domain, but got {choice: [1, 2]}; trials of one search are "
        "compared at equal epochs: run a search for each value (--set training.epochs=...), and name all results to "
        "one report",
    ),
    ("training: {compile: maybe}", "training.compile: must be one of auto, on, off, but got 'maybe'"),
    (
        "training: {precision: half}",
        "training.precision: must be one of auto, fp32, tf32, bf16, fp16, but got 'half'",
    ),
    (
        "search: {searcher: annealing}",
        f"search.searcher: must be one of {', '.join(SEARCHERS)}, but got 'annealing'"
        " (one of a plugin is known with --plugin FILE)",
    ),
    (
        "search: {scheduler: ahsa}",
        f"search.scheduler: must be one of {', '.join(SCHEDULERS)}, but got 'ahsa' (did you mean 'asha'?)",
    ),
    (
        "dataset: {name: cifar}",
        f"dataset.name: must be one of {', '.join(DATASETS)}, but got 'cifar' (did you mean 'cifar10'?)",
    ),
    ('"\\e[31mkey": 1', f"\\x1b[31mkey: unknown key, must be one of {TOP_KEYS}"),
]


@pytest.mark.parametrize(("text", "line"), KEY_ERRORS, ids=lambda part: part[:30])
def test_a_wrong_key_is_told_with_its_place_and_the_way_out(text: str, line: str) -> None:
    assert complaints(f"name: s\n\n{text}\n") == [f"s.yaml:3: {line}"]


def test_all_errors_are_told_at_once_in_reading_order_overrides_first() -> None:
    text = "name: ../x\nsearch:\n  trials: 0\nmodel:\n  depth: 17\n  dropout: {loguniform: [0, 1]}\n"
    text += "training:\n  epochs: x\n"

    lines = complaints(text, "training.momentum=2", "=", "dataset.nam=digits")

    assert [line.split(": must")[0].split(": unknown")[0] for line in lines] == [
        "--set: KEY=VALUE must hold, such as training.epochs=30, but got '='",
        "--set: dataset.nam",
        "--set: training.momentum",
        "s.yaml:1: name",
        "s.yaml:3: search.trials",
        "s.yaml:5: model.depth: depth must be 6*N + 4 with block B(3,3) (nearest: 16 or 22), but got 17",
        "s.yaml:6: model.dropout",
        "s.yaml:8: training.epochs",
    ]


def test_rules_about_a_wrong_value_wait_until_it_is_right() -> None:
    assert complaints("model:\n  depth: 17\n  block: B(2)\n") == [
        "s.yaml:3: model.block: must be B(...) with 1 to 16 kernel sizes out of 1, 3 and 5, such as B(3,3), "
        "or basic or bottleneck, but got 'B(2)' (did you mean 'B(1)'?)"
    ]


def test_an_override_replaces_adds_and_goes_below() -> None:
    text = "model:\n  depth: {choice: [16, 22]}\n"

    assert space(text, "model.depth=28").model.depth == 28
    assert space(text, "model.depth.choice=[28]").hyperparameters["depth"].to_document() == {"choice": [28]}
    assert space(text, "search.trials=1e1").search.trials == 10
    assert space(text, "search.trials=3", "search.trials=5").search.trials == 5
    assert space(text, " model.depth = 28 # as in table 5").model.depth == 28
    assert space(text, "model={depth: 40}").model.depth == 40


OVERRIDE_ERRORS = [
    ("", "KEY=VALUE must hold, such as training.epochs=30, but got ''"),
    ("=3", "KEY=VALUE must hold, such as training.epochs=30, but got '=3'"),
    ("model.depth", "KEY=VALUE must hold, such as training.epochs=30, but got 'model.depth'"),
    ("model..depth=1", "KEY=VALUE must hold, such as training.epochs=30, but got 'model..depth=1'"),
    ("x" * 100, "KEY=VALUE must hold, such as training.epochs=30, but got '" + "x" * 76 + "..."),
    ("model=3", "model: must be a section with keys below it, but got 3"),
    ("model.depth=", "model.depth: must be a whole number, but got null"),
    ("model.depth='16'", "model.depth: must be a whole number, but got '16'"),
    (
        "model.depth={choice: [16",
        "model.depth: must be YAML, but got: expected ',' or ']', but got '<stream end>'",
    ),
    ("model.depth=\x1b[31m", "model.depth: must be YAML, but got: the control character 0x1b"),
    (
        "model.depth={choice: [1], choice: [2]}",
        "model.depth.choice: a key must stand once, but got it twice",
    ),
    (
        "model.depth=!!python/name:os.system x",
        "model.depth: tags are not allowed, but got tag:yaml.org,2002:python/name:os.system",
    ),
    ("foo.bar=1", f"foo: unknown key, must be one of {TOP_KEYS}"),
    (
        "dataset.name.x=1",
        f"dataset.name: must be one of {', '.join(DATASETS)}, but got {{x: 1}}",
    ),
    (
        "model.block=B(3,3,3)",
        "model.block: depth must be 9*N + 4 with block B(3,3,3) (nearest: 13 or 22), but got 16",
    ),
    ("search.trials=0", "search.trials: must be a whole number from 1 to 1000000, but got 0"),
    (
        "training.epochs=010",
        "training.epochs: a number must not begin with 0, but got 010 (quote it as text)",
    ),
    ("training.epochs=1:30", "training.epochs: must be a whole number, but got '1:30'"),
]


@pytest.mark.parametrize(("override", "line"), OVERRIDE_ERRORS, ids=lambda part: repr(part[:25]))
def test_a_wrong_override_is_told_as_such(override: str, line: str) -> None:
    assert complaints("name: s\ndataset: {name: digits}\n", override) == [f"--set: {line}"]


def test_an_empty_section_takes_its_defaults() -> None:
    assert space("name: s\n" + "".join(f"{name}:\n" for name in SECTIONS)) == space("name: s\n")


def test_a_file_without_a_name_takes_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "my_search.yaml"
    path.write_text("model: {depth: 22}\n")

    assert read_space(path).name == "my_search"


def test_a_file_is_told_by_the_path_that_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s.yaml").write_text("zzz: 1\n")
    monkeypatch.chdir(tmp_path)

    for path in (Path("s.yaml"), tmp_path / "s.yaml"):
        with pytest.raises(InputError, match=rf"^{path}:1: zzz: unknown key"):
            read_space(path)


@pytest.mark.parametrize("path", sorted(SPACES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_space_files_are_valid_and_named_after_their_file(path: Path) -> None:
    assert read_space(path).name == path.stem


def test_a_mapping_from_python_is_told_without_a_place() -> None:
    with pytest.raises(InputError, match=r"^model.depth: must be a whole number, but got 'x'$"):
        space_from_mapping({"model": {"depth": "x"}})


def test_a_mapping_is_left_as_it_was() -> None:
    document: dict[str, Any] = {"model": None, "search": {"trials": 3}}

    space_from_mapping(document, ["search.trials=5"])

    assert document == {"model": None, "search": {"trials": 3}}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents())
def test_any_valid_space_survives_being_written_and_read(document: dict[str, Any]) -> None:
    once = space_from_mapping(document)
    written = yaml_text(once.to_document(), allow_unicode=True)

    assert space(written) == once
    assert space_from_mapping(once.to_document()) == once
    assert Space.model_validate_json(once.model_dump_json()) == once


NULLABLE = {
    *(
        "dataset.root",
        "dataset.image_column",
        "dataset.label_column",
        "dataset.validation",
        "dataset.preprocessing",
        "dataset.augmentation",
        "dataset.train_images",
        "dataset.image_size",
        "dataset.group_by",
    ),
    "model.network",
    "search.prior",
    *(f"constraints.{key}" for key in ("num_params", "macs", "multiple_of", "num_classes", "image_shape")),
    *(f"constraints.{key}" for key in ("seconds_per_epoch", "peak_memory_bytes", "predicted")),
    *(
        "model.block",
        "model.deepening_factor",
        "training.clip_norm",
        "search.trials",
        "search.brackets",
        "search.max_hours",
        "search.budget",
        "search.trial_timeout",
        "search.stop_when",
    ),
}
KEYS = [f"{section}.{key}" for section, model in SECTIONS.items() for key in model.model_fields]


@pytest.mark.parametrize("key", [*KEYS, "name", "description", "objectives"])
def test_null_is_a_default_where_the_design_says_so_and_else_an_error(key: str) -> None:
    if key in NULLABLE:
        assert space("name: s", f"{key}=null") == space("name: s")
    else:
        (line,) = complaints("name: s", f"{key}=null")
        assert line.startswith(f"--set: {key}: must be ")
        assert re.search(r"but got null(; write (0|1|none), which is off)?$", line)
