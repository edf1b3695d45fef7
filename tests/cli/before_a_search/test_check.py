"""`check SPACE`: the explanation, its JSON, the schema, and bad files as a user meets them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.cli.commands import run
from tests.datasets.image_data import encode, random_images, write_folder, write_parquet
from wrn_search.__main__ import main
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import macs, num_params

SPACES = sorted(Path("search_spaces").glob("*.yaml"))


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_the_shipped_space_files_are_explained(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(path)]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert told.out.splitlines()[0] == path.stem


def test_json_is_the_same_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    space = "search_spaces/cifar_width_depth.yaml"

    assert main(["check", space, "--json", "--set", "training.epochs=200", "--set", "search.trials=10"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["rungs"] == [60, 120, 160]
    assert (told["trials"], told["rows"], told["most_epochs"]) == (10, 10, 2000)
    assert told["networks"]["largest"]["name"] == "WRN-40-10"
    assert told["hyperparameters"]["depth"] == {"choice": [16, 22, 28, 40]}


def test_the_schema_takes_every_shipped_space_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--schema"]) == 0

    schema = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for path in SPACES:
        Draft202012Validator(schema).validate(yaml.safe_load(path.read_text()))
    assert not Draft202012Validator(schema).is_valid({"model": {"dept": 16}})


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "SPACE: a space file must be named (or --schema), but got none"),
        (
            ["--schema", "x.yaml"],
            "--schema: must stand without SPACE, --set and --lattice: it is the same for all of them",
        ),
        (["x\x1b[31m.yaml"], "x\\x1b[31m.yaml: the space file must be a YAML file, but there is nothing"),
        (["search_spaces"], "search_spaces: the space file must be a YAML file, but there is a directory"),
        (
            ["search_spaces/cifar_smoke.yaml", "--set", "model.dept=3"],
            "--set: model.dept: unknown key, must be one of "
            "family, network, depth, widen_factor, block, deepening_factor, dropout, "
            "stochastic_depth, init, bn_weight, linear_init, init_from, freeze "
            "(did you mean 'depth'?)",
        ),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_bad_input_is_a_line_on_stderr(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *arguments]) == 2
    assert capsys.readouterr() == ("", line + "\n")


def test_a_bad_file_gets_all_its_lines_and_status_2_from_the_real_command(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        'name: ../x\ndescription: "\\e[31mred"\nmodel:\n  dept: 16\n  depth: 17\nsearch: {trials: true}\n'
    )

    done = run("-m", "wrn_search", "check", "s.yaml", "--set", "training.epochs=0", cwd=tmp_path)

    assert done.returncode == 2
    assert done.stdout == ""
    assert [line.partition(": ")[0] + ": " + line.split(": ")[1] for line in done.stderr.splitlines()] == [
        "--set: training.epochs",
        "s.yaml:1: name",
        "s.yaml:2: description",
        "s.yaml:4: model.dept",
        "s.yaml:5: model.depth",
        "s.yaml:6: search.trials",
    ]
    assert "\x1b" not in done.stderr


def test_a_description_cannot_turn_the_text_around(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "s.yaml"
    path.write_text('description: "a\\u202eb"\n')

    assert main(["check", str(path)]) == 0
    assert "  a\\u202eb" in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("kind", ["folder", "parquet"])
def test_a_data_folder_that_does_not_exist_is_told(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--set", f"dataset.name={kind}", "--set", f"dataset.root={tmp_path / 'nowhere'}"]
    assert main(["check", "search_spaces/digits_quickstart.yaml", *options]) == 2
    told = capsys.readouterr()
    assert told.err.startswith("dataset.root: must be a folder that holds train")
    assert str(tmp_path / "nowhere") in told.err
    assert f"data          {kind} in {tmp_path / 'nowhere'}" in told.out, (
        "the file itself is explained all the same"
    )


def test_a_published_table_needs_its_test_split_before_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`protocol: test_each` without test files is told by `check` and the dry run, not after hours of training."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path / "data"))
    images, labels = random_images(12, 16, 16), [0, 1, 2] * 4
    write_folder(tmp_path / "f", images, labels)
    write_parquet(tmp_path / "p" / "train.parquet", [encode(image) for image in images], labels)
    Path("s.yaml").write_text(
        "protocol: test_each\nmodel: {network: {choice: [WRN-10-0.25, WRN-10-0.5]}}\n"
        "training: {batch_size: 4}\nresources: {cpus_per_trial: 1}\n"
    )
    for kind, root, wanted in (("folder", "f", "test/<class>/"), ("parquet", "p", "test*.parquet")):
        data = ["--set", f"dataset.name={kind}", "--set", f"dataset.root={root}"]
        for command in (["check", "s.yaml"], ["run", "s.yaml", "--dry-run"]):
            assert main([*command, *data]) == 2, command
            rule = f"dataset.root: must be a folder that holds {wanted}, to be tested with, but got no "
            assert f"{rule}{tmp_path / root}/" in capsys.readouterr().err
    write_folder(tmp_path / "f", images[:2], [0, 1], "test")
    data = ["--set", "dataset.name=folder", "--set", "dataset.root=f"]
    assert main(["run", "s.yaml", "--dry-run", *data]) == 2
    assert f"{tmp_path}/f/test must hold the classes of the training images, but got 'class_2' not there" in (
        capsys.readouterr().err
    )
    write_folder(tmp_path / "f", images[:3], [0, 1, 2], "test")
    assert main(["run", "s.yaml", "--dry-run", *data]) == 0
    assert main(["check", "s.yaml", *data]) == 0


@pytest.mark.parametrize(("kind", "channels"), [("folder", 3), ("folder", 1), ("parquet", 3), ("parquet", 1)])
def test_what_the_files_tell_is_told(
    kind: str, channels: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images, labels = random_images(12, 16, 20, channels), [0, 1, 2] * 4
    if kind == "folder":
        write_folder(tmp_path, images, labels)
    else:
        write_parquet(tmp_path / "train.parquet", [encode(image) for image in images], labels)
    options = ["--set", f"dataset.name={kind}", "--set", f"dataset.root={tmp_path}", "--set"]
    one = ["--set", "model.depth=10", "--set", "model.widen_factor=1", "--set", "training.batch_size=4"]
    space = "search_spaces/digits_quickstart.yaml"
    assert main(["check", space, "--json", *options, "dataset.validation=6", *one]) == 0
    network = json.loads(capsys.readouterr().out)["networks"]["largest"]
    architecture = Architecture.of(10, 1.0)
    assert network["num_params"] == num_params(architecture, 3, channels)
    assert network["macs"] == macs(architecture, 3, channels, (16, 20))
    size = f"{network['name']} ({network['num_params']:,} parameters, {network['macs']:,} multiply-adds an image)"
    plan = [
        "run",
        space,
        "--dry-run",
        *options,
        "dataset.validation=6",
        *one,
    ]
    assert main(plan) == 0
    assert size in capsys.readouterr().out
    assert main(["check", space, *options, "dataset.validation=11", *one]) == 2
    assert "dataset.validation: " in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["folder", "parquet"])
def test_the_balance_of_classes_and_the_size_on_disk_are_told(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path / "cache"))
    images, labels = random_images(40, 16, 16), [0] * 30 + [1] * 8 + [2] * 2
    names = ["class_0", "class_1", "class_2"]
    if kind == "folder":
        write_folder(tmp_path, images, labels)
    else:
        write_parquet(tmp_path / "train.parquet", [encode(each) for each in images], labels, names=names)
    options = ["--set", f"dataset.name={kind}", "--set", f"dataset.root={tmp_path}", "--set"]
    options += [
        "dataset.validation=10",
        "--set",
        "dataset.augmentation=shift",
        "--set",
        "training.batch_size=8",
    ]
    space = ["search_spaces/digits_quickstart.yaml", *options]
    assert main(["check", *space]) == 0
    told = capsys.readouterr().out
    assert "classes       3: class_0 30, class_1 8, class_2 2\n" in told
    assert (
        "balance       15.0 times as many images of class_0 as of class_2; always answering class_0 " in told
    )
    # 40 decoded; 30 to be trained on with a pixel around each, 10 to validate
    bytes_told = 40 * 768 + 30 * 18 * 18 * 3 + 10 * 768
    assert f"prepared      {bytes_told / 1000:.3g} KB to be written in {tmp_path}/cache/prepared" in told
    assert main(["check", *space, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["classes"] == {"class_0": 30, "class_1": 8, "class_2": 2}
    assert values["prepared"]["bytes"] == bytes_told
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    assert main(["check", *space]) == 2
    assert "WRN_SEARCH_DATA: must be on a disk with room for the prepared images" in capsys.readouterr().err
