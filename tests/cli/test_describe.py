"""`describe`: one network in numbers."""

from __future__ import annotations

import json

import pytest

from wrn_search.__main__ import main

WRN_28_10 = ["describe", "--depth", "28", "--widen-factor", "10"]


def test_json_of_wrn_28_10_is_that_of_the_paper(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WRN_28_10, "--json"]) == 0

    described = json.loads(capsys.readouterr().out)
    assert set(described) - set(NETWORK_28_10) == {"memory", "gpu_shares", "gpu_filled"}
    assert {key: described[key] for key in NETWORK_28_10} == NETWORK_28_10


NETWORK_28_10 = {
    "name": "WRN-28-10",
    "family": "wrn",
    "depth": 28,
    "widen_factor": 10.0,
    "block": "B(3,3)",
    "deepening_factor": 2,
    "blocks_per_group": 4,
    "widths": [160, 320, 640],
    "num_classes": 10,
    "image_shape": [32, 32, 3],
    "num_params": 36_479_194,
    "macs": 5_243_328_768,
    "weights_bytes": 145_916_776,
    "training_state_bytes": 437_750_328,
}


def test_json_of_the_memory_adds_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WRN_28_10, "--precision", "bf16", "--batch-size", "64", "--dropout", "0.3", "--json"]) == 0

    described = json.loads(capsys.readouterr().out)
    memory = described["memory"]
    settings = {key: memory.pop(key) for key in SETTINGS}
    assert settings == SETTINGS
    totals = {key: memory.pop(key) for key in ("peak_bytes", "total_bytes")}
    beside = {key: memory.pop(key) for key in BESIDE_THE_PEAK}
    assert sum(memory.values()) == totals["peak_bytes"]
    assert totals["peak_bytes"] + sum(beside.values()) == totals["total_bytes"]
    shares = {each["gpu_bytes"]: each["share"] for each in described["gpu_shares"]}
    assert (set(shares.values()), described["gpu_filled"]) == ({1.0}, 1.0), (
        "it fills a GPU, whatever its memory"
    )
    narrow = ["describe", "--depth", "10", "--widen-factor", "1", "--precision", "bf16", "--json"]
    assert main(narrow) == 0
    small = json.loads(capsys.readouterr().out)
    assert small["gpu_filled"] < 1 / 8
    needed = small["memory"]["total_bytes"]
    for each in small["gpu_shares"]:  # the smallest of the classes whose bytes hold it
        assert each["share"] * each["gpu_bytes"] >= needed
        assert each["share"] == 1 / 8 or each["share"] / 2 * each["gpu_bytes"] < needed


SETTINGS = {
    "batch_size": 64,
    "precision": "bf16",
    "dropout": 0.3,
    "stochastic_depth": 0.0,
    "moment": "backward",
}
BESIDE_THE_PEAK = ("slack_bytes", "data_bytes", "workspace_bytes", "context_bytes")


def test_what_no_gpu_holds_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WRN_28_10, "--batch-size", "65536"]) == 0
    assert "GPU share     no GPU of up to 141 GB holds it" in capsys.readouterr().out

    assert main([*WRN_28_10, "--batch-size", "65536", "--json"]) == 0
    assert {each["share"] for each in json.loads(capsys.readouterr().out)["gpu_shares"]} == {None}


def test_the_text_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(WRN_28_10) == 0

    assert capsys.readouterr().out.splitlines() == [
        "WRN-28-10 for 10 classes of 32x32x3 images",
        "block         B(3,3), 4 in each of three groups",
        "widths        160, 320, 640 channels",
        "parameters    36,479,194",
        "multiply-adds 5,243,328,768 an image",
        "memory        145.9 MB weights, 437.8 MB with gradients and momentum",
        "training      2,702.7 MB at most, batches of 128 in fp32: 291.9 MB for weights and momentum,",
        "              2,365.7 MB activations, 41.9 MB passing by, 3.2 MB inputs",
        "on a GPU      4,089.1 MB predicted, with 135.1 MB slack, 240.4 MB data set, 88.1 MB workspace, "
        "922.7 MB context",
        "GPU share     1 of 8/12/16/24/40/48/80/141 GB",
        "GPU work      alone it keeps 100 % of a large GPU busy, by a model",
    ]


