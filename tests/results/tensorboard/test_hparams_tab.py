"""TensorBoard's own server over a search with trials in every status: the HParams and scalars tabs by HTTP."""

from __future__ import annotations

import pytest

from tests.results.searches import follow, proposed, reported, search_started, started, timed
from tests.results.tensorboard.boards import rows_of, serving
from wrn_search.results.events import Completed, Diverged, Failed, Stopped
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.tensorboard.tensorboard_log import COMPARED, SCALARS, TensorBoardLog
from wrn_search.results.trial_state import STATUSES
from wrn_search.space.domains import Choice, IntRange, LogUniform, Uniform


def hparams_of(number):
    """Every type that a hyperparameter may have."""
    return {
        "depth": 16 if number < 3 else 22,
        "dropout": 0.1 * number,
        "init": "fan_in",
        "shuffled": number < 3,
    }


DOMAINS = {
    "depth": Choice((16, 22)),
    "dropout": Uniform(0.0, 0.5),
    "init": Choice(("fan_in", "fan_out")),
    "shuffled": Choice((True, False)),
    "weight_decay": LogUniform(1e-5, 1e-2),
    "batch_size": IntRange(32, 128, 32),
}


def events():
    """Trials 0 and 1 are the two seeds of one configuration; 2 is running still."""
    return timed(
        search_started(),
        proposed(0, configuration=0, hparams=hparams_of(0)),
        proposed(1, configuration=0, repeat=1, hparams=hparams_of(0)),
        *(proposed(number, hparams=hparams_of(number)) for number in range(2, 6)),
        *(started(number) for number in range(6)),
        reported(0, 1, val_error=50.0),
        reported(0, 2, val_error=10.0),
        Completed(0),
        reported(1, 1, val_error=50.0),
        reported(1, 2, val_error=20.0),
        Completed(1),
        reported(2, 1, val_error=70.0),
        reported(3, 1, val_error=80.0),
        Failed(3, "RuntimeError: out of memory"),
        Diverged(4, 1, "train loss is nan"),
        reported(5, 1, val_error=60.0),
        Stopped(5, 1, "not among the best third"),
    )


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """`tensorboard --logdir` over the runs of `events`, one of them open; yields a function that asks it."""
    directory = ResultsDirectory(tmp_path_factory.mktemp("board") / "small")
    directory.create()
    state = SearchState()
    log = TensorBoardLog(directory, state, DOMAINS)
    follow(log, state, events())
    try:
        with serving(directory.tensorboard) as asked:
            yield asked
    finally:
        log.close()


def session_groups(board):
    """The rows of the HParams tab by name, once the server has read all six runs."""
    return rows_of(board, sessions=6)


def test_every_trial_is_in_the_hparams_tab_running_or_ended(board):
    groups = session_groups(board)
    assert set(groups) == {name(number) for number in (0, 2, 3, 4, 5)}
    status = {
        session["name"][:3]: session["status"] for group in groups.values() for session in group["sessions"]
    }
    assert status == {
        "000": "STATUS_SUCCESS",
        "001": "STATUS_SUCCESS",
        "002": "STATUS_UNKNOWN",  # it runs: TensorBoard knows its start and no end
        "003": "STATUS_FAILURE",
        "004": "STATUS_FAILURE",
        "005": "STATUS_SUCCESS",
    }


def test_hyperparameters_are_shown_with_their_types(board):
    groups = session_groups(board)
    fixed = {
        "weight_decay": 5e-4,
        "batch_size": 128.0,
    }  # searched in this space, not when the trial was proposed
    assert groups[name(0)]["hparams"] == hparams_of(0) | fixed | {"status": "completed", "epochs_done": 2}
    third = dict(groups[name(3)]["hparams"])
    assert (third.pop("status"), third.pop("epochs_done")) == ("failed", 1)
    assert third == pytest.approx(hparams_of(3) | fixed)
    assert groups[name(3)]["hparams"]["shuffled"] is False


def name(number):
    """The row of a configuration: the short name of its first seed."""
    return f"{number:03d}_WRN-16-4_p0.30_wd5e-4_fan_in"


def values(group):
    return {metric["name"]["tag"]: metric["value"] for metric in group["metricValues"]}


def test_trials_can_be_filtered_by_how_they_ended_and_how_far_they_came(board):
    """Errors of different epochs stand in one column: whoever compares must be able to leave the stopped ones out."""
    groups = session_groups(board)
    told = {
        row: (group["hparams"]["status"], group["hparams"]["epochs_done"]) for row, group in groups.items()
    }
    assert told == {
        name(0): ("completed", 2),
        name(2): ("running", 0),  # as it stood when it began
        name(3): ("failed", 1),
        name(4): ("diverged", 0),
        name(5): ("stopped", 1),
    }


def test_the_seeds_of_a_configuration_are_averaged_at_their_last_epoch(board):
    groups = session_groups(board)
    assert [session["name"] for session in groups[name(0)]["sessions"]] == [
        "000_WRN-16-4_p0.30_wd5e-4_fan_in",
        "001_WRN-16-4_p0.30_wd5e-4_fan_in_r1",
    ]
    assert values(groups[name(0)])["val_error"] == 15.0
    assert set(values(groups[name(0)])) == {"val_error", "val_loss", "train_error", "train_loss"}
    assert values(groups[name(2)])["val_error"] == 70.0
    assert "metricValues" not in groups[name(4)] or not groups[name(4)]["metricValues"]


def test_the_columns_have_types_and_domains_to_filter_by(board):
    session_groups(board)
    experiment = board("/data/plugin/hparams/experiment", {})
    infos = {info["name"]: info for info in experiment["hparamInfos"]}
    assert {name: info["type"] for name, info in infos.items()} == {
        "depth": "DATA_TYPE_FLOAT64",
        "dropout": "DATA_TYPE_FLOAT64",
        "init": "DATA_TYPE_STRING",
        "shuffled": "DATA_TYPE_BOOL",
        "weight_decay": "DATA_TYPE_FLOAT64",
        "batch_size": "DATA_TYPE_FLOAT64",
        "status": "DATA_TYPE_STRING",
        "epochs_done": "DATA_TYPE_FLOAT64",
    }
    assert set(infos["status"]["domainDiscrete"]) == STATUSES
    assert infos["epochs_done"]["domainInterval"]["minValue"] == 0
    assert infos["depth"]["domainDiscrete"] == [16, 22]
    assert infos["init"]["domainDiscrete"] == ["fan_in", "fan_out"]
    assert infos["shuffled"]["domainDiscrete"] == [True, False]
    assert infos["dropout"]["domainInterval"] == {"minValue": 0.0, "maxValue": 0.5}
    assert infos["weight_decay"]["domainInterval"] == {"minValue": 1e-5, "maxValue": 1e-2}
    assert infos["batch_size"]["domainInterval"] == {"minValue": 32, "maxValue": 128}
    assert [info["name"]["tag"] for info in experiment["metricInfos"]] == list(COMPARED)


def test_the_scalars_tab_has_a_run_for_each_trial_that_reported(board):
    session_groups(board)
    tags = board("/data/plugin/scalars/tags")
    assert sorted(run[:3] for run in tags) == ["000", "001", "002", "003", "005"]
    measured = set(SCALARS) - {"ema_val_error"}  # of no moving average
    assert all(set(run_tags) == measured for run_tags in tags.values())
