"""The start of a session: its files, its first event, how its trials compute; and the last events at its end."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wrn_search.decisions.budget.most_trials import is_open_ended
from wrn_search.decisions.image_facts import DataFacts
from wrn_search.decisions.rung_epochs import rungs_of
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.end_reason import EndReason
from wrn_search.hardware.arithmetic_on_offer import gpus_are_simulated
from wrn_search.hardware.detected_cores_and_gpus import gpu_names, usable_cores
from wrn_search.hardware.machine import Node
from wrn_search.hardware.nvidia_mps import mps_state
from wrn_search.images.on_disk.stays_mapped import bytes_on_gpu, stored_bytes
from wrn_search.images.prepared_data import PreparedData, size_to_write
from wrn_search.lines_on_stderr import tell
from wrn_search.results.atomic_files import atomic_write_text
from wrn_search.results.events import Reopened, SearchEnded, SearchResumed, SearchStarted
from wrn_search.results.events_jsonl import Record
from wrn_search.results.manifest import (
    add_change,
    add_to_manifest,
    hardware,
    manifest,
    new_search_id,
    write_manifest,
)
from wrn_search.results.space_on_record import later_sessions, mend_small_files
from wrn_search.results.state_from_events import SearchState
from wrn_search.session.files_from_the_record import Observers
from wrn_search.session.resume import Begun
from wrn_search.session.search_request import Request
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.space import Space
from wrn_search.space.yaml_with_lines import yaml_text

_MUCH = 100_000_000  # bytes of prepared images, from which on they are told before they are written


@dataclass(frozen=True)
class Arithmetic:
    """How all trials of a search compute: `auto` resolved."""

    precision: str  # fp32 | bf16
    compile: str  # on | off
    cuda_graph: str = "off"  # on | off


def tell_what_is_written(dataset: DatasetSettings, quiet: bool) -> None:
    """A line on the prepared images, where they take much of a disk, before they are written.

    Raises:
        InputError: see `size_to_write`.
    """
    size = None if quiet else size_to_write(dataset)
    if size is not None and size.to_write >= _MUCH:
        tell(f"images of {dataset.name}: {size.text}")


@contextmanager
def opened_record(
    request: Request,
    data: PreparedData,
    nodes: Sequence[Node],
    allotment: Allotment,
    arithmetic: Arithmetic,
    begun: Begun | None,
    predicted: dict[str, Any] | None = None,
) -> Iterator[Record]:
    """The open record of a new search, or of one that has begun, this session's first event in it.

    `predicted` is what is expected of a new one.
    """
    directory = request.directory
    search_id = new_search_id() if begun is None else begun.state.search_id
    about = _manifest(search_id, request.space, data, nodes, allotment, arithmetic)
    about["trials_planned"] = None if is_open_ended(request.space) else request.rows
    if predicted is not None:
        about["predicted"] = predicted
    if begun is None:
        _begin(request, data, about)
    # A search that begins learns its first event in the way of one that is resumed, by reading.
    with Record.open(directory.events, read=begun.read if begun else None) as record:
        if begun is not None:
            told = _told(request, about)
            if told["given"] == begun.state.given:  # it stands there already
                del told["given"]
            record.append(SearchResumed(begun.changed, dict(begun.before), **told))
            _tell_changes(directory.manifest, begun)
            _bring_files_up(request, begun.state, record)
            for number in begun.reopened:
                record.append(Reopened(number))
        directory.checkpoints.mkdir(exist_ok=True)
        shutil.rmtree(directory.ray, ignore_errors=True)
        yield record


def _tell_changes(path: Path, begun: Begun) -> None:
    """The manifest of a search tells how it was changed; where it is lost, the record does."""
    if begun.changed:
        with suppress(OSError, ValueError):
            add_change(path, {key: [begun.before.get(key), now] for key, now in begun.changed.items()})


def _begin(request: Request, data: PreparedData, about: dict[str, Any]) -> None:
    """The files of a new search that are written once, and its first event."""
    directory, space = request.directory, request.space
    directory.create()
    atomic_write_text(directory.space_file, request.space_text)
    atomic_write_text(directory.resolved, yaml_text(space.to_document()))
    write_manifest(directory.manifest, about)
    started = SearchStarted(
        search=space.name,
        search_id=about["search_id"],
        max_epochs=space.training.epochs,
        chance_error=data.chance_error,
        dataset=space.dataset.name,
        split_hash=data.split_hash,
        **_told(request, about),
    )
    with Record.create(directory.events) as record:
        record.append(started)
    directory.started()


def _told(request: Request, about: dict[str, Any]) -> dict[str, Any]:
    """What a session's first event says of it: whatever files get lost, the record knows."""
    details = {key: value for key, value in about.items() if key not in ("search_id", "versions", "hardware")}
    return {
        "space": request.space.to_document(),
        "given": request.space_text,
        "versions": about["versions"],
        "hardware": about["hardware"],
        "details": details,
    }


def _bring_files_up(request: Request, state: SearchState, record: Record) -> None:
    """On resume: more trials or hours, another space or root; what was lost, and a further session of the manifest."""
    atomic_write_text(request.directory.resolved, _resolved(request))
    state.apply(*record.events[-1])
    mend_small_files(request.directory, state)
    add_to_manifest(request.directory.manifest, later_sessions(state))


def _resolved(request: Request) -> str:
    """The space after `--set` and defaults."""
    return yaml_text(request.space.to_document())


def _manifest(
    search_id: str,
    space: Space,
    data: PreparedData,
    nodes: Sequence[Node],
    allotment: Allotment,
    arithmetic: Arithmetic,
) -> dict[str, Any]:
    details = {
        "precision": arithmetic.precision,
        "compile": arithmetic.compile,
        "cuda_graph": arithmetic.cuda_graph,
        "cudnn_benchmark": allotment.gpus_per_trial > 0 and not gpus_are_simulated(),
        "threads": allotment.cpus_per_trial,
        "concurrent": allotment.concurrent,
        "gpus_per_trial": "by memory" if allotment.by_memory else allotment.gpus_per_trial,
        "nvidia_mps": mps_state(),
        "nodes": [vars(node) for node in nodes],
        "rungs": list(rungs_of(space)),
        "split_hash": data.split_hash,
        "dataset": {
            "name": space.dataset.name,
            "num_classes": data.num_classes,
            "class_names": list(data.class_names),
            "image_shape": list(data.image_shape),
            "train_images": data.train_images,
            "validation_images": data.validation_images,
            "warnings": list(data.warnings),
        },
    }
    return manifest(search_id, space.search.seed, sys.argv, hardware(usable_cores(), gpu_names()), details)


def end_session(conductor: Conductor, record: Record, observers: Observers, reason: EndReason) -> None:
    """The last events of a session: trials that still train end as interrupted, then the search itself.

    The search ends on record only when its tables are whole: whoever finds it finished need not write them.

    Raises:
        OSError: something cannot be written, or another process has taken over: its tables are left alone then.
    """
    record.check_ours()
    for number in sorted(conductor.unended):
        conductor.interrupted(number, f"the session ended: {reason}")
    if reason is EndReason.BUDGET:
        conductor.state.end_rests()
    observers.finish()
    record.append(SearchEnded(str(reason), conductor.funds.spent))


def facts_of(data: PreparedData) -> DataFacts:
    """Those of prepared data."""
    return DataFacts(
        data.num_classes,
        data.image_shape,
        data.validation_images,
        data.chance_error,
        data.train_images,
        stored_bytes=0 if data.files else bytes_on_gpu(stored_bytes(data.directory)),
        is_streamed=data.files is not None,
    )
