"""`rerun` against records that `Training` made: equal to the bit, or told where and why not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.training.trainings import config_of, differences
from tests.winner.searches import (
    BEST,
    COMPLETED,
    DIVERGED,
    FAILED,
    STOPPED,
    change_record,
    id_at,
    read_lines,
    train_search,
    write_lines,
)
from wrn_search.__main__ import main
from wrn_search.training.checkpoints.checkpoint_file import load_checkpoint
from wrn_search.training.training_loop import Training


def test_a_rerun_reproduces_the_record_bit_for_bit(searched: Path, tmp_path: Path, capsys) -> None:
    weights = tmp_path / "again.pt"
    arguments = ["rerun", str(searched), "--trial", "best", "--checkpoint", str(weights), "--json"]
    assert main(arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["trial"], told["equal"], told["compared"], told["threads"]) == (BEST, True, 2, 1)
    assert [epoch["equal"] for epoch in told["epochs"]] == [True, True]
    assert told["reasons"] == []
    reports = [
        line for line in read_lines(searched) if line["event"] == "reported" and line["number"] == BEST
    ]
    assert [epoch["now"]["val_loss"] for epoch in told["epochs"]] == [line["val_loss"] for line in reports]
    kept = load_checkpoint(searched / "checkpoints" / f"{id_at(BEST)}.pt")
    assert differences(load_checkpoint(weights), kept) == []


def test_the_text_says_of_each_epoch_whether_it_is_equal(searched: Path, capsys) -> None:
    assert main(["rerun", str(searched), "--trial", str(COMPLETED)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "Trial 0, 000_WRN-10-0.5_p0.30_wd5e-4 (completed on record): 2 epochs on cpu with 1 thread"
    )
    assert [line.split()[0] for line in lines[2:4]] == ["1", "2"]
    assert all(line.endswith("  equal") for line in lines[2:4])
    assert lines[-1] == "Equal: 2 epochs on record came out again, bit for bit."


def test_the_last_bit_of_a_loss_is_a_difference(own_search: Path, capsys) -> None:
    (report,) = [
        line
        for line in read_lines(own_search)
        if line["event"] == "reported" and (line["number"], line["epoch"]) == (COMPLETED, 2)
    ]
    neighbour = report["val_loss"] * (1 + 2**-52)
    assert neighbour != report["val_loss"]
    change_record(own_search, COMPLETED, 2, val_loss=neighbour)
    assert main(["rerun", str(own_search), "--trial", str(COMPLETED)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].endswith("  equal")
    assert lines[3].endswith("  differs: val_loss")
    assert "Not equal: 1 of 2 epochs on record differ, the first is epoch 2." in lines


def test_what_is_otherwise_than_on_record_is_named(own_search: Path, capsys) -> None:
    change_record(own_search, COMPLETED, 1, train_loss=0.5)
    manifest = own_search / "manifest.json"
    values = json.loads(manifest.read_text())
    values["versions"]["torch"] = "1.0"
    values["hardware"]["cpu"] = "abacus"
    manifest.write_text(json.dumps(values))
    arguments = ["rerun", str(own_search), "--trial", str(COMPLETED), "--threads", "2", "--json"]
    assert main([*arguments, "--epochs", "1"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert "train_loss" in told["epochs"][0]["differs"]
    reasons = "\n".join(told["reasons"])
    assert "instead of 1.0" in reasons
    assert "instead of abacus" in reasons
    assert "2 threads instead of 1: sums are split in another way" in reasons


def test_bf16_is_named_as_a_reason(tmp_path: Path, capsys) -> None:
    results = train_search(tmp_path / "results", [config_of(epochs=1, precision="bf16")])
    change_record(results, 0, 1, val_error=0.0)
    assert main(["rerun", str(results), "--trial", "0"]) == 1
    assert "in bf16, whose kernels" in capsys.readouterr().out


def test_an_interrupted_rerun_goes_on_from_its_checkpoint(own_search: Path, capsys) -> None:
    arguments = ["rerun", str(own_search), "--trial", str(COMPLETED), "--checkpoint"]
    assert main([*arguments, "--epochs", "1"]) == 0
    capsys.readouterr()
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].endswith("equal (from the checkpoint)")
    assert lines[3].endswith("  equal")
    assert (own_search / "rerun" / f"{id_at(COMPLETED)}.pt").exists()
    assert not list((own_search / "checkpoints").glob(f"{id_at(COMPLETED)}*")), (
        "the search's own folder is left alone"
    )


def test_a_stopped_trial_can_go_on_to_its_end(own_search: Path, capsys) -> None:
    assert main(["rerun", str(own_search), "--trial", str(STOPPED)]) == 0
    assert "1 epoch on cpu" in capsys.readouterr().out
    assert main(["rerun", str(own_search), "--trial", str(STOPPED), "--epochs", "2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [epoch["equal"] for epoch in told["epochs"]] == [True, None]
    assert told["epochs"][1]["recorded"] is None


def test_a_divergence_comes_again(searched: Path, capsys) -> None:
    assert main(["rerun", str(searched), "--trial", str(DIVERGED)]) == 0
    told = capsys.readouterr().out
    assert "Diverged in epoch 1: " in told
    assert "as on record." in told


def test_a_divergence_that_does_not_come_again_is_a_difference(own_search: Path, capsys) -> None:
    """The record says that trial 0 diverged in the epoch that it completed."""
    lines = read_lines(own_search)
    kept = [
        line for line in lines if line.get("number") != COMPLETED or line["event"] in ("proposed", "started")
    ]
    kept.append({"time": 1.0, "event": "diverged", "number": COMPLETED, "epoch": 1, "error": "nan"})
    write_lines(own_search, kept)
    assert main(["rerun", str(own_search), "--trial", str(COMPLETED), "--epochs", "1"]) == 1
    assert "It did not diverge where the record says that it did." in capsys.readouterr().out


def test_without_a_record_there_is_nothing_to_be_equal_to(searched: Path, capsys) -> None:
    assert main(["rerun", str(searched), "--trial", str(FAILED), "--epochs", "1"]) == 1
    told = capsys.readouterr().out
    assert "not on record" in told
    assert "There is no epoch on record to compare with." in told


def test_an_exception_of_the_training_is_told(
    searched: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    def raising(self: Training) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(Training, "run_epoch", raising)
    assert main(["rerun", str(searched), "--trial", "0"]) == 1
    assert "Epoch 1 failed: RuntimeError: DefaultCPUAllocator" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--trial", "9"], "--trial: must be best, a trial's number (0 to 4)"),
        (
            ["--trial", "0", "--epochs", "3"],
            "--epochs: must be 1 to 2, the epochs of the trial's schedule, but got 3",
        ),
        (["--trial", "0", "--threads", "0"], "--threads: must be 1 to 1024, but got 0"),
        (["--trial", "0", "--checkpoint", ""], "--checkpoint: must not be empty, but got ''"),
        (["--trial", "0", "--checkpoint", "/dev/null/x"], "--checkpoint: "),
    ],
)
def test_bad_input_is_told(arguments: list[str], line: str, searched: Path, capsys) -> None:
    assert main(["rerun", str(searched), *arguments]) == 2
    assert capsys.readouterr().err.startswith(line)


def test_a_checkpoint_of_another_trial_is_not_gone_on_from(searched: Path, capsys) -> None:
    other = searched / "checkpoints" / f"{id_at(BEST)}.pt"
    before = other.read_bytes()
    assert main(["rerun", str(searched), "--trial", "0", "--checkpoint", str(other)]) == 2
    assert "checkpoint of another training: " in capsys.readouterr().err
    assert other.read_bytes() == before
