"""A network as the body of torchvision's detectors: its features, and training steps on a handful of drawn boxes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torchvision.models.detection import FasterRCNN

import wrn_search
from tests.winner.models import about_of_shape, drawn_classifier
from wrn_search.errors import InputError
from wrn_search.winner.classifier import Classifier
from wrn_search.winner.file_formats.backbone_file import check_is_a_body, write_backbone
from wrn_search.winner.file_formats.file_description import About
from wrn_search.winner.file_formats.format_table import load_model

NARROW = {
    "family": "imagenet_resnet",
    "depth": 34,
    "block": "basic",
    "widen_factor": 0.125,
}  # WRN-34-2, 16 times as thin


def settled_classifier() -> tuple[Classifier, About]:
    """With statistics in its batch norms as a training leaves them: a detector's losses explode without."""
    about = about_of_shape((32, 32, 3), **NARROW)
    classifier = drawn_classifier(about)
    classifier.network.train()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for _ in range(30):
            classifier.network(torch.randn(8, 3, 64, 64, generator=generator))
    return classifier.eval(), about


def file_of(folder: Path) -> tuple[Path, About]:
    classifier, about = settled_classifier()
    path = folder / "body.backbone.pt"
    path.write_bytes(write_backbone(classifier, about))
    return path, about


def drawn_boxes(count: int) -> tuple[list[Tensor], list[dict[str, Tensor]]]:
    """Dark images with a bright rectangle each, and where it lies."""
    generator = torch.Generator().manual_seed(0)
    images, targets = [], []
    for _ in range(count):
        x, y = (int(torch.randint(4, 30, (), generator=generator)) for _ in range(2))
        image = 0.2 * torch.rand(3, 64, 64, generator=generator)
        image[:, y : y + 24, x : x + 24] += 0.7
        images.append(image)
        boxes = torch.tensor([[x, y, x + 24, y + 24]], dtype=torch.float32)
        targets.append({"boxes": boxes, "labels": torch.tensor([1])})
    return images, targets


def test_the_features_are_those_of_the_trained_body(tmp_path: Path) -> None:
    path, _ = file_of(tmp_path)
    backbone = wrn_search.load_backbone(path, out_channels=16)
    network = settled_classifier()[0].network
    images = torch.randn(2, 3, 64, 64)

    pyramid = backbone(images)
    assert {name: tuple(each.shape[1:]) for name, each in pyramid.items()} == {
        "0": (16, 16, 16),
        "1": (16, 8, 8),
        "2": (16, 4, 4),
        "3": (16, 2, 2),
        "pool": (16, 1, 1),
    }
    with torch.inference_mode():
        expected = network.maxpool(network.relu(network.bn1(network.conv1(images))))  # type: ignore[operator, union-attr]
        for stage, features in zip(range(1, 5), backbone.body(images).values(), strict=True):  # type: ignore[operator]
            expected = getattr(network, f"layer{stage}")(expected)
            torch.testing.assert_close(features, expected, rtol=1e-4, atol=1e-4)
    assert len(backbone.image_mean) == len(backbone.image_std) == 3  # type: ignore[arg-type]


def test_a_detector_of_torchvision_trains_on_it(tmp_path: Path) -> None:
    path, _ = file_of(tmp_path)
    torch.manual_seed(0)
    backbone = wrn_search.load_backbone(path, out_channels=16)
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    detector = FasterRCNN(
        backbone,
        num_classes=2,
        min_size=64,
        max_size=64,
        image_mean=backbone.image_mean,
        image_std=backbone.image_std,
        rpn_pre_nms_top_n_train=100,
        rpn_post_nms_top_n_train=50,
        box_batch_size_per_image=32,
    )
    trained = [parameter for parameter in detector.parameters() if parameter.requires_grad]
    optimiser = torch.optim.SGD(trained, lr=0.02)
    losses = []
    for _ in range(6):
        parts = detector(*drawn_boxes(4))
        loss = sum(parts.values(), torch.zeros(()))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(loss.item())

    assert min(losses[-2:]) < losses[0]
    after = backbone.state_dict()
    changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    stages = {name.split(".")[1] for name in changed if name.startswith("body.")}
    assert stages == {
        "layer2",
        "layer3",
        "layer4",
    }  # three of five, as told; frozen batch norms are no parameters
    assert not {name for name in changed if "running" in name}
    assert any(name.startswith("fpn.") for name in changed)


def test_the_file_is_a_model_too(tmp_path: Path) -> None:
    path, about = file_of(tmp_path)

    assert load_model(path).about.architecture == about.architecture


@pytest.mark.parametrize(
    ("changes", "preprocessing", "text"),
    [
        (
            {},
            "meanstd",
            "backbone is for networks of family imagenet_resnet, .*, but got WRN-10-0.5 of family wrn",
        ),
        (
            NARROW,
            "zca",
            "backbone is for preprocessing meanstd or divide255, which detectors have too, but got zca",
        ),
    ],
)
def test_what_no_detector_could_build_on_is_refused(
    changes: dict[str, object], preprocessing: str, text: str
) -> None:
    with pytest.raises(InputError, match=text):
        check_is_a_body(about_of_shape(**changes).architecture, preprocessing)
