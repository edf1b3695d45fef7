"""Whether the nodes of a cluster can train for a search: its versions, its results directory, its images, on each.

The package itself travels with the job (`cluster_address.ray_at`): a node that joins late runs the driver's code too.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wrn_search.cluster.living_nodes import LivingNode, living_nodes
from wrn_search.cluster.node_facts import own_versions
from wrn_search.errors import InputError, Problem
from wrn_search.file_system.write_probe import PROBE
from wrn_search.hardware.arithmetic_on_offer import (
    TF32_RULE,
    ArithmeticOnOffer,
    gpus_are_simulated,
    lacks_tf32,
    no_gpu_text,
)
from wrn_search.hardware.gpu_energy import energy_problem_text
from wrn_search.memory.probe.tasks_on_nodes import runtime_env
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.rules.starting_file import RANDOM

SECONDS_FOR_A_NODE = 120.0  # to start a process and to look; not to decode images
_SCRATCH_OF_JOBS = "working_dir_files"  # where Ray unpacks what `ray job submit --working-dir` uploads


@dataclass(frozen=True)
class Probe:
    """A file of the driver in the results directory, by which a node shows that it sees the same directory."""

    path: Path
    content: str


@dataclass(frozen=True)
class Look:
    """What a node found when it looked."""

    versions: Mapping[str, str | None]
    code_error: str | None = None  # why it cannot import the package
    storage: str | None = None  # what kept it from using the results directory
    split_hash: str | None = None  # of the images that it prepared, once it was asked to
    data_error: str | None = None  # why there are none
    weights_error: str | None = None  # what kept it from the file of `model.init_from`
    arithmetic: ArithmeticOnOffer | None = None  # what it can compute with


def problems_of(
    name: str,
    look: Look | Problem,
    driver: Mapping[str, str | None],
    split_hash: str,
    on_gpus: bool = False,
    precision: str = "",
) -> list[Problem]:
    """Why a node must not train: nothing when it may.

    Args:
        name: the node's, for people.
        look: what it found, or why it could not look.
        driver: `own_versions` of the process that drives the search.
        split_hash: of the driver's images.
        on_gpus: whether trials are to train on GPUs that Ray was told of there.
        precision: in which trials train, where the search has it already: a node that joins must have it too.
    """
    if isinstance(look, Problem):
        return [look]
    if look.code_error is not None:
        text = f"every node must have the project's requirements, but got on {name}: {look.code_error}"
        return [Problem("--address", text)]
    found = []
    for package in driver:
        if look.versions.get(package) != driver[package]:
            theirs, ours = look.versions.get(package) or "none", driver[package] or "none"
            text = f"every node must have the driver's {package} ({ours}), but got {theirs} on {name}"
            found.append(Problem("--address", text))
    if on_gpus and look.arithmetic is not None and look.arithmetic.cuda_capabilities == ():
        found.append(Problem("--address", no_gpu_text(name)))
    if on_gpus and precision == "tf32" and look.arithmetic is not None:
        capability = lacks_tf32([look.arithmetic])
        if capability is not None:
            text = (
                f"{TF32_RULE}, but one on {name} has {capability}: it would compute in fp32 beside the others"
            )
            found.append(Problem("training.precision", text))
    if look.storage is not None:
        text = "must be a directory on storage that all nodes share and can write"
        found.append(Problem("--results", f"{text}, but got on {name}: {look.storage}"))
    if look.data_error is not None:
        found.append(
            Problem("dataset", f"must be at hand on every node, but got on {name}: {look.data_error}")
        )
    if look.weights_error is not None:
        text = f"must be the same file on every node, but got on {name}: {look.weights_error}"
        found.append(Problem("model.init_from", text))
    if look.split_hash not in (None, split_hash):
        text = (
            f"every node must find the same images (split {split_hash}), but got {look.split_hash} on {name}"
        )
        found.append(Problem("dataset", text))
    return found


def energy_problems(name: str, look: Look | Problem, costs: Sequence[str], on_gpus: bool) -> list[Problem]:
    """Why a node that joins must not train for these objectives: its GPUs do not tell their energy."""
    arithmetic = look.arithmetic if isinstance(look, Look) else None
    missing = arithmetic.energy_missing if arithmetic else None
    if missing is None or not on_gpus or "energy_kwh" not in costs:
        return []
    return [Problem("objectives", energy_problem_text(name, missing))]


def check_nodes(
    directory: Path, dataset: DatasetSettings, split_hash: str, on_gpus: bool = False, weights: str = RANDOM
) -> list[LivingNode]:
    """The living nodes, each of which can train for a search; prepares its images on each, all at once.

    Args:
        directory: the results directory; left as it was found, but for the folders above it.
        dataset: the search's.
        split_hash: of the driver's images.
        on_gpus: whether trials are to train on GPUs.
        weights: of `model.init_from`.

    Raises:
        InputError: every problem of every node, by its name.
    """
    _refuse_scratch(directory)
    nodes, driver = living_nodes(), own_versions()
    with _probing(directory.absolute()) as probe:
        for images in (None, dataset):  # a node that cannot train should not download first
            looks = _all_looks(nodes, probe, images, weights)
            problems = [
                problem
                for node in nodes
                for problem in problems_of(
                    node.name, looks[node.node_id], driver, split_hash, on_gpus and is_to_show_gpus(node)
                )
            ]
            if problems:
                raise InputError(problems)
    found = {node_id: look.arithmetic for node_id, look in looks.items() if isinstance(look, Look)}
    return [replace(node, arithmetic=found[node.node_id]) for node in nodes]


def is_to_show_gpus(node: LivingNode) -> bool:
    """Whether torch must see GPUs on a node that trains on them."""
    return node.offer.gpus > 0 and not gpus_are_simulated()


def begin_look(node: LivingNode, probe: Probe, dataset: DatasetSettings | None, weights: str = RANDOM) -> Any:
    """Asks a node to look, also for the file `weights`, and to prepare the images of `dataset`; a reference to the
    `Look` to come.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    there = NodeAffinitySchedulingStrategy(node.node_id, soft=False)
    task = ray.remote(num_cpus=0, max_retries=0, runtime_env=runtime_env.get())(_looking())
    return task.options(scheduling_strategy=there).remote(str(probe.path), probe.content, dataset, weights)


