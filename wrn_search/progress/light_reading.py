"""The events of a record that say how its search stands, read in a fraction of the time that all of them take.

Nine lines of ten are epochs. How a search stands follows from the last epoch that each trial had when a session began,
and has now: only those are parsed. Every line is held against its checksum and its place all the same.
"""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path

from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.errors import InputError
from wrn_search.results.events import EVENTS, Reported, TimedEvent
from wrn_search.results.events_jsonl import read_events

_NUMBER = re.compile(rb'\{"seq":(\d+),"time":[-+.eE\d]+,"event":"([a-z_]+)"(?:,"number":(\d+))?')
_SEAL = re.compile(rb',"crc":"([0-9a-f]{8})"\}\n')
_SEAL_LENGTH = len(b',"crc":"12345678"}\n')
_SESSION_BEGINS = (b"search_started", b"search_resumed")


def light_events(path: Path) -> list[TimedEvent]:
    """(time, event) of all that is no epoch, and of each trial's last epoch before a session and at the end.

    What is in doubt, such as a record of an older version, is read line by line with all its checks.

    Raises:
        InputError: there is no record, or a line is damaged (names the line).
    """
    try:
        with path.open("rb") as file:
            lines = file.readlines()
    except FileNotFoundError:
        raise InputError.of("", "must be the record of a search, but there is none", str(path)) from None
    except OSError as error:
        raise InputError.of("", f"must be readable, but got: {error.strerror}", str(path)) from None
    if lines and not lines[-1].endswith(b"\n"):
        lines.pop()  # torn: its `append` never returned
    kept = _kept(lines)
    if kept is not None:
        try:
            return [_event(lines[place]) for place in kept]
        except (ValueError, TypeError, KeyError, AttributeError):
            pass
    return read_events(path)


def _kept(lines: list[bytes]) -> list[int] | None:
    """Places of the lines that count, in order; None where a line is not as this version writes it."""
    kept: list[int] = []
    latest: dict[bytes, int] = {}  # trial -> place of its last epoch so far
    look, seal, crc = _NUMBER.match, _SEAL.fullmatch, zlib.crc32
    for place, line in enumerate(lines):
        found, sealed = look(line), seal(line, len(line) - _SEAL_LENGTH)
        if found is None or sealed is None or int(found[1]) != place:
            return None
        if crc(b"}", crc(line[:-_SEAL_LENGTH])) != int(sealed[1], 16):
            return None
        if found[2] == b"reported":
            latest[found[3]] = place
            continue
        if found[2] in _SESSION_BEGINS:
            kept += latest.values()
            latest.clear()
        kept.append(place)
    kept += latest.values()
    return sorted(kept)


def _event(line: bytes) -> TimedEvent:
    """The event of a line whose checksum is right: what it holds was written by this program."""
    values = json.loads(line.decode())  # bytes would be asked for their encoding each
    del values["seq"], values["crc"]
    time, kind = values.pop("time"), EVENTS[values.pop("event")]
    if kind is Reported:
        number, node, device = values.pop("number"), values.pop("node"), values.pop("device")
        ago = values.pop("ended_ago", 0.0)
        return time, Reported(number, EpochMetrics(**values), node, device, ago)
    return time, kind(**values)
