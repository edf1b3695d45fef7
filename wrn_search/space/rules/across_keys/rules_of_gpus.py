"""Rules of GPUs: a step that is captured once and replayed reads all at its place on one GPU, in one shape; of several
that train one network each has an equal part of every batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wrn_search.space.dataset_section import OF_EIGHT_BITS
from wrn_search.space.domains import finite_values
from wrn_search.space.rules.broken_rule import Broken, Path, got
from wrn_search.space.space import Space

_KEY: Path = ("training", "cuda_graph")


def _images_lie_on_the_gpu(space: Space) -> Iterator[Broken]:
    if space.training.cuda_graph == "on" and space.dataset.is_streamed:
        rule = "cuda_graph: on needs images that lie on the GPU, but those of"
        rule = f"{rule} {space.dataset.name} are decoded as they come"
        yield Broken(_KEY, f"{rule}: write auto or off", (_KEY, ("dataset", "name")))


def _one_gpu_trains(space: Space) -> Iterator[Broken]:
    gpus = space.resources.gpus_per_trial
    if space.training.cuda_graph == "on" and not isinstance(gpus, str) and gpus > 1:
        rule = f"cuda_graph: on needs at most one GPU a trial, but got gpus_per_trial {gpus:g}"
        yield Broken(_KEY, f"{rule}: write auto or off", (_KEY, ("resources", "gpus_per_trial")))


def _the_loss_is_not_scaled(space: Space) -> Iterator[Broken]:
    if space.training.cuda_graph == "on" and space.training.precision == "fp16":
        rule = "cuda_graph: on needs precision fp32, tf32 or bf16, but got fp16, whose scaled loss leaves out steps"
        yield Broken(_KEY, f"{rule}: write auto or off", (_KEY, ("training", "precision")))


# Keys of today's recipes whose steps are of several shapes, ask the host or draw for each batch, and what is off.
_NOT_CAPTURED = {
    "mixup": 0,
    "cutmix": 0,
    "cutout": 0,
    "optimizer": "sgd",
    "ema": 0,
    "sam": 0,
    "gradient_accumulation": 1,
}


def _a_step_is_the_papers(space: Space) -> Iterator[Broken]:
    if space.training.cuda_graph != "on":
        return
    for name, off in _NOT_CAPTURED.items():
        domain = space.hyperparameters.get(name)  # also of search.points
        values = [getattr(space.training, name)] if domain is None else finite_values(domain) or [None]
        if any(value != off for value in values):
            rule = f"cuda_graph: on captures no step with {name}, which must be {off}"
            yield Broken(_KEY, f"{rule}: write auto or off", (_KEY, ("training", name)))
    if space.dataset.augmentation in OF_EIGHT_BITS:
        rule = f"cuda_graph: on captures no step with augmentation {space.dataset.augmentation}"
        yield Broken(_KEY, f"{rule}: write auto or off", (_KEY, ("dataset", "augmentation")))


def _batches_have_equal_parts(space: Space) -> Iterator[Broken]:
    gpus = space.resources.gpus_per_trial
    if isinstance(gpus, str) or gpus <= 1:
        return
    sizes = finite_values(space.hyperparameters.get("batch_size", space.training.batch_size)) or ()
    odd = [int(size) for size in sizes if int(size) % int(gpus)]
    if odd:
        reads: tuple[Path, ...] = (("training", "batch_size"), ("resources", "gpus_per_trial"))
        rule = f"batch_size must be a multiple of gpus_per_trial, {gpus:g}, whose GPUs have equal parts of a batch"
        yield Broken(reads[0], f"{rule}, {got(odd[0])}", reads)


RULES_OF_CUDA_GRAPHS: tuple[Callable[[Space], Iterator[Broken]], ...] = (
    _images_lie_on_the_gpu,
    _one_gpu_trains,
    _the_loss_is_not_scaled,
    _a_step_is_the_papers,
)
RULES_OF_SEVERAL_GPUS: tuple[Callable[[Space], Iterator[Broken]], ...] = (_batches_have_equal_parts,)
