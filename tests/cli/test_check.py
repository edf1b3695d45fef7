"""`check SPACE`: the explanation, its JSON, the schema, and bad files as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.cli.commands import run
from wrn_search.__main__ import main

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
            "--schema: must stand without SPACE and --set: it is the same for all of them",
        ),
        (["x\x1b[31m.yaml"], "x\\x1b[31m.yaml: the space file must be a YAML file, but there is nothing"),
        (["search_spaces"], "search_spaces: the space file must be a YAML file, but there is a directory"),
        (
            ["search_spaces/cifar_smoke.yaml", "--set", "model.dept=3"],
            "--set: model.dept: unknown key, must be one of "
            "depth, widen_factor, block, deepening_factor, dropout, init (did you mean 'depth'?)",
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
