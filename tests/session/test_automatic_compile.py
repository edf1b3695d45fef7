import pytest

from tests.decisions.playing import conductor_of, new_record, space_of
from wrn_search.errors import InputError
from wrn_search.session.automatic_compile import resolved_compile


@pytest.mark.parametrize(("asked", "resolved"), [("auto", "off"), ("off", "off"), ("on", "on")])
def test_compiling_is_for_those_who_ask_for_it(monkeypatch, asked, resolved) -> None:
    monkeypatch.setattr("wrn_search.session.automatic_compile.shutil.which", lambda name: f"/usr/bin/{name}")
    assert resolved_compile(asked, 0.0) == resolved


def test_a_cpu_needs_a_compiler_a_gpu_brings_its_own(monkeypatch) -> None:
    monkeypatch.setattr("wrn_search.session.automatic_compile.shutil.which", lambda name: None)
    with pytest.raises(InputError, match=r"^training.compile: a C\+\+ compiler must be installed"):
        resolved_compile("on", 0.0)
    assert resolved_compile("on", 0.5) == "on"


def test_the_users_own_compiler_counts(monkeypatch) -> None:
    monkeypatch.setenv("CXX", "icpx")
    monkeypatch.setattr("wrn_search.session.automatic_compile.shutil.which", {"icpx": "/opt/icpx"}.get)
    assert resolved_compile("on", 0.0) == "on"


def test_a_resumed_search_keeps_what_it_began_with(tmp_path, monkeypatch) -> None:
    space = space_of()
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space), compile="on")
    conductor.next_trial()
    assert resolved_compile("auto", 0.5, conductor.state) == "on"
    monkeypatch.setattr("wrn_search.session.automatic_compile.shutil.which", lambda name: None)
    with pytest.raises(InputError, match="a C\\+\\+ compiler must be installed"):
        resolved_compile("auto", 0.0, conductor.state)
