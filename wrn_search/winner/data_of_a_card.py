"""What a model card tells of the images that a network was trained on, and of what was done to them."""

from __future__ import annotations

from wrn_search.images.prepared_data import PreparedData
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.sections.crop_padding import AUTO, CROPPING
from wrn_search.winner.file_formats.file_description import About

_SHOWN_CLASSES = 100
_SAMPLING = {
    "uniform": "each image once",
    "balanced": "as many, but each class equally often: small ones are shown again, large ones in part",
}


def data_rows(dataset: DatasetSettings, data: PreparedData, about: About) -> list[tuple[str, str]]:
    """(what, its value) of a table."""
    names = about.class_names
    more = f", ... ({len(names)} in all)" if len(names) > _SHOWN_CLASSES else ""
    return [
        ("data set", dataset.name),
        ("images trained on", f"{data.train_images:,}"),
        ("validation images, held out of the training split", f"{data.validation_images:,}"),
        ("hash of the split", data.split_hash),
        ("preprocessing (inside the model)", dataset.preprocessing),
        ("colour under transparent parts (yours to lay them on)", dataset.background),
        *([("made one size by (yours to do)", _fitted(about))] if about.image_fit else []),
        ("augmentation (in training only)", dataset.augmentation),
        *_cropped(dataset),
        ("an epoch shows (in training only)", _SAMPLING[dataset.sampling]),
        ("classes", ", ".join(names[:_SHOWN_CLASSES]) + more),
    ]


def _cropped(dataset: DatasetSettings) -> list[tuple[str, str]]:
    """How far random crops move; empty where there are none."""
    if dataset.augmentation not in CROPPING:
        return []
    padding = dataset.crop_padding
    told = "an eighth of the shorter side" if padding == AUTO else f"{padding} pixels"
    return [("padding around its random crops", told)]


def _fitted(about: About) -> str:
    how = {
        "crop": "the shorter side scaled, bicubic with antialias, the longer one cropped around the centre",
        "centre": "the shorter side scaled to 8/7 of that, bicubic with antialias, both cropped around the centre",
        "pad": f"the longer side scaled, bicubic with antialias, the rest {about.background}",
    }
    return f"{how[str(about.image_fit)]}; `predict` does it"
