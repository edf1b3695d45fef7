"""Predicted against tracked peak memory of whole trainings: every byte that torch's CPU allocator hands out.

A training of two steps and an evaluation, each tensor's birth and death as `torch.profiler(profile_memory=True)`
tells them. Nothing is timed, so one run says all. On a GPU the prediction adds other things, which this does not test.

python -m benchmarks.memory_prediction [--networks 16-1,28-10] [--batch-size 128] [--dropout 0] [--threads 1]
    [--json FILE]
"""

from __future__ import annotations

import argparse
import gc
import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch._C._profiler import _EventType
from torch.profiler import ProfilerActivity, profile

from benchmarks.images import write_parquet
from benchmarks.measuring import report
from wrn_search.images.prepared_data import PreparedData, prepare
from wrn_search.memory.predicted_memory import SLACK, trial_memory
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.memory.workload_of_training import workload_of_training
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.space_file import space_from_mapping
from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.several_gpus.replicated_training import ReplicatedTraining
from wrn_search.training.training_loop import Training

NETWORKS = "16-1,16-2,16-4,16-8,22-8,28-10,40-4,40-10"
STEPS = 2  # the optimiser has its momentum from the second one on


def config_of(dataset: DatasetSettings, **leaves: Any) -> TrialConfig:
    """The recipe's defaults with some leaves of `model` and `training` given."""
    keys = ("family", "depth", "widen_factor", "dropout", "stochastic_depth", "block")
    model = {key: leaves.pop(key) for key in keys if key in leaves}
    precision = leaves.pop("precision")
    training = {"learning_rate": 0.01, **leaves}
    space = space_from_mapping({"dataset": dataset.model_dump(), "model": model, "training": training})
    return space.trial_config({}, 0, precision=precision, compile="off")


def workload_of(config: TrialConfig, data: PreparedData, replicas: int = 1) -> Workload:
    """What the prediction must know of a training on a CPU, or of one of several processes that train together."""
    return workload_of_training(
        config,
        data.num_classes,
        data.image_shape,
        device="cpu",
        replicas=replicas,
        train_images=data.train_images,
        validation_images=data.validation_images,
    )


def tracked_bytes(config: TrialConfig, data: PreparedData, threads: int = 1, replicas: int = 1) -> int:
    """The most bytes of tensors that were alive at once in a training of one epoch, its making included.

    Of several replicas, which speak over gloo, those of the first. What a thread of gloo frees the profiler does not
    see: now and then the weights that DistributedDataParallel sends round. It lives for moments and would count for
    good, so of replicas only that counts whose end is seen, and all is dropped for it.
    """
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        if replicas > 1:
            training: Training = ReplicatedTraining(
                config, data, gpus=replicas, device="cpu", threads=replicas
            )
        else:
            training = Training(config, data, threads=threads)
        training.run_epoch()
        training.close()
        del training
        gc.collect()
    alive = most = 0
    for _, size in sorted(_births_and_deaths(profiler, whole_lives=replicas > 1)):
        alive += size
        most = max(most, alive)
    return most


def _births_and_deaths(profiler: profile, whole_lives: bool) -> Iterator[tuple[int, int]]:
    """Time in ns and bytes, negative where they are freed, of all tensors or of those that were seen to end."""
    born: dict[int, tuple[int, int]] = {}  # address -> what lives there
    lives = []
    for moment, address, size in sorted(_allocations(profiler)):
        before = born.pop(address, None)
        if size < 0 and before is not None:
            lives.append((*before, moment))
        elif size > 0:
            born[address] = (moment, size)
    for start, size, end in lives:
        yield start, size
        yield end, -size
    if not whole_lives:
        yield from born.values()


def _allocations(profiler: profile) -> Iterator[tuple[int, int, int]]:
    """Time in ns, address and bytes, negative where they are freed."""
    assert profiler.profiler is not None
    events = list(profiler.profiler.kineto_results.experimental_event_tree())
    while events:
        event = events.pop()
        events.extend(event.children)
        if event.tag == _EventType.Allocation:
            yield event.start_time_ns, event.extra_fields.ptr, event.extra_fields.alloc_size


def compared(config: TrialConfig, threads: int, replicas: int = 1) -> dict[str, Any]:
    """Prediction and truth of one training."""
    data = prepare(config.dataset)
    memory = trial_memory(workload_of(config, data, replicas))
    tracked = tracked_bytes(config, data, threads, replicas)
    return {
        "tracked_bytes": tracked,
        "predicted_bytes": memory.total_bytes,
        "without_slack": memory.peak.peak_bytes / tracked,
        "ratio": memory.total_bytes / tracked,
        "parts": vars(memory.peak),
    }


def main() -> None:
    """Prints the table."""
    chosen = _options()
    lines = [
        f"Peak memory in MB, batch size {chosen.batch_size}, 32x32 images, dropout {chosen.dropout:g}",
        f"{'network':<12}{'precision':<11}{'tracked':>9}{'predicted':>11}{'ratio':>8}  without {SLACK:.0%} slack",
    ]
    kept: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WRN_SEARCH_DATA"] = str(Path(folder) / "cache")
        dataset = made_up_dataset(Path(folder) / "images", chosen.batch_size)
        for network, precision in itertools.product(chosen.networks.split(","), ("fp32", "bf16")):
            depth, _, width = network.partition("-")
            leaves = {"depth": int(depth), "widen_factor": float(width), "dropout": chosen.dropout}
            config = config_of(dataset, batch_size=chosen.batch_size, precision=precision, **leaves)
            found = compared(config, chosen.threads)
            kept[f"WRN-{network} {precision}"] = found
            lines.append(
                f"WRN-{network:<8}{precision:<11}{found['tracked_bytes'] / 1e6:>9,.1f}"
                f"{found['predicted_bytes'] / 1e6:>11,.1f}{found['ratio']:>8.3f}  {found['without_slack']:.4f}"
            )
    report("memory_prediction", lines, {"networks": kept}, chosen.json)


def made_up_dataset(folder: Path, batch_size: int) -> DatasetSettings:
    """`STEPS` batches of 32x32 images to train on and one to evaluate."""
    root = write_parquet(folder, (STEPS + 1) * batch_size)
    return DatasetSettings(name="parquet", root=str(root), validation=batch_size)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", default=NETWORKS, help=f"depth-width each (default {NETWORKS})")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
