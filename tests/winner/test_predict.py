"""`predict`: images decoded as a training decodes them, and every way to print what the network says."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.winner.models import (
    NAMES,
    about_of_shape,
    draw_images,
    drawn_classifier,
    write_images,
    write_model,
)
from wrn_search.__main__ import main
from wrn_search.datasets.image_decoding import decode_images
from wrn_search.datasets.image_fit import ImageFit
from wrn_search.errors import InputError
from wrn_search.winner.file_formats.format_table import FORMATS, load_model
from wrn_search.winner.images_to_classify import read_image
from wrn_search.winner.predict import predict


def answers(images: np.ndarray, shape: tuple[int, int, int] = (8, 6, 3)) -> np.ndarray:
    """Probabilities (n, 3), by the classifier itself."""
    classifier = drawn_classifier(about_of_shape(shape))
    return classifier(torch.from_numpy(images))[1].numpy()


@pytest.mark.parametrize("format", FORMATS)
def test_the_table_names_the_likeliest_class_of_each_image(format: str, tmp_path: Path, capsys) -> None:
    model, images = write_model(tmp_path, format), draw_images(5)
    paths = write_images(tmp_path / "images", images)
    assert main(["predict", str(model), str(tmp_path / "images")]) == 0
    expected = answers(images)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["image", "class", "probability"]
    for line, path, row in zip(lines[1:], paths, expected, strict=True):
        assert line.split() == [str(path), NAMES[row.argmax()], f"{row.max():.4f}"]
    assert len({line.split()[1] for line in lines[1:]}) > 1, "the images differ"


def test_json_and_csv_hold_the_same_numbers_ranked(tmp_path: Path, capsys) -> None:
    model, images = write_model(tmp_path), draw_images(3)
    paths = write_images(tmp_path, images)
    arguments = ["predict", str(model), *map(str, paths), "--top", "3"]
    assert main([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert main([*arguments, "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert told["model"] == str(model)
    for image, path, expected in zip(told["images"], paths, answers(images), strict=True):
        assert image["image"] == str(path)
        shares = [item["probability"] for item in image["classes"]]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) == pytest.approx(1, abs=1e-6)
        assert {item["class"]: item["probability"] for item in image["classes"]} == pytest.approx(
            dict(zip(NAMES, expected.tolist(), strict=True)), abs=1e-6
        )
    flat = [(i["image"], c["class"]) for i in told["images"] for c in i["classes"]]
    assert [(row["image"], row["class"]) for row in rows] == flat
    assert [row["rank"] for row in rows] == ["1", "2", "3"] * 3


def test_more_images_than_a_batch(tmp_path: Path, capsys) -> None:
    images = draw_images(205)
    write_images(tmp_path / "images", images)
    assert main(["predict", str(write_model(tmp_path)), str(tmp_path / "images"), "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    shares = np.array([float(row["probability"]) for row in rows])
    np.testing.assert_allclose(shares, answers(images).max(axis=1), atol=1e-6)


def test_an_image_of_another_size_is_an_error_that_leaves_the_others(tmp_path: Path, capsys) -> None:
    model = write_model(tmp_path)
    good, wide = write_images(tmp_path, draw_images(1))[0], tmp_path / "wide.png"
    Image.fromarray(draw_images(1, (8, 12, 3))[0]).save(wide)
    (tmp_path / "text.png").write_text("no image")
    assert main(["predict", str(model), str(wide), str(good), str(tmp_path / "text.png")]) == 2
    told = capsys.readouterr()
    assert [line.split()[0] for line in told.out.splitlines()] == ["image", str(good)]
    rule = "must have 8x6 pixels (height x width), as the images that the network was trained on"
    assert told.err.splitlines() == [
        f"{wide}: IMAGES: {rule}, but has 8x12; --resize scales it",
        f"{tmp_path / 'text.png'}: IMAGES: every file and row must hold an image, but got an unknown format (text.png)",
    ]


def test_resize_scales_each_side_for_itself(tmp_path: Path) -> None:
    """Twice as wide and as high, each pixel four times: scaled down, flat parts keep their value."""
    small = np.full((8, 6, 3), 7, np.uint8)
    small[:, 3:] = 200
    path = tmp_path / "large.png"
    Image.fromarray(small.repeat(2, axis=0).repeat(2, axis=1)).save(path)
    with pytest.raises(InputError, match="but has 16x12"):
        read_image(path, (8, 6, 3))
    scaled = read_image(path, (8, 6, 3), resize=True)
    assert scaled.shape == (8, 6, 3)
    assert (scaled[:, :2] == 7).all()
    assert (scaled[:, 4:] == 200).all()


def test_images_are_decoded_as_those_of_a_folder_data_set(tmp_path: Path) -> None:
    """Palettes, alpha, JPEG, greyscale among colours: the same pixels as `decode_images` gives a training."""
    pixels = draw_images(1, (8, 6, 3))[0]
    files = []
    for name, mode in (("a.png", "RGB"), ("b.png", "RGBA"), ("c.png", "P"), ("d.png", "L"), ("e.jpg", "RGB")):
        Image.fromarray(pixels).convert(mode).save(tmp_path / name)
        files.append((name, tmp_path / name))
    Image.fromarray(np.dstack([pixels, pixels[..., :1]])).save(tmp_path / "alpha.png")
    lying = Image.Exif()
    lying[0x0112] = 6
    Image.fromarray(np.rot90(pixels)).save(tmp_path / "lying.jpg", exif=lying)
    files += [(name, tmp_path / name) for name in ("alpha.png", "lying.jpg")]
    expected = decode_images(files, len(files))
    for (_, path), wanted in zip(files, expected, strict=True):
        np.testing.assert_array_equal(read_image(path, (8, 6, 3)), wanted)


@pytest.mark.parametrize("format", FORMATS)
def test_transparent_images_are_laid_on_what_those_of_the_training_lay_on(
    format: str, tmp_path: Path
) -> None:
    shown = draw_images(1)[0]
    alpha = np.zeros((8, 6, 1), np.uint8)
    alpha[2:5] = 255
    Image.fromarray(np.dstack([shown, alpha])).save(tmp_path / "image.png")
    asked = {}
    for background, rgb in (("white", (255, 255, 255)), ("#ff8000", (255, 128, 0))):
        about = about_of_shape(background=background)
        path = tmp_path / f"{background}.model"
        path.write_bytes(FORMATS[format].write(drawn_classifier(about), about))
        model = FORMATS[format].read(path, True)
        assert model.about.background == background
        assert model.about.to_dict()["version"] == (1 if background == "white" else 2)
        seen = np.where(alpha > 0, shown, np.array(rgb, np.uint8))
        (found,), problems = predict(model, [tmp_path / "image.png"], top=3)
        assert problems == []
        expected = dict(zip(NAMES, answers(seen[None])[0].tolist(), strict=True))
        assert dict(found.classes) == pytest.approx(expected, abs=1e-5)
        asked[background] = found.classes
    assert asked["white"] != asked["#ff8000"]


def test_a_greyscale_network_takes_what_shows_no_colour(tmp_path: Path) -> None:
    grey = draw_images(1, (8, 6, 1))[0]
    Image.fromarray(grey[..., 0]).save(tmp_path / "grey.png")
    Image.fromarray(grey.repeat(3, axis=2)).save(tmp_path / "as_rgb.png")
    np.testing.assert_array_equal(read_image(tmp_path / "grey.png", (8, 6, 1)), grey)
    np.testing.assert_array_equal(read_image(tmp_path / "as_rgb.png", (8, 6, 1)), grey)
    Image.fromarray(draw_images(1)[0]).save(tmp_path / "colour.png")
    with pytest.raises(InputError, match=r"must be greyscale, .* but has colours"):
        read_image(tmp_path / "colour.png", (8, 6, 1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["no/such.png"],
            "no/such.png: IMAGES: must be an image or a folder of images, but there is nothing",
        ),
        (["EMPTY"], "EMPTY: IMAGES: a folder must hold images"),
        (["IMAGE", "--top", "4"], "--top: must be 1 to 3, the number of classes, but got 4"),
        (["IMAGE", "--top", "0"], "--top: must be 1 to 3, the number of classes, but got 0"),
    ],
)
def test_bad_input_is_told(arguments: list[str], message: str, tmp_path: Path, capsys) -> None:
    (image,) = write_images(tmp_path, draw_images(1))
    (tmp_path / "empty").mkdir()
    places = {"EMPTY": str(tmp_path / "empty"), "IMAGE": str(image)}
    given = [places.get(argument, argument) for argument in arguments]
    assert main(["predict", str(write_model(tmp_path)), *given]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(message.replace("EMPTY", places["EMPTY"]))


def test_names_that_a_terminal_would_obey_are_spelt_out(tmp_path: Path, capsys) -> None:
    model = write_model(tmp_path, about=about_of_shape(class_names=("\x1b[31mred", "b", "c")))
    (image,) = write_images(tmp_path, draw_images(1))
    image = image.rename(tmp_path / "\x1b[2J.png")
    assert main(["predict", str(model), str(image), "--top", "3"]) == 0
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize("how", ["crop", "pad", "centre"])
def test_images_of_any_size_are_made_those_of_the_training(how: str, tmp_path: Path) -> None:
    """As the training's were, and without --resize, if the export says so."""
    pixels = draw_images(1, (40, 20, 3))[0]
    Image.fromarray(pixels).save(tmp_path / "tall.png")
    about = about_of_shape((8, 8, 3), image_fit=how, background="black")
    model = load_model(write_model(tmp_path, about=about))
    assert (model.about, model.about.to_dict()["version"]) == (about, 4 if how == "centre" else 3)
    trained_on = decode_images([("tall.png", tmp_path / "tall.png")], 1, "black", ImageFit(8, how))
    (told,), problems = predict(model, [tmp_path / "tall.png"], top=3)
    assert problems == []
    (expected,) = model(trained_on)
    assert dict(told.classes) == pytest.approx(dict(zip(about.class_names, expected.tolist(), strict=True)))
