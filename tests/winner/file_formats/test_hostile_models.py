"""Files from strangers: nothing in them is executed, nothing large is built, and every refusal is one line."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.winner.models import about_of_shape, draw_images, drawn_classifier, write_images, write_model
from wrn_search.__main__ import main
from wrn_search.errors import InputError
from wrn_search.training.checkpoints.checkpoint_file import save_checkpoint
from wrn_search.winner.file_formats.file_description import new_classifier
from wrn_search.winner.file_formats.format_table import FORMATS, load_model


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, mark: Path):
        self.mark = str(mark)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (self.mark,)


def refused(path: Path, match: str, trust: bool = False) -> None:
    with pytest.raises(InputError, match=match):
        load_model(path, trust)


def test_a_pickle_in_a_torch_file_is_not_run(tmp_path: Path) -> None:
    content = {**about_of_shape().to_dict(), "weights": Payload(tmp_path / "mark")}
    torch.save(content, tmp_path / "model.pt")
    refused(tmp_path / "model.pt", "damaged or foreign checkpoint")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Payload(tmp_path / "mark")))
    refused(tmp_path / "plain.pt", "must be ")
    assert not (tmp_path / "mark").exists()


def rewritten(path: Path, changes: dict[str, bytes], additions: dict[str, bytes] | None = None) -> Path:
    """The archive with other members, and with more; a name is what stands behind the archive's own folder."""
    target = path.with_name(f"changed-{len(list(path.parent.iterdir()))}{path.suffix}")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as archive:
        for info in source.infolist():
            archive.writestr(info.filename, changes.get(info.filename.partition("/")[2], source.read(info)))
        for name, content in (additions or {}).items():
            archive.writestr(f"model/{name}", content)
    return target


def test_the_pickles_and_the_program_of_a_pt2_file_are_not_looked_at(tmp_path: Path) -> None:
    """torch.export.load would run this one, so only a trusted file gets there."""
    model = write_model(tmp_path, "pt2")
    poison = io.BytesIO()
    torch.save(Payload(tmp_path / "mark"), poison)
    hostile = rewritten(model, {"data/sample_inputs/model.pt": poison.getvalue()})
    images = draw_images(4)
    np.testing.assert_array_equal(load_model(hostile)(images), load_model(model)(images))
    assert not (tmp_path / "mark").exists()
    np.testing.assert_array_equal(
        load_model(rewritten(model, {"models/model.json": b"{}"}))(images), load_model(model)(images)
    )
    with contextlib.suppress(InputError):
        load_model(hostile, trust=True)
    assert (tmp_path / "mark").exists(), "the threat is a real one"


def test_weights_as_torch_2_8_wrote_them_are_read_without_their_pickles(tmp_path: Path) -> None:
    model, images = write_model(tmp_path, "pt2"), draw_images(2)
    weights, poison = io.BytesIO(), io.BytesIO()
    torch.save(dict(drawn_classifier(about_of_shape()).state_dict(keep_vars=True)), weights)
    legacy = rewritten(model, {}, {"data/weights/model.pt": weights.getvalue()})
    np.testing.assert_array_equal(load_model(legacy)(images), load_model(model)(images))
    torch.save(Payload(tmp_path / "mark"), poison)
    refused(rewritten(model, {}, {"data/weights/model.pt": poison.getvalue()}), "must be a whole pt2 archive")
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"use_pickle": True}, "weights must be plain float32 or int64"),
        ({"path_name": "../model.json"}, "must be a whole pt2 archive, but got: KeyError"),
        ({"tensor_meta": {}}, "must be a whole pt2 archive, but got: KeyError"),
        ({"path_name": "weight_1"}, "must be a whole pt2 archive, but got: RuntimeError"),
    ],
)
def test_weights_of_a_pt2_file_are_plain_numbers(change: dict[str, Any], match: str, tmp_path: Path) -> None:
    model, member = write_model(tmp_path, "pt2"), "data/weights/model_weights_config.json"
    with zipfile.ZipFile(model) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(member)]
        config = json.loads(archive.read(name))
    config["config"]["network.stem.weight"].update(change)
    refused(rewritten(model, {member: json.dumps(config).encode()}), match)


@pytest.mark.parametrize("format", ["torch", "pt2"])
def test_a_compressed_member_is_refused_before_it_swells(format: str, tmp_path: Path) -> None:
    model = write_model(tmp_path, format)
    target = tmp_path / "bomb"
    with zipfile.ZipFile(model) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            archive.writestr(name, source.read(name))
    refused(target, "is compressed")


def test_an_onnx_file_may_not_name_other_files(tmp_path: Path) -> None:
    import onnx

    model = write_model(tmp_path, "onnx")
    proto = onnx.load(str(model))
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(10_000))
    tensor = next(item for item in proto.graph.initializer if item.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="secret")
    hostile = tmp_path / "hostile.onnx"
    hostile.write_bytes(proto.SerializeToString())
    refused(hostile, "must hold all its weights itself, but names another file")


