"""YAML text: what is read, what is refused, and at which line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.space.spaces import complaints, space
from wrn_search.errors import InputError
from wrn_search.space.yaml_with_lines import (
    MAX_BYTES,
    MAX_NESTING,
    MAX_VALUES,
    parse_source,
    read_source,
    yaml_text,
)

LIMIT = f"at most {MAX_VALUES} values and {MAX_NESTING} levels must hold, aliases included, but got more"
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 10)
)
SOURCE_ERRORS = [
    ("", "s.yaml: a space file must be a mapping of keys to values, but got an empty file"),
    (
        "# only a remark\n\n",
        "s.yaml: a space file must be a mapping of keys to values, but got an empty file",
    ),
    ("null\n", "s.yaml:1: a space file must be a mapping of keys to values, but got a single value"),
    ("- a\n", "s.yaml:1: a space file must be a mapping of keys to values, but got a list"),
    (
        "name: a\nmodel:\n\tdepth: 16\n",
        "s.yaml:3: must be YAML, but got: a tab; spaces must indent and separate",
    ),
    ("name:\ta\n", "s.yaml:1: must be YAML, but got: a tab; spaces must indent and separate"),
    ("name: [a\n", "s.yaml:1: must be YAML, but got: expected ',' or ']', but got '<stream end>'"),
    ("a: 1\nname: 'a\n\n\n", "s.yaml:2: must be YAML, but got: found unexpected end of stream"),
    ("name: a\n---\nname: b\n", "s.yaml:2: must be YAML, but got: found another document"),
    ("name: @a\n", "s.yaml:1: must be YAML, but got: found character '@' that cannot start any token"),
    ("name: *a\n", "s.yaml:1: must be YAML, but got: found undefined alias 'a'"),
    ("a: &a 1\nb: &a 2\n", "s.yaml:2: must be YAML, but got: found duplicate anchor 'a'"),
    ('name: "\\q"\n', "s.yaml:1: must be YAML, but got: found unknown escape character 'q'"),
    ('name: "\\UFFFFFFFF"\n', "s.yaml: must be YAML, but got: a version or an escape out of range"),
    (
        "%YAML 1." + "9" * 5000 + "\n---\na: 1\n",
        "s.yaml: must be YAML, but got: a version or an escape out of range",
    ),
    ("a: 1\nname: \x1b[31m\n", "s.yaml:2: must be YAML, but got: the control character 0x1b"),
    ("a: 1\n\x00\n", "s.yaml:2: must be YAML, but got: the control character 0x00"),
    ("a: " + "[" * 3000, f"s.yaml: at most {MAX_NESTING} levels of nesting must hold, but got more"),
    ("a: " + "[" * 25 + "]" * 25, f"s.yaml:1: a.0.0: {LIMIT}"),
    ("a:\n" + "- 1\n" * 20_001, f"s.yaml:20000: a.19998: {LIMIT}"),
    (BOMB, f"s.yaml:1: a4.0.6: {LIMIT}"),
    ("a: 1\nmodel: &m\n  depth: *m\n", "s.yaml:2: model.depth: an alias must not stand inside what it names"),
    ("name: a\n? [1]\n: 2\n", "s.yaml:2: a key must be a name, but got a list or mapping"),
    (
        "b: &b [1]\nmodel:\n  <<: *b\n",
        "s.yaml:1: model: a merge key (<<) must name a mapping, or a list of mappings",
    ),
    (
        "a: 1\nname: !!python/object/apply:os.system ['id']\n",
        "s.yaml:2: name: tags are not allowed, but got tag:yaml.org,2002:python/object/apply:os.system",
    ),
    ("model: !mine {depth: 16}\n", "s.yaml:1: model: tags are not allowed, but got !mine"),
    ("model: !!set {depth}\n", "s.yaml:1: model: tags are not allowed, but got tag:yaml.org,2002:set"),
    ("!mine name: a\n", "s.yaml:1: tags are not allowed, but got !mine"),
    ("a: 1\nn: !!int abc\n", "s.yaml:2: n: must be a value of its kind, but got 'abc'"),
    ("n: !!int ''\n", "s.yaml:1: n: must be a value of its kind, but got ''"),
    ("n: !!bool maybe\n", "s.yaml:1: n: must be a value of its kind, but got 'maybe'"),
    ("n: 1" + "0" * 5000 + "\n", "s.yaml:1: n: must be a value of its kind, but got '1" + "0" * 75 + "..."),
    ("n: 1e400\n", "s.yaml:1: n: must be a finite number, but got '1e400'"),
    ("n: -1.0e+400\n", "s.yaml:1: n: must be a finite number, but got '-1.0e+400'"),
    ("n: 010\n", "s.yaml:1: n: a number must not begin with 0, but got 010 (quote it as text)"),
]


@pytest.mark.parametrize(("text", "line"), SOURCE_ERRORS, ids=lambda part: repr(part[:30]))
def test_text_that_is_no_plain_yaml_is_refused_at_its_line(text: str, line: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_source(text, "s.yaml")

    assert str(caught.value) == line


def test_every_key_that_stands_twice_is_told_with_its_first_line() -> None:
    text = (
        "name: a\nmodel:\n  depth: 16\n  depth: 22\n  dropout: {uniform: [0, 1], uniform: [0, 1]}\nname: b\n"
    )

    assert complaints(text) == [
        "s.yaml:4: model.depth: a key must stand once, but got it twice (first in line 3)",
        "s.yaml:5: model.dropout.uniform: a key must stand once, but got it twice (first in line 5)",
        "s.yaml:6: name: a key must stand once, but got it twice (first in line 1)",
    ]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1e-3", 0.001),
        ("1e2", 100.0),
        ("-5E+1", -50.0),
        (".5e1", 5.0),
        ("1_000", 1000),
        ("0x10", 16),
        ("0", 0),
        ("0.5", 0.5),
        (".inf", float("inf")),
        ("'1e-3'", "1e-3"),
        ("1e", "1e"),
        ("1:30", "1:30"),
        ("1:30.5", "1:30.5"),
        ("08", "08"),
        ("2020-01-01", "2020-01-01"),
        ("2020-13-45", "2020-13-45"),
        ("\uff11\uff16", "\uff11\uff16"),
        ("on", True),
        ("~", None),
        ("!!str 123", "123"),
    ],
)
def test_scalars_are_read_as_a_person_means_them(written: str, value: object) -> None:
    read = parse_source(f"n: {written}\n", "s.yaml").value["n"]

    assert read == value
    assert type(read) is type(value)


def test_aliases_that_end_are_fine() -> None:
    assert space("name: a\nmodel: {depth: &d 16}\nsearch: {trials: *d}\n").search.trials == 16


def test_places_are_known_for_every_value_and_inherited_below() -> None:
    source = parse_source("name: a\nmodel:\n  depth:\n    choice:\n    - 16\n    - 22\n", "dir/s.yaml")

    assert source.location(("model", "depth", "choice", 1)) == "dir/s.yaml:6"
    assert source.location(("model", "dropout")) == "dir/s.yaml:2"
    assert source.location(("search", "trials")) == "dir/s.yaml:1"


@pytest.mark.parametrize("text", ["\ufeffname: a\nmodel: {dept: 16}\n", "name: a\r\nmodel: {dept: 16}\r\n"])
def test_byte_order_marks_and_windows_line_ends_are_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(text.encode())

    source = read_source(path)

    assert source.value == {"name": "a", "model": {"dept": 16}}
    assert source.location(("model", "dept")) == f"{path}:2"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (
            "name: a\ndescription: café\n".encode("latin-1"),
            ":2: a space file must be UTF-8 text, but got the byte 0xe9",
        ),
        ("name: a\n".encode("utf-16"), ":1: a space file must be UTF-8 text, but got the byte 0xff"),
        (b"\x89PNG\r\n\x1a\n\0", ":1: a space file must be UTF-8 text, but got the byte 0x89"),
    ],
)
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, content: bytes, line: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(content)

    with pytest.raises(InputError) as caught:
        read_source(path)

    assert str(caught.value) == f"{path}{line}"


def test_files_that_are_no_files_are_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    expected = {
        "missing.yaml": "nothing",
        "loop": "nothing",
        "dangling": "nothing",
        ".": "a directory",
        "fifo": "no regular file",
    }
    for name, what in expected.items():
        with pytest.raises(InputError, match=rf": the space file must be a YAML file, but there is {what}$"):
            read_source(tmp_path / name)


def test_a_file_of_100_megabytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    with path.open("wb") as file:
        file.truncate(100_000_000)  # sparse: no byte of it is on the disk

    with pytest.raises(InputError, match=rf"must be at most {MAX_BYTES} bytes, but got 100000000$"):
        read_source(path)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file that even root cannot read is needed")
def test_a_file_that_cannot_be_read_is_told() -> None:
    with pytest.raises(InputError, match=r"^/proc/self/mem: the space file must be readable, but got: "):
        read_source(Path("/proc/self/mem"))


def test_a_name_that_the_file_system_refuses_is_told() -> None:
    with pytest.raises(InputError, match=r"the space file must be readable, but got: File name too long$"):
        read_source(Path("x" * 5000))


SIGNS = [
    ":",
    "\n",
    " ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "|",
    ">",
    "?",
    "~",
    "#",
    "%",
    "!",
    "'",
    '"',
    "\\",
    "\\U",
    "\t",
    "\x1b",
]
WORDS = ["&a", "*a", "!!int", "<<", "---", "...", "1e5", "0x", ".nan", "16", "é", "name", "model", "depth"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(SIGNS + WORDS), max_size=30).map("".join))
@example('a: "\\ud800"')
@example("a: !!timestamp b")
@example("? ? ?")
def test_whatever_comes_is_a_mapping_or_an_input_error(text: str) -> None:
    try:
        source = parse_source(text, "s.yaml")
    except InputError as error:
        where = {problem.where.partition(":")[0] for problem in error.problems}
    else:
        where = {"s.yaml"}
        assert repr(yaml.safe_load(yaml.safe_dump(source.value))) == repr(source.value)
    assert where == {"s.yaml"}


@pytest.mark.parametrize("text", ["1e5", "0E0", "-2.5e-3", "12", "true", "null", "1:30", "a: b", ""])
def test_text_that_looks_like_something_else_survives_being_written(text: str) -> None:
    document = {"description": text, "seed": 1e-5}
    assert parse_source(yaml_text(document), "s.yaml").value == document
