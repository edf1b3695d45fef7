"""One session of a search: its files, the observers of its record, and Ray Tune until the conductor is done."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import yaml

from wrn_search.memory.shares import correction_of
from wrn_search.results.directory import ResultsDirectory, atomic_write_text
from wrn_search.results.events import SearchEnded, SearchResumed, SearchStarted
from wrn_search.results.manifest import add_to_manifest, hardware, manifest, new_search_id, write_manifest
from wrn_search.results.reader import read_tables
from wrn_search.results.record import Record
from wrn_search.results.state import SearchState
from wrn_search.results.tables import TableWriter
from wrn_search.results.tensorboard import TensorBoardLog
from wrn_search.search.checkpoints import CheckpointKeeper
from wrn_search.search.conductor import Conductor
from wrn_search.search.facts import workload_of
from wrn_search.search.gpu_memory import probe_configs, probe_on_a_gpu, probed
from wrn_search.search.mps import mps_state
from wrn_search.search.progress import ProgressDisplay
from wrn_search.search.request import Begun, Request
from wrn_search.search.rungs import rungs_of
from wrn_search.search.sizing import Allotment, Node, gpu_names, usable_cores
from wrn_search.space.definition import Space
from wrn_search.space.errors import InputError
from wrn_search.training.preparation import PreparedData

if TYPE_CHECKING:
    from ray.tune import Callback

    from wrn_search.search.trainable import WideResNetTrainable


@dataclass(frozen=True)
class Arithmetic:
    """How all trials of a search compute: `auto` resolved."""

    precision: str  # fp32 | bf16
    compile: str  # on | off


@contextmanager
def opened_record(
    request: Request,
    data: PreparedData,
    nodes: Sequence[Node],
    allotment: Allotment,
    arithmetic: Arithmetic,
    begun: Begun | None,
) -> Iterator[Record]:
    """The open record of a new search, or of one that has begun, this session's first event in it."""
    directory = request.directory
    if begun is None:
        _begin(request, data, nodes, allotment, arithmetic)
    # A search that begins learns its first event in the way of one that is resumed, by reading.
    with Record.open(directory.events) as record:
        if begun is not None:
            record.append(SearchResumed(begun.changed))
        atomic_write_text(
            directory.resolved, _resolved(request)
        )  # on resume: more trials or hours, another space or root
        directory.checkpoints.mkdir(exist_ok=True)
        shutil.rmtree(directory.ray, ignore_errors=True)
        yield record


def _begin(
    request: Request, data: PreparedData, nodes: Sequence[Node], allotment: Allotment, arithmetic: Arithmetic
) -> None:
    """The files of a new search that are written once, and its first event."""
    directory, space = request.directory, request.space
    directory.create()
    search_id = new_search_id()
    atomic_write_text(directory.space_file, request.space_text)
    atomic_write_text(directory.resolved, _resolved(request))
    write_manifest(directory.manifest, _manifest(search_id, space, data, nodes, allotment, arithmetic))
    started = SearchStarted(
        search=space.name,
        search_id=search_id,
        max_epochs=space.training.epochs,
        chance_error=data.chance_error,
        dataset=space.dataset.name,
        split_hash=data.split_hash,
    )
    with Record.create(directory.events) as record:
        record.append(started)
    directory.started()


def _resolved(request: Request) -> str:
    """The space after `--set` and defaults."""
    return yaml.safe_dump(request.space.to_document(), sort_keys=False)


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
            "image_shape": list(data.image_shape),
            "train_images": data.train_images,
            "validation_images": data.validation_images,
        },
    }
    return manifest(search_id, space.search.seed, sys.argv, hardware(usable_cores(), gpu_names()), details)


def mend_tables(directory: ResultsDirectory, state: SearchState, space: Space) -> None:
    """Writes tables and TensorBoard runs of a finished search anew from its record, if the tables are not whole.

    Raises:
        InputError: another search writes here.
    """
    rows = (len(state.trials), sum(trial.epochs_done for trial in state.trials.values()))
    with suppress(InputError):
        trials, epochs = read_tables(directory.path)
        if (trials.num_rows, epochs.num_rows) == rows:
            return
    with Record.open(directory.events):
        TableWriter(directory, state)
        TensorBoardLog(directory, state, space.hyperparameters).close()


class Observers:
    """Everything that follows from the record while the search runs: tables, TensorBoard, checkpoints kept."""

    def __init__(self, directory: ResultsDirectory, record: Record, conductor: Conductor):
        self._keeper = CheckpointKeeper(directory.checkpoints, conductor.space.search.keep_checkpoints)
        for moment, event in record.events:
            self._keeper(moment, event)
        self._keeper.sweep()
        self._tables = TableWriter(directory, conductor.state)
        self._board = TensorBoardLog(directory, conductor.state, conductor.space.hyperparameters)
        record.subscribe(self._keeper)
        record.subscribe(self._tables.on_event)
        record.subscribe(self._board.on_event)

    def finish(self) -> None:
        """The last version of every file."""
        self._tables.flush()
        self._tables.compact()
        self._board.close()
        self._keeper.sweep()


def refine_prediction(directory: ResultsDirectory, conductor: Conductor) -> None:
    """Lets short trainings on a GPU of this session correct the predicted memory; the manifest holds what they told."""
    if not conductor.allotment.by_memory:
        return
    facts = conductor.facts
    workload = partial(workload_of, facts=facts)
    configs = probe_configs(conductor.space, workload, conductor.precision)
    results = probed(configs, workload, partial(probe_on_a_gpu, facts=facts))
    conductor.places.probed = correction_of(results)
    told = {"probes": [vars(result) for result in results], "correction": vars(conductor.places.probed)}
    add_to_manifest(directory.manifest, {"gpu_memory": told})


def hand_to_tune(
    directory: ResultsDirectory,
    conductor: Conductor,
    display: ProgressDisplay | None,
    trainable: type[WideResNetTrainable] | None = None,
    callbacks: Sequence[Callback] = (),
) -> None:
    """Ray Tune runs trials until the conductor has no more, each by the `trainable`; tells the callbacks."""
    from ray import tune

    from wrn_search.search.trainable import WideResNetTrainable
    from wrn_search.search.tune_adapter import (
        ConductorCallback,
        ConductorScheduler,
        ConductorSearcher,
        EndOfSearch,
        resources_of,
    )

    refine_prediction(directory, conductor)
    tuner = tune.Tuner(
        tune.with_resources(trainable or WideResNetTrainable, resources_of),
        tune_config=tune.TuneConfig(
            search_alg=ConductorSearcher(conductor, directory.checkpoints.absolute()),
            scheduler=ConductorScheduler(conductor),
            num_samples=-1,
            reuse_actors=True,
            trial_name_creator=lambda trial: trial.config["trial_id"],
            trial_dirname_creator=lambda trial: (
                trial.trial_id
            ),  # Tune's: a trial that is tried again is a new one
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=str(directory.ray.absolute()),
            callbacks=[ConductorCallback(conductor, display), *callbacks],
            stop=EndOfSearch(conductor),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),  # the trainable writes its own
            verbose=0,
        ),
    )
    tuner.fit()


def end_session(conductor: Conductor, record: Record, observers: Observers, reason: str) -> None:
    """The last events of a session: trials that still train end as interrupted, then the search itself.

    The search ends on record only when its tables are whole: whoever finds it finished need not write them.
    """
    for number in sorted(conductor.unended):
        conductor.interrupted(number, f"the session ended: {reason}")
    observers.finish()
    record.append(SearchEnded(reason))
