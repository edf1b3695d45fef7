"""What bf16 costs in accuracy: validation error of bf16 against fp32 trainings, paired by seed, on real images.

WRN-16-2, 10,000 training images, 10 epochs of the recipe. The upper limit is one-sided, by Student's t over the pairs.
The images are a Parquet data set in Hugging Face's layout, such as CIFAR-10; none comes with this project.

    python -m benchmarks.precision_accuracy --root DIR [--rounds 5] [--json FILE]

`--rounds` is the number of seeds. Both precisions of a seed train side by side, on half of the cores each.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from itertools import count

from scipy import stats

from benchmarks.measuring import Variant, options, report
from benchmarks.our_training import config_of, training_of
from wrn_search.hardware.detected_cores_and_gpus import usable_cores
from wrn_search.images.prepared_data import prepare
from wrn_search.space.dataset_section import DatasetSettings

PRECISIONS = ("fp32", "bf16")
EPOCHS = 10
TRAIN_IMAGES = 10_000
CONFIDENCE = 0.95


def trainings(dataset: DatasetSettings, precision: str, threads: int) -> Callable[[], float]:
    """A whole training with the next seed, as a function that returns its validation error in percent."""
    config = replace(config_of(dataset, 16, 2, precision, 128), epochs=EPOCHS, learning_rate=0.1)
    seeds = count(-1)  # the first call only warms up

    def train() -> float:
        seed = next(seeds)
        if seed < 0:
            return 0.0
        training = training_of(replace(config, seed=seed), threads)
        val_error = [training.run_epoch().val_error for _ in range(EPOCHS)][-1]
        training.close()
        return val_error

    return train


def upper_limit(differences: list[float]) -> float:
    """Of the mean, one-sided (Student's t)."""
    error = statistics.stdev(differences) / len(differences) ** 0.5
    return statistics.fmean(differences) + float(stats.t.ppf(CONFIDENCE, len(differences) - 1)) * error


def main() -> None:
    """Prints the pairs and the limit."""
    parser = options(__doc__, rounds=5)
    parser.add_argument("--root", required=True, help="folder of train*.parquet")
    chosen = parser.parse_args()
    dataset = DatasetSettings(name="parquet", root=chosen.root, train_images=TRAIN_IMAGES)
    data = prepare(dataset)
    threads = max(1, usable_cores() // 2)
    errors: dict[str, list[float]] = {precision: [] for precision in PRECISIONS}
    with ExitStack() as stack:
        sides = {
            precision: stack.enter_context(
                Variant(trainings, dataset=dataset, precision=precision, threads=threads)
            )
            for precision in PRECISIONS
        }
        for seed in range(chosen.rounds):
            for side in sides.values():
                side.start()
            for precision, side in sides.items():
                errors[precision].append(side.wait())
            print(
                f"seed {seed}: {', '.join(f'{name} {errors[name][-1]:.2f} %' for name in errors)}", flush=True
            )
    lost = [bf16 - fp32 for fp32, bf16 in zip(errors["fp32"], errors["bf16"], strict=True)]
    limit = upper_limit(lost)
    lines = [f"WRN-16-2, {data.train_images:,} images, {EPOCHS} epochs; validation error in % by seed"]
    lines += [
        f"  {precision}  " + "  ".join(f"{error:6.2f}" for error in errors[precision])
        for precision in PRECISIONS
    ]
    lines += ["  lost  " + "  ".join(f"{difference:6.2f}" for difference in lost)]
    lines += [
        f"  bf16 loses {statistics.fmean(lost):.2f} points on average, at most {limit:.2f} (upper 95 % limit)"
    ]
    kept = {"val_error": errors, "mean_loss": statistics.fmean(lost), "upper_limit": limit, "epochs": EPOCHS}
    report("precision_accuracy", lines, kept, chosen.json)


if __name__ == "__main__":
    main()
