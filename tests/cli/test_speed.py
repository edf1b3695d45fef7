"""`speed`: networks by name, bad options all at once."""

from __future__ import annotations

import json

import pytest

from wrn_search.__main__ import main


def test_two_small_networks_are_timed(capsys: pytest.CaptureFixture[str]) -> None:
    names = "WRN-10-0.5-B(3,1), ResNet-8"
    options = ["--batch-size", "4", "--image-size", "8", "--rounds", "2", "--device", "cpu", "--threads", "1"]
    assert main(["speed", "--networks", *names.split(" "), *options, "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert [row["network"] for row in told["networks"]] == ["WRN-10-0.5-B(3,1)", "ResNet-8"]
    assert (told["device"], told["rounds"], told["batch_size"]) == ("cpu", 2, 4)
    assert all(len(row["milliseconds_of_rounds"]) == 2 for row in told["networks"])


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        (
            ["--networks", "WRN-17-2,ResNet-165", "VGG"],
            [
                "--networks: depth must be 6*N + 4 with block B(3,3) (nearest: 16 or 22), but got 17 in WRN-17-2",
                "--networks: depth must be 9*N + 2 with block bottleneck (nearest: 164 or 173), but got 165 in "
                "ResNet-165",
            ],
        ),
        (  # what is wrong is the width: that another family lacks the depth, too, is no help
            ["--networks", "WRN-16-100000,WRN-50-100000-bottleneck,WRN-16-0.001"],
            [
                "--networks: 0.0625 <= widen_factor <= 100 must hold, but got 100000 in WRN-16-100000",
                "--networks: 0.0625 <= widen_factor <= 100 must hold, but got 100000 in WRN-50-100000-bottleneck",
                "--networks: 0.0625 <= widen_factor <= 100 must hold, but got 0.001 in WRN-16-0.001",
            ],
        ),
        (["--networks", ","], ["--networks: must name a network, but got none"]),
        (
            ["--rounds", "0", "--batch-size", "1"],
            [
                "--rounds: must be a whole number from 1 to 10000, but got 0",
                "--batch-size: must be a whole number from 2 to 65536, but got 1",
            ],
        ),
        (
            ["--device", "cpu", "--networks", "WRN-40-10", "--batch-size", "65536"],
            ["--batch-size: a batch of WRN-40-10 must fit the "],
        ),
    ],
    ids=lambda part: " ".join(part)[:30],
)
def test_bad_options_are_told(
    options: list[str], lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["speed", *options]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    for line in lines:
        assert line in err


def test_a_gpu_that_is_not_there_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wrn_search.cli.speed.gpu_names", list)
    assert main(["speed", "--device", "cuda"]) == 2
    assert "--device: must be a device of this machine, but got cuda" in capsys.readouterr().err
