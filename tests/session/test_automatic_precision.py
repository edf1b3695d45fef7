import pytest

from tests.decisions.playing import conductor_of, new_record, space_of
from wrn_search.session import automatic_precision
from wrn_search.session.automatic_precision import resolved_precision

CIFAR, DIGITS = (32, 32, 3), (8, 8, 1)


@pytest.fixture(params=["avx512_bf16", "amx_bf16", None])
def fast(request, tmp_path, monkeypatch) -> bool:
    """A CPU with or without bf16 in hardware."""
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: fpu sse2 {request.param or 'avx2'} aes\n")
    monkeypatch.setattr(automatic_precision, "CPU_INFO", tmp_path / "cpuinfo")
    return request.param is not None


def test_auto_on_cpu_is_bf16_where_it_is_fast_and_pays(fast) -> None:
    assert resolved_precision("auto", CIFAR, 0.0) == ("bf16" if fast else "fp32")
    assert resolved_precision("auto", (64, 48, 3), 0.0) == ("bf16" if fast else "fp32")
    assert resolved_precision("auto", DIGITS, 0.0) == "fp32"


def test_what_is_asked_for_is_taken(fast) -> None:
    for asked in ("fp32", "bf16"):
        assert resolved_precision(asked, DIGITS, 0.0) == asked


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), "fp32"), ((8, 0), "bf16"), ((9, 0), "bf16")])
def test_auto_on_cuda_goes_by_its_capability(monkeypatch, capability, expected) -> None:
    monkeypatch.setattr(automatic_precision, "_cuda_capability", lambda: capability)
    assert resolved_precision("auto", DIGITS, 0.5) == expected


def test_a_simulated_gpu_goes_by_the_cpu(monkeypatch, fast) -> None:
    monkeypatch.setattr(automatic_precision, "_cuda_capability", lambda: None)
    assert resolved_precision("auto", CIFAR, 0.5) == ("bf16" if fast else "fp32")


def test_a_machine_without_cpuinfo_is_not_fast(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(automatic_precision, "CPU_INFO", tmp_path / "nothing")
    assert resolved_precision("auto", CIFAR, 0.0) == "fp32"


def test_a_resumed_search_keeps_its_precision(fast, tmp_path) -> None:
    space = space_of()
    with new_record(tmp_path / "events.jsonl", space) as record:
        conductor = conductor_of(space, record, precision="bf16")
        assert resolved_precision("auto", DIGITS, 0.0, conductor.state) == "fp32"
        conductor.next_trial()
    assert conductor.state.trials[0].config["precision"] == "bf16"
    assert resolved_precision("auto", DIGITS, 0.0, conductor.state) == "bf16"
