"""Every reading of the test split is counted: in the record before a file is opened, and in the manifest."""

from __future__ import annotations

from typing import Any

from wrn_search.errors import InputError
from wrn_search.images.prepared_data import PreparedData
from wrn_search.results.events import Event, TestOpened
from wrn_search.results.events_jsonl import Record
from wrn_search.results.manifest import add_to_manifest
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState
from wrn_search.space.dataset_section import DatasetSettings


def look_at_test_split(dataset: DatasetSettings, data: PreparedData) -> list[str]:
    """Sees to it, before hours of training, that test images are there; no network sees them.

    Returns what a user should know of them, a line each.

    Raises:
        InputError: they are not there or not as they must be.
    """
    from wrn_search.images.held_out_test_images import checked_test_split  # loads torch

    return checked_test_split(dataset, data)


def look_for_test_split(dataset: DatasetSettings) -> None:
    """The same for a plan, by the names of files and classes alone: nothing is decoded, downloaded or prepared.

    Raises:
        InputError: test images are not there, or of other classes.
    """
    from wrn_search.images import held_out_test_images  # loads torch

    held_out_test_images.look_for_test_split(dataset)


def count_readings(
    directory: ResultsDirectory, record: Record, state: SearchState, about: dict[str, Any]
) -> None:
    """From now on the manifest counts each reading of the test split; it also holds `about`.

    Raises:
        InputError: it cannot be read.
    """
    manifest = directory.manifest

    def count(moment: float, event: Event) -> None:
        if isinstance(event, TestOpened):
            add_to_manifest(manifest, {"test_reads": test_reads(state)})

    try:
        add_to_manifest(manifest, about | {"test_reads": test_reads(state)})
    except (ValueError, TypeError):
        text = "must be readable, since every reading of the test split is counted in it, but is damaged"
        raise InputError.of("", text, str(manifest)) from None
    record.subscribe(count)


def test_reads(state: SearchState) -> list[dict[str, Any]]:
    """Every reading of the test split, in the order in which they were allowed: trial and Unix seconds."""
    reads = [
        {"trial_id": trial.trial_id, "time": moment}
        for trial in state.trials.values()
        for moment in trial.test_opened
    ]
    return sorted(reads, key=lambda read: read["time"])
