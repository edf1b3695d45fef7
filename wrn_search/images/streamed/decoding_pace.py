"""How long a core takes to decode a photograph and draw a view of it: on a GPU, mostly what training waits for."""

from __future__ import annotations

import statistics
import time
from itertools import cycle, islice

from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.errors import InputError
from wrn_search.images.streamed.files_to_decode import FilesToDecode
from wrn_search.images.streamed.prepared_listing import files_to_decode
from wrn_search.images.streamed.random_views import random_view
from wrn_search.space.data_folders import place_of
from wrn_search.space.dataset_section import DatasetSettings

_FILES = 16
_MOST_SECONDS = 0.5


def seconds_to_decode(dataset: DatasetSettings) -> float:
    """Seconds of one core for one training image; 0 where images are decoded beforehand, or none can be read now."""
    kind, files = DATASETS[dataset.name].streamed, files_to_decode(dataset)
    if kind is None or files is None:
        return 0.0
    try:
        names = [
            path.relative_to(files.root).as_posix()
            for path in kind.some_training_files(place_of(dataset), _FILES)
        ]
        return _measured(files, names, dataset.augmentation) if names else 0.0
    except (InputError, OSError):  # told where the files are looked at
        return 0.0


def _measured(files: FilesToDecode, names: list[str], augmentation: str) -> float:
    took: list[float] = []
    for name in islice(cycle(names), 1 + _FILES):
        began = time.perf_counter()
        if augmentation == "none":
            files.evaluated(name)
        else:
            random_view(files.whole(name), files.fit.size, 0, augmentation == "resized_crop_colour")
        took.append(time.perf_counter() - began)
        if sum(took[1:]) > _MOST_SECONDS:
            break
    return statistics.median(took[1:])  # the first one loads torchvision
