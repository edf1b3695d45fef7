import pytest

from tests.decisions.playing import conductor_of, new_record, space_of
from wrn_search.errors import InputError
from wrn_search.hardware.arithmetic_on_offer import ArithmeticOnOffer
from wrn_search.session.automatic_compile import resolved_compile

WITH = ArithmeticOnOffer(fast_bf16=True, compiler=True, cuda_capabilities=())
WITHOUT = ArithmeticOnOffer(fast_bf16=True, compiler=False, cuda_capabilities=())


@pytest.mark.parametrize(("asked", "resolved"), [("auto", "off"), ("off", "off"), ("on", "on")])
def test_compiling_is_for_those_who_ask_for_it(asked: str, resolved: str) -> None:
    assert resolved_compile(asked, 0.0, [WITH]) == resolved


@pytest.mark.parametrize("machines", [[WITHOUT], [WITH, WITHOUT], [WITHOUT, WITH]])
def test_every_cpu_needs_a_compiler_a_gpu_brings_its_own(machines: list[ArithmeticOnOffer]) -> None:
    with pytest.raises(InputError, match=r"^training.compile: a C\+\+ compiler must be installed"):
        resolved_compile("on", 0.0, machines)
    assert resolved_compile("on", 0.5, machines) == "on"


def test_a_resumed_search_keeps_what_it_began_with(tmp_path) -> None:
    space = space_of()
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space), compile="on")
    conductor.next_trial()
    assert resolved_compile("auto", 0.5, [WITHOUT], conductor.state) == "on"
    with pytest.raises(InputError, match="a C\\+\\+ compiler must be installed"):
        resolved_compile("auto", 0.0, [WITHOUT], conductor.state)