def torch_file(path: Path, **changes: Any) -> Path:
    """A model whose description was changed after its weights were made."""
    about = about_of_shape()
    torch.save({**about.to_dict(), "weights": drawn_classifier(about).state_dict(), **changes}, path)
    return path


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        (
            {"depth": 9994, "widen_factor": 100.0},
            "must hold the 1,611,034,227,667 weights of WRN-9994-100, but got 20,",
        ),
        ({"depth": 10**30}, "must describe a network, but got: depth <= 10000 must hold"),
        ({"depth": 10.0}, "a whole number is needed, but got 10.0"),
        ({"widen_factor": float("nan")}, "widen_factor <= 100 must hold, but got nan"),
        ({"widen_factor": 0.6}, "must hold the|weights must fit"),
        ({"block": "B(7)"}, "block must be"),
        (
            {"class_names": ["a", "b"]},
            "weights must fit WRN-10-0.5: network.linear.weight must be 2x32 float32",
        ),
        ({"class_names": ["a"]}, "there must be at least 2 classes, but got 1"),
        ({"class_names": "abc"}, "a list is needed, but got str"),
        ({"class_names": ["a", "b", 3]}, "text is needed, but got int"),
        ({"image_shape": [8, 6, 2]}, "images must be H x W x 1 or 3, but got 8x6x2"),
        ({"image_shape": [8, 6]}, "must describe a network"),
        ({"image_shape": [-8, 6, 3]}, "images must be H x W x 1 or 3, but got -8x6x3"),
        ({"preprocessing": "zca"}, "weights must fit WRN-10-0.5: centre must be 144 float32, but is missing"),
        ({"preprocessing": "none"}, "preprocessing must be one of meanstd, meanstd_cifar10, "),
        ({"version": 5}, "must be of model version 1 to 4, but is 5"),
        ({"family": "wide"}, "must describe a network, but got: family must be one of wrn, preact_resnet"),
        ({"family": "preact_resnet"}, "must describe a network, but got: block must be basic or bottleneck"),
        ({"version": 3, "image_fit": "melt"}, "image_fit must be one of crop, pad, centre, but got 'melt'"),
        ({"background": "puce"}, "background must be white, black or #rrggbb, but got 'puce'"),
        ({"format": "other"}, "must be a model that `export` wrote, but holds something else"),
        ({"weights": [1]}, "must hold tensors by name under 'weights'"),
        ({"weights": {"a": torch.zeros(30_000)}}, "weights must fit WRN-10-0.5: "),
        (
            {"weights": {"a": torch.zeros(1).expand(30_000)}},
            "must hold the 20,563 weights of WRN-10-0.5, but got 1",
        ),
        ({"weights": {"a": torch.zeros(2).to_sparse()}}, "must hold the 20,"),
    ],
    ids=str,
)
def test_a_description_that_does_not_fit_is_refused(
    changes: dict[str, Any], match: str, tmp_path: Path
) -> None:
    refused(torch_file(tmp_path / "model.pt", **changes), match)


def test_weights_of_another_type_are_refused(tmp_path: Path) -> None:
    weights = new_classifier(about_of_shape()).double().state_dict()
    refused(torch_file(tmp_path / "model.pt", weights=weights), "must be 3 float32, but is 3 float64")


@pytest.mark.parametrize("format", FORMATS)
def test_numbers_that_are_none_are_told(format: str, tmp_path: Path, capsys) -> None:
    about = about_of_shape()
    classifier = drawn_classifier(about)
    classifier.network.linear.bias[0] = float("nan")
    file = tmp_path / "model"
    file.write_bytes(FORMATS[format].write(classifier, about))
    (image,) = write_images(tmp_path, draw_images(1))
    assert main(["predict", str(file), str(image), "--json"]) == 2
    assert "must give probabilities" in capsys.readouterr().err


def test_what_is_no_model_is_told(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "trial.pt", {"network": {}})
    refused(
        tmp_path / "trial.pt", "is a trial's checkpoint; how to make one: python -m wrn_search export --help"
    )
    refused(tmp_path / "gone.pt", "there is no such file")
    refused(tmp_path, "there is no regular file")
    (tmp_path / "empty").touch()
    refused(tmp_path / "empty", "must be a model|onnxruntime can run")
    (tmp_path / "text").write_text("hello")
    refused(tmp_path / "text", "must be a model in one of the formats torch, pt2 and onnx")


@pytest.mark.parametrize("format", ["torch", "pt2"])
def test_damage_anywhere_is_one_line(format: str, tmp_path: Path, capsys) -> None:
    """A file cut short, or with a byte changed: refused, or, where nothing reads that byte, the same answers."""
    model = write_model(tmp_path, format)
    whole, generator = model.read_bytes(), random.Random(4)
    images, damaged = draw_images(2), tmp_path / "damaged"
    expected = load_model(model)(images)
    refusals = 0
    for attempt in range(60):
        place = generator.randrange(len(whole))
        content = whole[:place] if attempt % 3 == 0 else bytearray(whole)
        if isinstance(content, bytearray):
            content[place] ^= 1 << generator.randrange(8)
        damaged.write_bytes(content)
        try:
            answers = load_model(damaged)(images)
        except InputError as error:
            refusals += "\n" not in str(error)
        else:
            np.testing.assert_array_equal(answers, expected)
    assert refusals > 40


def test_an_onnx_file_cut_short_is_one_line(tmp_path: Path) -> None:
    model = write_model(tmp_path, "onnx")
    whole = model.read_bytes()
    for share in (0.1, 0.5, 0.9, 0.999):
        model.write_bytes(whole[: int(share * len(whole))])
        refused(model, "must be ")