def end_look(reference: Any, name: str) -> Look | Problem:
    """What a node answered to `begin_look`, or that it could not."""
    import ray

    try:
        answer: dict[str, Any] = ray.get(reference)
    except ray.exceptions.RayError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        text = f"every node must be able to run the search's code, but {name} could not: {lines[-1][:300]}"
        return Problem("--address", text)
    return Look(**answer)


def _all_looks(
    nodes: list[LivingNode], probe: Probe, dataset: DatasetSettings | None, weights: str
) -> dict[str, Look | Problem]:
    """node id -> what it found, asked all at once."""
    import ray

    asked = {node.node_id: begin_look(node, probe, dataset, weights) for node in nodes}
    limit = SECONDS_FOR_A_NODE if dataset is None else None
    answered, _ = ray.wait(list(asked.values()), num_returns=len(asked), timeout=limit)
    looks: dict[str, Look | Problem] = {}
    for node in nodes:
        reference = asked[node.node_id]
        if reference in answered:
            looks[node.node_id] = end_look(reference, node.name)
        else:
            text = f"every node must answer within {SECONDS_FOR_A_NODE:g} s, but {node.name} did not"
            looks[node.node_id] = Problem("--address", text)
    return looks


def _looking() -> Callable[[str, str, DatasetSettings | None, str], dict[str, Any]]:
    """The task that a node runs. It travels by value: a node without the package can still say so."""

    def look(probe: str, content: str, dataset: DatasetSettings | None, weights: str) -> dict[str, Any]:
        try:
            from wrn_search.cluster.node_facts import looked
        except ImportError as error:
            return {"versions": {}, "code_error": str(error)}
        return looked(probe, content, dataset, weights)

    return look


@contextmanager
def _probing(directory: Path) -> Iterator[Probe]:
    """A file of ours in the results directory for a while; folders that were made for it go again with it.

    Raises:
        InputError: it cannot be written.
    """
    missing = [folder for folder in (directory, *directory.parents) if not folder.exists()]
    probe = Probe(directory / f"{PROBE}{uuid.uuid4().hex}", uuid.uuid4().hex)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe.path.write_text(probe.content, encoding="utf-8")
        yield probe
    except OSError as error:
        text = f"must be a directory that can be made and written, but got: {error.strerror} ({directory})"
        raise InputError.of("--results", text) from None
    finally:
        with suppress(OSError):
            probe.path.unlink(missing_ok=True)
            for folder in missing:
                folder.rmdir()


def _refuse_scratch(directory: Path) -> None:
    """Results do not go where Ray unpacks a job's files: Ray deletes them with the job.

    Raises:
        InputError: they would.
    """
    if _SCRATCH_OF_JOBS in directory.absolute().parts:
        text = "must be a directory that outlives the job, but got Ray's scratch for it"
        hint = "name shared storage with --results DIR or WRN_SEARCH_RESULTS"
        raise InputError.of("--results", f"{text} ({directory.absolute()}); {hint}")
