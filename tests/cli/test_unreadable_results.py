"""Results directories at which nobody can look: told as such by every command, and never as a fault of ours."""

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
