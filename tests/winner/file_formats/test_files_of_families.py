"""Networks of other families leave the house too: every format gives the answers of the network it was made from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.winner.models import about_of_shape, draw_images, drawn_classifier, write_model
from wrn_search.winner.file_formats.format_table import load_model

THIN = {"family": "preact_resnet", "depth": 11, "block": "bottleneck", "widen_factor": 1.0}
LARGE = {"family": "imagenet_resnet", "depth": 18, "block": "basic", "widen_factor": 0.125}


@pytest.mark.parametrize(
    ("network", "format"),
    [
        (THIN, "torch"),
        (THIN, "pt2"),
        pytest.param(THIN, "onnx", marks=pytest.mark.slow),
        (LARGE, "torch"),
        pytest.param(LARGE, "pt2", marks=pytest.mark.slow),
        (LARGE, "onnx"),
    ],
    ids=lambda part: part if isinstance(part, str) else part["family"],
)
def test_a_file_answers_as_the_network_it_was_made_from(
    network: dict[str, object], format: str, tmp_path: Path
) -> None:
    about = about_of_shape((16, 12, 3), name="000_x", **network)
    images = draw_images(5, (16, 12, 3))
    with torch.inference_mode():
        expected = drawn_classifier(about)(torch.from_numpy(images))[0].numpy()
    model = load_model(write_model(tmp_path, format, about), True)

    scores, _ = model.run(images)
    assert model.about.architecture == about.architecture
    assert np.abs(scores - expected).max() <= 1e-4 * max(1.0, np.abs(expected).max())


def test_a_wide_network_is_written_for_readers_of_before() -> None:
    """They know no families; only a file of another family asks for this version."""
    assert about_of_shape().to_dict()["version"] == 1
    assert "family" not in about_of_shape().to_dict()
    assert about_of_shape(**LARGE).to_dict()["version"] == 3
