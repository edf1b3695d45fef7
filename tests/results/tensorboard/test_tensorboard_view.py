"""The view of the best: which runs are in it, what TensorBoard's own server makes of it, whose files it spares."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.results.searches import (
    MAX_EPOCHS,
    proposed,
    record_of,
    reported,
    search_started,
    started,
    timed,
    trial_config,
)
from tests.results.tensorboard.boards import rows_of, serving
from wrn_search.__main__ import main
from wrn_search.results.event_lines import to_line
from wrn_search.results.events import Completed, Interrupted, Stopped
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import fold
from wrn_search.results.tensorboard.run_names import short_name
from wrn_search.results.tensorboard.tensorboard_log import COMPARED, SCALARS
from wrn_search.results.tensorboard.tensorboard_view import _space

CONFIGURATIONS = 1000
REPEATS = 2
TOP = 20
RANKED = 989  # configurations with both seeds at full epochs


def final_error(configuration: int, repeat: int) -> float:
    """No two alike, in no order: 389 has no divisor in common with 1000."""
    return configuration * 389 % CONFIGURATIONS / 20 + repeat


def hparams_of(configuration: int) -> dict[str, float | int | str]:
    return {"depth": 16, "dropout": configuration / 2000, "init": "fan_in"}


def many() -> list:
    """Two seeds of a thousand configurations; of each hundredth the second seed was stopped, of the last both."""
    events = [search_started()]
    for number in range(CONFIGURATIONS * REPEATS):
        configuration, repeat = divmod(number, REPEATS)
        dropout = configuration / 2000
        given = {"configuration": configuration, "repeat": repeat, "hparams": hparams_of(configuration)}
        events += [proposed(number, dropout=dropout, **given), started(number)]
        stopped = configuration == CONFIGURATIONS - 1 or (repeat == 1 and configuration % 100 == 0)
        epochs = (1,) if stopped else (1, MAX_EPOCHS)
        error = final_error(configuration, repeat)
        events += [reported(number, epoch, val_error=error + MAX_EPOCHS - epoch) for epoch in epochs]
        events.append(Stopped(number, 1, "rung") if stopped else Completed(number))
    return timed(*events)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    lines = [to_line(event, seq, time) + "\n" for seq, (time, event) in enumerate(many())]
    (folder / "events.jsonl").write_text("".join(lines))  # a record syncs at the end of each trial
    return folder


def best_configurations() -> list[int]:
    """The first `TOP` by hand: means of the seeds, where all got to the end."""
    means = {
        configuration: (final_error(configuration, 0) + final_error(configuration, 1)) / 2
        for configuration in range(CONFIGURATIONS - 1)
        if configuration % 100
    }
    return sorted(means, key=means.__getitem__)[:TOP]


def name(configuration: int, repeat: int = 0) -> str:
    config = trial_config(dropout=configuration / 2000).to_dict()
    return short_name(configuration * REPEATS + repeat, config, repeat, searched=hparams_of(configuration))


def test_the_best_of_two_thousand_runs_by_http(searched: Path, tmp_path: Path, capsys) -> None:
    assert main(["tensorboard", str(searched), "--logdir", str(tmp_path / "view"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    best = best_configurations()
    assert told["command"] == f"tensorboard --logdir {tmp_path / 'view'}"
    assert (told["configurations"], told["ranked"]) == (TOP, RANKED)
    assert told["trials"] == [name(configuration, repeat) for configuration in best for repeat in (0, 1)]
    with serving(tmp_path / "view") as board:
        rows = rows_of(board, sessions=TOP * REPEATS)
        assert set(rows) == {name(configuration) for configuration in best}
        for configuration in best:
            row = rows[name(configuration)]
            assert row["hparams"].pop("status") == "completed"
            assert row["hparams"] == pytest.approx(hparams_of(configuration) | {"epochs_done": 2})
            values = {metric["name"]["tag"]: metric["value"] for metric in row["metricValues"]}
            assert set(values) == set(COMPARED)
            mean = (final_error(configuration, 0) + final_error(configuration, 1)) / 2
            assert values["val_error"] == pytest.approx(mean)
        experiment = board("/data/plugin/hparams/experiment", {})
        types = {info["name"]: info["type"] for info in experiment["hparamInfos"]}
        assert types == {
            "depth": "DATA_TYPE_FLOAT64",
            "dropout": "DATA_TYPE_FLOAT64",
            "init": "DATA_TYPE_STRING",
            "status": "DATA_TYPE_STRING",
            "epochs_done": "DATA_TYPE_FLOAT64",
        }
        tags = board("/data/plugin/scalars/tags")
        assert len(tags) == TOP * REPEATS
        assert all(set(run) == set(SCALARS) - {"ema_val_error"} for run in tags.values())


def test_by_default_it_lies_beside_the_runs_and_replaces_itself(searched: Path, capsys) -> None:
    arguments = ["tensorboard", str(searched), "--top", "3"]
    for _ in range(2):
        assert main(arguments) == 0
        view = searched / "tensorboard_top3"
        runs = {path.name for path in view.iterdir() if path.is_dir()}
        assert len(runs) == 3 * REPEATS
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith(
            f"The best 3 of {RANKED} configurations at full epochs (4), 6 runs of 2000."
        )
        assert lines[1] == f"tensorboard --logdir {view}"
    (view / next(iter(runs)) / "stale").touch()
    main(arguments)
    assert not list(view.glob("*/stale"))


def test_files_of_others_are_spared(searched: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    for logdir in (tmp_path, tmp_path / "thesis.tex"):
        assert main(["tensorboard", str(searched), "--logdir", str(logdir)]) == 2
        assert "exists and holds something else" in capsys.readouterr().err
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["RESULTS", "--top", "0"], "--top: must be at least 1, but got 0"),
        (["RESULTS", "--logdir", ""], "--logdir: must not be empty"),
        (["RESULTS", "--logdir", "/dev/null/x"], "--logdir: must be a folder that can be made and written"),
        (["no/such"], "no/such: must be a results directory"),
    ],
)
def test_bad_input_is_told(arguments: list[str], message: str, searched: Path, capsys) -> None:
    given = [str(searched) if argument == "RESULTS" else argument for argument in arguments]
    assert main(["tensorboard", *given]) == 2
    assert capsys.readouterr().err.startswith(message)


def test_a_search_without_full_trainings_says_where_all_runs_are(tmp_path: Path, capsys) -> None:
    events = timed(search_started(), proposed(0), started(0), reported(0, 1), Interrupted(0, "SIGINT"))
    assert fold(events).trials[0].status == "interrupted"
    record_of(tmp_path / "events.jsonl", events).close()
    assert main(["tensorboard", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "none was; all runs are in" in told
    assert str(tmp_path / "tensorboard") in told


def test_what_never_acted_in_a_search_does_not_hide_its_domains(tmp_path: Path) -> None:
    """Today's rules refuse such a file from a person, not from a record."""
    directory = ResultsDirectory(tmp_path)
    training = {"epochs": 4, "lr_schedule": "cosine", "lr_drop_factor": 0.1}
    document = {"name": "old", "dataset": {"name": "digits"}, "training": training}
    directory.resolved.write_text(yaml.safe_dump(document))
    found = _space(directory)
    assert found is not None
    assert found.training.lr_drop_factor == 0.1
