"""Searches that were begun by earlier versions go on as they would have: the proposals of plain spaces never change."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.decisions.playing import conductor_of, new_record, play, space_of

MODEL = {
    "depth": {"choice": [10, 16, 22]},
    "widen_factor": {"choice": [1, 2.5]},
    "dropout": {"uniform": [0.0, 0.5]},
}
TRAINING = {"epochs": 10, "weight_decay": {"loguniform": [1e-5, 1e-2]}, "batch_size": {"int": [32, 128, 32]}}
FINITE = {
    "depth": {"choice": [22, 40]},
    "widen_factor": {"choice": [1, 2.5]},
    "deepening_factor": {"int": [2, 3]},
}
# Of at most 50 trials as they were proposed before spaces had axes of their own (808c020): to write one anew breaks
# searches that wait to be resumed. The finite space has 8 points, which TPE draws at random.
GOLDEN = {
    ("random", False): "fe5892fe51b167ee",
    ("tpe", False): "3dfab281b0607499",
    ("random", True): "530fd83b51585ef7",
    ("tpe", True): "530fd83b51585ef7",
    ("grid", True): "34b13473fe0fb878",
}


@pytest.mark.parametrize(("searcher", "finite"), GOLDEN)
def test_plain_spaces_are_searched_as_ever(searcher: str, finite: bool, tmp_path: Path) -> None:
    # As a record without `anchor_epochs` is read.
    search = {"searcher": searcher, "trials": 50, "anchors": 0.2, "anchor_epochs": 1, "seed": 3}
    space = space_of(
        model=FINITE if finite else MODEL, training={"epochs": 10} if finite else TRAINING, search=search
    )
    with new_record(tmp_path / "e", space) as record:
        conductor = conductor_of(space, record, concurrent=3)
        play(conductor, lambda assignment, epoch: 60.0 - epoch + assignment.config.depth / 10)
        told = [(trial.hparams, trial.anchor) for trial in conductor.state.trials.values()]

    digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
    assert digest == GOLDEN[searcher, finite]
