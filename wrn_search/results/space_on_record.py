"""The space of a search as its record tells it, and the small files beside the record that follow from it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from wrn_search.errors import InputError
from wrn_search.results.atomic_files import atomic_write_text
from wrn_search.results.manifest import write_manifest
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState
from wrn_search.space.sections.recorded_dataset import LATER_SETTINGS
from wrn_search.space.space import Space
from wrn_search.space.space_file import name_of, space_of
from wrn_search.space.yaml_with_lines import Source, parse_source, read_source, yaml_text

_LATER_TRAINING = {"linear_precision": "same"}


def recorded_space(directory: ResultsDirectory, state: SearchState) -> dict[str, Any]:
    """The space of the last session, after --set and defaults; of an older record that of resolved.yaml.

    Raises:
        InputError: the record does not hold it, and resolved.yaml is gone or damaged.
    """
    if state.space:
        return _as_it_was(state.space)
    rule = "must tell the search's space after --set and defaults, which its record does not hold"
    if not directory.resolved.is_file():
        raise InputError.of("", f"{rule}, but it cannot be read: no such file", str(directory.resolved))
    try:
        return _as_it_was(read_source(directory.resolved).value)
    except InputError as error:
        text = f"{rule}, but it is damaged: {error.problems[0].text}"
        raise InputError.of("", text, str(directory.resolved)) from None


def _as_it_was(document: dict[str, Any]) -> dict[str, Any]:
    """A recorded space: what its version did not have yet stays as it was then, whatever the default is today."""
    document = with_later_settings(document)
    search, training = document.get("search", {}), document.get("training", {})
    if not isinstance(search, dict) or not isinstance(training, dict) or "anchor_epochs" in search:
        return document
    before: dict[str, Any] = {"anchor_epochs": 1}
    if search.get("scheduler", "asha") == "asha":
        before["brackets"] = 1
    if "promote" not in search:
        before["promote"] = False
    if "anchors" not in search:
        before["anchors"] = 0.0
    parts = (18, 6, 2) if "anchors" in search else (2, 4 / 3)  # of the epochs, of a cosine
    epochs, cosine = training.get("epochs"), training.get("lr_schedule") == "cosine"
    if cosine and search.get("rungs", "schedule") == "schedule" and isinstance(epochs, int) and epochs > 1:
        rungs = {max(1, round(epochs / part)) for part in parts}
        before["rungs"] = sorted(rung for rung in rungs if rung < epochs) or "schedule"
    return document | {"search": search | before}


def with_later_settings(document: dict[str, Any]) -> dict[str, Any]:
    """A recorded space with what its version did where it had no key for that yet: to images, in the last layer."""
    for name, before in (("dataset", LATER_SETTINGS), ("training", _LATER_TRAINING)):
        section = document.get(name, {})
        if isinstance(section, dict):
            document = document | {name: before | section}
    return document


def resolved_space(directory: ResultsDirectory) -> Space:
    """The space that resolved.yaml tells.

    Raises:
        InputError: it is gone, damaged or of another version.
    """
    source = read_source(directory.resolved)
    source = Source(with_later_settings(source.value), source.where)
    return space_of(source, (), name_of(directory.resolved), on_record=True)


def recorded_file(directory: ResultsDirectory, state: SearchState) -> dict[str, Any] | None:
    """The space file as the last session was given it, before --set; None where nothing tells it any more."""
    try:
        if state.given:
            return parse_source(state.given, str(directory.events)).value
        return read_source(directory.space_file).value
    except InputError:
        return None


def mend_small_files(directory: ResultsDirectory, state: SearchState) -> None:
    """Writes search.yaml, resolved.yaml and manifest.json anew where they are lost; what is there and whole stays."""
    first = next((event for _, event in state.sessions), None)
    if first is not None and first.given and not directory.space_file.is_file():
        atomic_write_text(directory.space_file, first.given)
    if state.space and not _reads_as(directory, state.space):
        atomic_write_text(directory.resolved, yaml_text(state.space))
    if not _is_mapping(directory):
        write_manifest(directory.manifest, manifest_on_record(state))


def manifest_on_record(state: SearchState) -> dict[str, Any]:
    """The manifest as the record tells it: of the first session, and under `sessions` of each later one."""
    told: dict[str, Any] = {"search_id": state.search_id}
    for _, first in state.sessions[:1]:
        if first.versions:
            told |= {"versions": first.versions, "hardware": first.hardware} | first.details
    return told | later_sessions(state)


def later_sessions(state: SearchState) -> dict[str, Any]:
    """`{"sessions": [...]}`: when each `--resume` began, what it changed, and on what it ran; empty without one."""
    sessions = [
        {
            "resumed_at": datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds"),
            "changed": event.changed,
            "versions": event.versions,
            "hardware": event.hardware,
        }
        | {key: event.details[key] for key in ("command", "git") if key in event.details}
        for moment, event in state.sessions[1:]
        if hasattr(event, "changed")
    ]
    return {"sessions": sessions} if sessions else {}


def _is_mapping(directory: ResultsDirectory) -> bool:
    """Whether manifest.json can be read."""
    try:
        return isinstance(json.loads(directory.manifest.read_text(encoding="utf-8")), dict)
    except (OSError, ValueError, RecursionError):
        return False


def _reads_as(directory: ResultsDirectory, space: dict[str, Any]) -> bool:
    """Whether resolved.yaml says what the record says."""
    try:
        return read_source(directory.resolved).value == space
    except InputError:
        return False
