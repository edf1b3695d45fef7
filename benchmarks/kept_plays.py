"""Finished plays of an arm in a file of lines, so that a comparison of many hours may be broken off and goes on."""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class MeasuredPlay:
    """What a comparison needs of one play."""

    regrets: list[float]  # (M,) at M moments of the budget
    counts: dict[str, int]
    cpu_seconds: float


class KeptPlays:
    """The plays of one arm with one budget; without a folder nothing is kept."""

    def __init__(self, folder: Path | None, arm: str, trainings: int):
        self._file: Path | None = None
        self._plays: dict[tuple[str, int], MeasuredPlay] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = folder / f"{re.sub('[^a-z0-9*+=.]+', '-', f'{arm} {trainings}'.lower())}.jsonl"
            self._read(self._file)

    def of(self, table: str, seed: int) -> MeasuredPlay | None:
        """A play that is over, or None."""
        return self._plays.get((table, seed))

    def add(self, table: str, seed: int, play: MeasuredPlay) -> None:
        """A play that is over now, on disk when this returns."""
        self._plays[table, seed] = play
        if self._file is not None:
            with self._file.open("a") as lines:
                lines.write(json.dumps({"table": table, "seed": seed} | dataclasses.asdict(play)) + "\n")

    def _read(self, file: Path) -> None:
        """What the file holds; a last line that was broken off is cut away."""
        if not file.is_file():
            return
        text = file.read_text()
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            file.write_text(whole)
        for line in whole.splitlines():
            told = json.loads(line)
            where = told.pop("table"), told.pop("seed")
            self._plays[where] = MeasuredPlay(**told)