def test_classes_channels_image_size_and_block_count(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--classes", "100", "--channels", "1", "--image-size", "8", "--block", "B(3,1,3)", "--json"]
    assert main(["describe", "--depth", "40", "--widen-factor", "2", *options]) == 0

    described = json.loads(capsys.readouterr().out)
    assert described["name"] == "WRN-40-2-B(3,1,3)"
    assert described["image_shape"] == [8, 8, 1]
    assert described["num_classes"] == 100
    assert described["deepening_factor"] == 3


BLOCK = "block must be B(...) with 1 to 16 kernel sizes out of 1, 3 and 5, such as B(3,3), but got"


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (["17", "1"], ["--depth: depth must be 6*N + 4 with block B(3,3) (nearest: 16 or 22), but got 17"]),
        (["16", "0"], ["--widen-factor: 0.0625 <= widen_factor <= 100 must hold, but got 0"]),
        (["16", "nan"], ["--widen-factor: 0.0625 <= widen_factor <= 100 must hold, but got nan"]),
        (["16", "1e400"], ["--widen-factor: 0.0625 <= widen_factor <= 100 must hold, but got inf"]),
        (["16", "1", "--block", "B(2)"], [f"--block: {BLOCK} 'B(2)'"]),
        (["16", "1", "--block", "\x1b[31m"], [f"--block: {BLOCK} '\\x1b[31m'"]),
        (
            ["16", "1", "--batch-size", "1"],
            ["--batch-size: must be a whole number from 2 to 65536, but got 1"],
        ),
        (["16", "1", "--dropout", "nan"], ["--dropout: 0 <= dropout < 1 must hold, but got nan"]),
        (
            ["16", "1", "--classes", "1" + "0" * 400],
            ["--classes: must be 1 to 1000000, but got a number of about 400 digits"],
        ),
        (
            ["17", "0", "--classes", "0", "--image-size", "-1", "--channels", "0"],
            [
                "--classes: must be 1 to 1000000, but got 0",
                "--image-size: must be 1 to 1000000, but got -1",
                "--channels: must be 1 to 1000000, but got 0",
                "--widen-factor: 0.0625 <= widen_factor <= 100 must hold, but got 0",
                "--depth: depth must be 6*N + 4 with block B(3,3) (nearest: 16 or 22), but got 17",
            ],
        ),
    ],
    ids=lambda part: " ".join(part)[:30],
)
def test_bad_options_are_told_all_at_once(
    arguments: list[str], lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    depth, widen_factor, *others = arguments

    assert main(["describe", "--depth", depth, "--widen-factor", widen_factor, *others]) == 2
    assert capsys.readouterr() == ("", "".join(line + "\n" for line in lines))


OTHER_FAMILIES = {
    "--family preact_resnet --depth 164": ("ResNet-164", 1_703_258, 244_500_992, 18),
    "--network ResNet-110": ("ResNet-110", 1_730_522, 253_149_824, 18),
    "--family imagenet_resnet --depth 18 --widen-factor 1.5": ("WRN-18-1.5", 25_875_816, 3_866_327_040, 2),
    "--network WRN-50-2-bottleneck": ("WRN-50-2-bottleneck", 68_883_240, 11_398_021_120, [3, 4, 6, 3]),
    "--family imagenet_resnet --network WRN-34-2": ("WRN-34-2", 86_036_008, 14_094_458_880, [3, 4, 6, 3]),
}


@pytest.mark.parametrize("options", OTHER_FAMILIES)
def test_networks_of_other_families_by_their_keys_and_by_name(
    options: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["describe", *options.split(), "--json"]) == 0

    described = json.loads(capsys.readouterr().out)
    found = tuple(described[key] for key in ("name", "num_params", "macs", "blocks_per_group"))
    assert found == OTHER_FAMILIES[options]
    assert described["deepening_factor"] is None


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ("", ["--depth: must be given, or --network", "--widen-factor: must be given, or --network"]),
        (
            "--family wider",
            ["--family: family must be one of wrn, preact_resnet, imagenet_resnet, but got 'wider'"],
        ),
        (
            "--network ResNet-164 --depth 164 --block basic",
            [
                "--depth: must not stand beside --network, which tells it, but got 164",
                "--block: must not stand beside --network, which tells it, but got 'basic'",
            ],
        ),
        (
            "--family preact_resnet --depth 112 --widen-factor 2",
            [
                "--widen-factor: widen_factor must be 1 with family preact_resnet (the wide ones are family wrn), "
                "but got 2",
                "--depth: depth must be 9*N + 2 with block bottleneck (nearest: 110 or 119), but got 112",
            ],
        ),
        (
            "--network WRN-18-2 --dropout 0.3",
            ["--dropout: dropout must be 0 with family imagenet_resnet, but got 0.3"],
        ),
    ],
)
def test_bad_options_of_families_are_told_all_at_once(
    options: str, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["describe", *options.split()]) == 2
    assert capsys.readouterr() == ("", "".join(line + "\n" for line in lines))


def test_the_largest_sizes_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ["--classes", "1000000", "--image-size", "1000000", "--channels", "1000000"]

    assert main(["describe", "--depth", "9994", "--widen-factor", "100", *sizes]) == 0
    assert "for 1000000 classes of 1000000x1000000x1000000 images" in capsys.readouterr().out
