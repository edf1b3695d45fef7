"""Handing the trials to Ray Tune, until the conductor has no more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from wrn_search.decisions.image_facts import workload_of
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.memory.choice_of_probes import probe_configs
from wrn_search.memory.gpu_shares import correction_of
from wrn_search.memory.probe.probe_on_gpus import probe_on_a_gpu, probed
from wrn_search.ray_tune.ray_environment import callbacks_uncounted
from wrn_search.results.manifest import add_to_manifest
from wrn_search.results.results_directory import ResultsDirectory

if TYPE_CHECKING:
    from ray.tune import Callback, ProgressReporter

    from wrn_search.ray_tune.trainable import WideResNetTrainable


def refine_prediction(directory: ResultsDirectory, conductor: Conductor) -> None:
    """Lets short trainings on a GPU of this session correct the predicted memory; the manifest holds what they told."""
    if not conductor.allotment.by_memory:
        return
    facts = conductor.facts
    workload = partial(workload_of, facts=facts)
    configs = probe_configs(conductor.space, workload, conductor.precision)
    probe = partial(probe_on_a_gpu, num_classes=facts.num_classes, image_shape=facts.image_shape)
    results = probed(configs, workload, probe)
    conductor.places.probed = correction_of(results)
    told = {"probes": [vars(result) for result in results], "correction": vars(conductor.places.probed)}
    add_to_manifest(directory.manifest, {"gpu_memory": told})


def _silence_in_a_notebook() -> ProgressReporter | None:
    """There Tune clears a cell's output again and again, whatever `verbose` says, and our display with it."""
    from ray.tune import ProgressReporter
    from ray.widgets.util import in_notebook

    class Silent(ProgressReporter):
        def should_report(self, trials: object, done: bool = False) -> bool:
            return False

        def report(self, trials: object, done: bool, *sys_info: object) -> None:
            """Tells nothing."""

    return Silent() if in_notebook() else None


def hand_to_tune(
    directory: ResultsDirectory,
    conductor: Conductor,
    tick: Callable[[], object] | None,
    trainable: type[WideResNetTrainable] | None = None,
    callbacks: Sequence[Callback] = (),
) -> None:
    """Ray Tune runs trials until the conductor has no more, each by the `trainable`; tells the callbacks.

    `tick` is called some times a second, for a display's clock.
    """
    from ray import tune

    from wrn_search.ray_tune.steps.resources_of_a_trial import resources_of
    from wrn_search.ray_tune.trainable import WideResNetTrainable
    from wrn_search.ray_tune.tune_adapter import (
        ConductorCallback,
        ConductorScheduler,
        ConductorSearcher,
        EndOfSearch,
    )

    refine_prediction(directory, conductor)
    checkpoints = directory.checkpoints.absolute()
    searcher = ConductorSearcher(conductor, checkpoints, directory.ray.absolute() / "faults")
    scheduler = ConductorScheduler(conductor, checkpoints, searcher)
    tuner = tune.Tuner(
        tune.with_resources(trainable or WideResNetTrainable, resources_of),
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            scheduler=scheduler,
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
            callbacks=[ConductorCallback(conductor, tick, scheduler.on_trial_start), *callbacks],
            stop=EndOfSearch(conductor),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),  # the trainable writes its own
            verbose=0,
            progress_reporter=_silence_in_a_notebook(),
        ),
    )
    with callbacks_uncounted():
        tuner.fit()
