"""Results directories that are none, or at which nobody can look: told by every command, never as a fault of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from wrn_search.__main__ import main

WHY = "it cannot be read (Too many levels of symbolic links)"


@pytest.mark.parametrize(
    "command",
    [
        ("report", "LOOP"),
        ("report", "LOOP", "LOOP"),
        ("audit", "LOOP"),
        ("confirm", "LOOP", "--dry-run"),
        ("export", "LOOP", "--format", "torch"),
        ("rerun", "LOOP", "--trial", "0"),
        ("tensorboard", "LOOP"),
        ("replay", "LOOP", "--as-recorded"),
        ("paper", "LOOP"),
    ],
)
def test_a_link_that_leads_to_itself(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    assert main([str(loop) if word == "LOOP" else word for word in command]) == 2
    told = capsys.readouterr().err
    assert "Too many levels of symbolic links" in told or "must be named once" in told
    assert "internal error" not in told


def test_a_source_of_a_warm_start_and_a_search_to_resume(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    space = tmp_path / "space.yaml"
    space.write_text(
        f"dataset: {{name: digits}}\nmodel: {{dropout: {{uniform: [0, 0.5]}}}}\n"
        f"search: {{warm_start: ['{loop}']}}\n"
    )
    assert main(["run", str(space), "--dry-run"]) == 2
    assert WHY in capsys.readouterr().err
    assert (
        main(["run", str(space), "--results", str(loop), "--dry-run", "--set", "search.warm_start=[]"]) == 2
    )
    assert f"but {loop} is a link that leads nowhere" in capsys.readouterr().err
    assert main(["run", str(space), "--results", str(loop), "--resume"]) == 2
    told = capsys.readouterr().err
    assert WHY in told
    assert "start it without --resume" not in told


READERS = [
    ("report", "IT"),
    ("audit", "IT"),
    ("confirm", "IT", "--dry-run"),
    ("export", "IT", "--format", "torch"),
    ("rerun", "IT", "--trial", "0"),
    ("tensorboard", "IT"),
    ("replay", "IT", "--as-recorded"),
    ("paper", "IT"),
    ("status", "IT"),
    ("stop", "IT"),
    ("track", "IT", "--to", "csv"),
    ("watch", "IT"),
]


@pytest.mark.parametrize("command", READERS, ids=lambda command: command[0])
def test_a_file_is_no_directory_and_nothing_is_not_the_working_directory(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file.parquet.html"
    file.write_text("x")
    assert main([str(file) if word == "IT" else word for word in command]) == 2
    told = capsys.readouterr().err
    assert "it is a file" in told
    assert str(file) in told
    with pytest.raises(SystemExit) as ended:
        main(["" if word == "IT" else word for word in command])
    assert ended.value.code == 2
    assert "must not be empty, but got ''" in capsys.readouterr().err


def test_a_file_of_a_results_directory_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "events.jsonl").write_text("{}\n")
    assert main(["status", str(tmp_path / "events.jsonl")]) == 2
    assert capsys.readouterr().err == (
        f"{tmp_path}/events.jsonl: must be a results directory, but it is a file (name its directory {tmp_path})\n"
    )
