"""Problems as lines, and the nearest valid name."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrn_search.errors import InputError, Problem, nearest, printable


@pytest.mark.parametrize(
    ("problem", "line"),
    [
        (Problem("model.depth", "must be 1", "s.yaml:3"), "s.yaml:3: model.depth: must be 1"),
        (Problem("model.depth", "must be 1", "--set"), "--set: model.depth: must be 1"),
        (Problem("", "must be YAML", "s.yaml"), "s.yaml: must be YAML"),
        (Problem("dataset.root", "must be there"), "dataset.root: must be there"),
    ],
)
def test_a_problem_is_one_line_of_its_parts(problem: Problem, line: str) -> None:
    assert str(problem) == line


@given(st.text(), st.text(), st.text())
def test_whatever_a_problem_holds_a_terminal_gets_one_harmless_line(key: str, text: str, where: str) -> None:
    line = str(Problem(key, text, where))

    assert line.isprintable()
    assert line.encode("utf-8").decode() == line


def test_an_error_is_a_line_for_each_problem_and_survives_a_process_boundary() -> None:
    error = InputError([Problem("a", "one", "s.yaml:1"), Problem("b", "two", "s.yaml:2")])

    assert str(error) == "s.yaml:1: a: one\ns.yaml:2: b: two"
    assert pickle.loads(pickle.dumps(error)).problems == error.problems
    assert InputError.of("a", "one", "s.yaml:1").problems == error.problems[:1]


def test_printable_spells_out_what_a_terminal_might_obey() -> None:
    assert printable("a\x1b[31mb\x9b\u202e\ud800\r\n") == r"a\x1b[31mb\x9b\u202e\ud800\r\n"
    assert printable("two\nlines\tä 😀", keep="\n\t") == "two\nlines\tä 😀"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("dept", " (did you mean 'depth'?)"), ("widenfactor", " (did you mean 'widen_factor'?)"), ("zzz", "")],
)
def test_the_nearest_name_is_offered_when_one_is_near(name: str, hint: str) -> None:
    assert nearest(name, ["depth", "widen_factor", "block"]) == hint
