"""Exported files against the network that was trained, found by the training's own path; and the card beside them."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tests.training.trainings import DIGITS, config_of
from tests.winner.searches import (
    BEST,
    COMPLETED,
    STOPPED,
    config_at,
    id_at,
    read_lines,
    train_search,
    write_lines,
)
from wrn_search.__main__ import main
from wrn_search.cli.export import FORMATS as OFFERED
from wrn_search.images.batches import EvaluationBatches
from wrn_search.images.prepared_data import prepare, raw_validation
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.training.training_loop import Training
from wrn_search.winner.data_of_a_card import data_rows
from wrn_search.winner.file_formats.format_table import FORMATS, Format, load_model
from wrn_search.winner.file_formats.torch_file import write_torch
from wrn_search.winner.model_card import binomial_error


def live_scores(results: Path, config: Any, key: str) -> torch.Tensor:
    """Scores (n, classes) of the checkpoint's network on the validation images, as the training evaluates them."""
    data = prepare(config.dataset)
    training = Training(config, data)
    training.restore(results / "checkpoints" / f"{key}.pt")
    training.network.eval()
    with torch.inference_mode():
        return torch.cat([training.network(inputs) for inputs, _ in EvaluationBatches(data, batch_size=500)])


def test_the_command_offers_every_format() -> None:
    assert list(OFFERED) == [*FORMATS, "backbone"]


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_answers_as_the_live_network(format: str, searched: Path, tmp_path: Path, capsys) -> None:
    file = tmp_path / f"model{FORMATS[format].suffix}"
    assert main(["export", str(searched), "--format", format, "--output", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    images = raw_validation(DIGITS).images
    expected = live_scores(searched, config_at(BEST), id_at(BEST))
    for trust in (False, True):
        model = load_model(file, trust)
        scores, probabilities = model.run(images)
        np.testing.assert_allclose(scores, expected, atol=1e-4)
        np.testing.assert_allclose(probabilities, torch.softmax(expected, 1), atol=1e-5)
        for count in (1, 3):  # the batch is free
            np.testing.assert_allclose(model(images[:count]), probabilities[:count], atol=1e-5)
        assert model.about.class_names == tuple("0123456789")
        assert model.about.image_shape == (8, 8, 1)
    assert told["trial"] == BEST
    assert told["check"]["images"] == DIGITS.validation
    assert told["check"]["score_difference"] == pytest.approx(abs(scores - expected.numpy()).max(), abs=1e-6)
    assert told["check"]["file_error"] == told["check"]["live_error"] == told["val_error"]


@pytest.mark.parametrize(
    ("preprocessing", "format"),
    [
        ("divide255", "torch"),
        *(
            pytest.param("zca", format, marks=pytest.mark.slow if format == "pt2" else ())
            for format in FORMATS
        ),
    ],
)
def test_every_preprocessing_is_inside(preprocessing: str, format: str, tmp_path: Path) -> None:
    dataset = DIGITS.model_copy(update={"preprocessing": preprocessing})
    config = config_of(dataset=dataset, epochs=1)
    results = train_search(tmp_path / "results", [config])
    file = tmp_path / "model"
    assert main(["export", str(results), "--format", format, "--output", str(file)]) == 0
    images = raw_validation(dataset).images
    scores, _ = load_model(file).run(images)
    key = next((results / "checkpoints").iterdir()).stem
    np.testing.assert_allclose(scores, live_scores(results, config, key), atol=1e-3)


def test_a_network_trained_in_bf16_computes_in_fp32(tmp_path: Path, capsys) -> None:
    results = train_search(tmp_path / "results", [config_of(epochs=1, precision="bf16")])
    assert main(["export", str(results), "--format", "torch", "--output", str(tmp_path / "m.pt")]) == 0
    assert "trained and validated in bf16" in (tmp_path / "m.pt.md").read_text()


def test_three_lines_of_torch_load_it(searched: Path, tmp_path: Path) -> None:
    file = tmp_path / "model.pt"
    main(["export", str(searched), "--format", "torch", "--output", str(file)])
    content = torch.load(file, weights_only=True)
    assert content["facts"]["config"]["depth"] == content["depth"] == 10
    assert "root" not in content["facts"]["config"]["dataset"], "no path of this machine"
    assert content["weights"]["network.stem.weight"].shape == (16, 1, 3, 3)


@pytest.mark.parametrize("format", FORMATS)
def test_the_cards_own_lines_load_the_file(
    format: str, searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path(f"model{FORMATS[format].suffix}")
    main(["export", str(searched), "--format", format, "--output", str(file)])
    (program,) = re.findall(r"```python\n(.*?)```", Path(f"{file}.md").read_text(), re.DOTALL)
    images = raw_validation(DIGITS).images[:4]
    names: dict[str, Any] = {"images": torch.from_numpy(images) if format == "pt2" else images}
    exec(program, names)
    np.testing.assert_allclose(names["probabilities"], load_model(file)(images), atol=1e-5)


def test_the_card_states_the_numbers_and_what_is_not_known(searched: Path, tmp_path: Path) -> None:
    file = tmp_path / "model.pt"
    main(["export", str(searched), "--format", "torch", "--output", str(file)])
    card = (tmp_path / "model.pt.md").read_text()
    (last,) = [
        line
        for line in read_lines(searched)
        if line["event"] == "reported" and (line["number"], line["epoch"]) == (BEST, 2)
    ]
    error = last["val_error"]
    spread = 100 * ((error / 100) * (1 - error / 100) / 100) ** 0.5
    assert f"| {error:.2f} % of n = 100 images, ± {spread:.2f} % (binomial standard error) |" in card
    assert "| test error of these weights | null: never read |" in card
    assert "its error is the lowest of 2 trials that were trained to the end (5 in all)" in card
    weights = torch.load(file, weights_only=True)["weights"]
    counted = sum(weights[name].numel() for name in weights if name.endswith(("weight", "bias")))
    for value in (
        prepare(DIGITS).split_hash,
        f"{counted:,}",
        torch.__version__.split("+")[0],
        "digits",
        "meanstd",
    ):
        assert value in card
    assert str(tmp_path) not in card, "no path of this machine"
    assert "| an epoch shows (in training only) | each image once |" in card


def test_the_card_says_how_images_were_cropped_and_drawn() -> None:
    dataset = DatasetSettings(name="cifar10", sampling="balanced", crop_padding=6)
    data = SimpleNamespace(train_images=45_000, validation_images=5_000, split_hash="ab")
    about = SimpleNamespace(class_names=("a", "b"), image_fit=None)
    rows = dict(data_rows(dataset, data, about))  # type: ignore[arg-type]
    assert rows["padding around its random crops"] == "6 pixels"
    assert rows["an epoch shows (in training only)"].startswith("as many, but each class equally often")
    shifted = DatasetSettings(name="cifar10", augmentation="shift")
    assert "padding around its random crops" not in dict(data_rows(shifted, data, about))  # type: ignore[arg-type]


def test_the_binomial_error_is_that_of_simulated_counts() -> None:
    counts = np.random.default_rng(0).binomial(400, 0.1, 100_000)
    assert binomial_error(10.0, 400) == pytest.approx((100 * counts / 400).std(), rel=0.01)


def test_a_file_that_answers_otherwise_is_not_kept(
    searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    def spoilt(classifier: Any, about: Any) -> bytes:
        classifier.mean += 1  # a preprocessing that is a grey level off
        return write_torch(classifier, about)

    monkeypatch.setitem(FORMATS, "torch", Format(".pt", spoilt, FORMATS["torch"].read))
    assert main(["export", str(searched), "--format", "torch", "--output", str(tmp_path / "model.pt")]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("the export failed: the torch file must answer as the live network does")
    assert list(tmp_path.iterdir()) == []


def test_by_default_it_lies_among_the_results_and_is_not_overwritten(own_search: Path, capsys) -> None:
    arguments = ["export", str(own_search), "--format", "torch"]
    assert main(arguments) == 0
    file = own_search / "export" / "001_WRN-10-1_p0.00_wd5e-4.pt"
    assert file.exists()
    capsys.readouterr()
    assert main(arguments) == 2
    assert f"--output: an existing file is not overwritten, but {file} and" in capsys.readouterr().err
    assert main([*arguments, "--force"]) == 0


def test_without_a_checkpoint_the_error_names_the_rerun_that_makes_one(own_search: Path, capsys) -> None:
    export = ["export", str(own_search), "--trial", str(COMPLETED), "--format", "torch"]
    assert main(export) == 2
    told = capsys.readouterr().err
    command = f"python -m wrn_search rerun {own_search} --trial {COMPLETED} --checkpoint"
    assert told.startswith(f"--trial: trial {COMPLETED} needs a checkpoint, but ")
    assert told.endswith(f"train it again with: {command}\n")

    assert main(command.split()[3:]) == 0
    assert main(export) == 0
    card = next((own_search / "export").glob("*.md")).read_text()
    assert "lowest of" not in card, "this trial is not the best"


def test_weights_of_half_a_training_are_told(own_search: Path) -> None:
    assert main(["rerun", str(own_search), "--trial", str(STOPPED), "--checkpoint"]) == 0
    assert main(["export", str(own_search), "--trial", str(STOPPED), "--format", "torch"]) == 0
    card = next((own_search / "export").glob("*.md")).read_text()
    assert "It was trained for 1 of 2 epochs: not to be compared with finished trials." in card


def test_test_errors_of_confirmed_twins_are_told_apart(own_search: Path) -> None:
    """Tables that another command wrote beside the search, in the same form."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    confirm = own_search / "confirm"
    shutil.copytree(own_search / "epochs", confirm / "epochs")
    table = pq.read_table(own_search / "trials.parquet").slice(BEST, 1)
    rows = pa.concat_tables([table] * 3)
    column = rows.schema.get_field_index("test_error")
    rows = rows.set_column(column, rows.schema.field(column), pa.array([4.0, 6.0, 5.5]))
    pq.write_table(rows, confirm / "trials.parquet")
    assert main(["export", str(own_search), "--format", "torch"]) == 0
    card = next((own_search / "export").glob("*.md")).read_text()
    assert "| test error of these weights | null: never read |" in card
    assert "retrained with these settings | median 5.50 % (4.00 to 6.00, n = 3) |" in card


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["no/such"], "no/such: must be a results directory, but there is no such directory"),
        (
            ["RESULTS", "--trial", "7"],
            "--trial: must be best, a trial's number (0 to 4), its trial_id or its short name, but got '7'",
        ),
        (["RESULTS", "--checkpoint", "gone.pt"], "--checkpoint: gone.pt: no such checkpoint"),
        (["RESULTS", "--check-images", "0"], "--check-images: must be at least 1, but got 0"),
        (["RESULTS", "--output", "."], "--output: must be a file, but . is a folder"),
    ],
)
def test_bad_input_is_told(arguments: list[str], line: str, searched: Path, capsys) -> None:
    given = [str(searched) if argument == "RESULTS" else argument for argument in arguments]
    assert main(["export", *given, "--format", "torch"]) == 2
    assert capsys.readouterr() == ("", line + "\n")


def test_a_checkpoint_of_another_trial_is_refused(searched: Path, tmp_path: Path, capsys) -> None:
    other = searched / "checkpoints" / f"{id_at(BEST)}.pt"
    arguments = ["export", str(searched), "--trial", str(COMPLETED), "--checkpoint", str(other)]
    assert main([*arguments, "--format", "torch", "--output", str(tmp_path / "m.pt")]) == 2
    assert "checkpoint of another training: " in capsys.readouterr().err


def test_other_images_are_refused(own_search: Path, tmp_path: Path, capsys) -> None:
    lines, split = read_lines(own_search), prepare(DIGITS).split_hash
    write_lines(own_search, [lines[0] | {"split_hash": "0" * 16}, *lines[1:]])
    assert main(["export", str(own_search), "--format", "torch"]) == 2
    told = capsys.readouterr().err
    assert told == (
        "dataset: the images must be those that the search trained and validated on: "
        f"split {'0' * 16}, but got {split}\n"
    )


def test_a_missing_extra_is_named_with_its_command(
    searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    assert main(["export", str(searched), "--format", "onnx", "--output", str(tmp_path / "m")]) == 2
    told = capsys.readouterr().err
    assert "onnxscript cannot be imported; pip install 'wrn-search[onnx]'" in told
    assert list(tmp_path.iterdir()) == []
