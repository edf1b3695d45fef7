"""Real retrainings and test readings without Ray's processes: conductor, Tune's scheduler and trainable together."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tests.confirmation.test_confirmation_run import opened
from tests.decisions.playing import FACTS, conductor_of, new_record, play, space_of
from wrn_search.confirmation.choice_of_finalists import Rule
from wrn_search.confirmation.confirmation_plan import ConfirmationPlan
from wrn_search.confirmation.confirmation_request import ConfirmationRequest, confirmation_request
from wrn_search.confirmation.confirmation_run import _begin, facts_of_both
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.decisions.image_facts import workload_of
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.errors import InputError
from wrn_search.images import held_out_test_images as tests_of
from wrn_search.images.prepared_data import prepare
from wrn_search.memory.tensor_sizes import MOST_EVALUATED
from wrn_search.networks.wide_resnet import WideResNet
from wrn_search.ray_tune.steps.epochs_of_a_step import SECONDS
from wrn_search.ray_tune.tune_adapter import ConductorScheduler, ConductorSearcher
from wrn_search.readings.one_reading_trainable import OneReadingTrainable
from wrn_search.results.events_jsonl import read_events
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.session.start_of_a_session import facts_of
from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.training_loop import Training

EPOCHS = 2


@pytest.fixture
def request_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ConfirmationRequest:
    """One finalist, one seed, of a search that was played on the digits."""
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv(SECONDS, "0")  # `Session` sees each epoch, and is killed between them
    monkeypatch.setattr(OneReadingTrainable, "_of_test_split", {})
    monkeypatch.setattr(OneReadingTrainable, "_data", {})
    directory = ResultsDirectory(tmp_path / "played")
    directory.path.mkdir()
    space = space_of(
        model={"depth": 10, "widen_factor": 0.5, "dropout": {"uniform": [0.0, 0.2]}},
        training={"epochs": EPOCHS},
        search={"trials": 2, "searcher": "random", "scheduler": "none"},
    )
    with new_record(directory.events, space) as record:
        play(conductor_of(space, record), lambda assignment, epoch: 9.0)
    directory.resolved.write_text(json.dumps(space.to_document()))
    return confirmation_request(directory.path, Rule(top=1), repeats=1)


class Session:
    """What Ray Tune does with a trial, in this process."""

    def __init__(self, request: ConfirmationRequest, record: Any):
        request.directory.checkpoints.mkdir(exist_ok=True)
        plan = ConfirmationPlan(request)
        self.conductor = Conductor(request.space, FACTS, Allotment(1, 1, 0.0), record, plan=plan)
        _begin(request, record, self.conductor)
        self.searcher = ConductorSearcher(self.conductor, request.directory.checkpoints)
        self.scheduler = ConductorScheduler(self.conductor)

    def run(self, most_steps: int = 100) -> list[dict[str, Any]]:
        """All trials to their end, or a kill after so many steps. Returns every step's result."""
        told: list[dict[str, Any]] = []
        while isinstance(config := self.searcher.suggest("x"), dict):
            trial = SimpleNamespace(trial_id="tune", config=config)
            trainable = OneReadingTrainable.__new__(OneReadingTrainable)
            trainable.setup(config)
            self.conductor.started(config["number"])
            verdict = "CONTINUE"
            while verdict == "CONTINUE":
                if len(told) >= most_steps:
                    return told
                told.append(trainable.step())
                verdict = self.scheduler.on_trial_result(None, trial, _flat(told[-1]))
            trainable.cleanup()
        return told


def _flat(result: dict[str, Any]) -> dict[str, Any]:
    """As Tune hands it over."""
    flat: dict[str, Any] = {}
    for key, value in result.items():
        within = _flat(value) if isinstance(value, dict) else None
        flat |= {key: value} if within is None else {f"{key}/{name}": each for name, each in within.items()}
    return flat


def state_of(request: ConfirmationRequest) -> SearchState:
    return fold(read_events(request.directory.events))


def error_by_hand(request: ConfirmationRequest) -> float:
    """Percent; see `wrong_by_hand`."""
    return 100 * sum(wrong_by_hand(request)) / 300


def wrong_by_hand(request: ConfirmationRequest) -> list[int]:
    """Of each digit, what the checkpoint's network gets wrong of scikit-learn's images, an image at a time."""
    trial = state_of(request).trials[1]
    config = TrialConfig.from_dict(trial.config)
    data = prepare(config.dataset)
    training = Training(config, data)
    training.restore(request.directory.checkpoints / f"{trial.trial_id}.pt")
    training.network.eval()
    split = tests_of.read_test_split(config.dataset, data)
    wrong = [0] * 10
    with torch.inference_mode():
        for image, label in zip(split.images, split.labels, strict=True):
            inputs = (torch.tensor(image, dtype=torch.float32) - torch.tensor(data.mean)) / torch.tensor(
                data.std
            )
            wrong[label] += int(training.network(inputs.permute(2, 0, 1)[None]).argmax() != label)
    return wrong


def test_both_kinds_are_trained_and_one_is_tested(request_of: ConfirmationRequest) -> None:
    with opened(request_of) as record:
        told = Session(request_of, record).run()
    assert [next(iter(result)) for result in told] == ["epoch"] * 2 * EPOCHS + ["test", "test"]
    split, joined = state_of(request_of).trials.values()
    assert (split.status, joined.status) == ("completed", "completed")
    assert split.tested is None
    assert joined.tested is not None
    validated = [trial.last is not None and trial.last.val_error is not None for trial in (split, joined)]
    assert validated == [True, False]
    assert joined.tested.images == 300
    assert joined.tested.test_error == pytest.approx(error_by_hand(request_of))
    assert len(joined.test_opened) == 1
    by_class = joined.tested.by_class  # of the same reading
    assert by_class["wrong"] == wrong_by_hand(request_of)
    assert sum(by_class["images"]) == 300
    assert min(by_class["images"]) >= 25


@pytest.mark.parametrize("most_steps", [EPOCHS + 1, 2 * EPOCHS, 2 * EPOCHS + 1])
def test_killed_and_gone_on_with_the_test_error_is_the_same(
    request_of: ConfirmationRequest, most_steps: int, tmp_path: Path
) -> None:
    """Killed after an epoch of the tested network, after its last epoch, and after its permission to be tested."""
    with opened(request_of) as record:
        Session(request_of, record).run(most_steps)
    with opened(request_of) as record:
        Session(request_of, record).run()
    joined = state_of(request_of).trials[1]
    assert joined.tested is not None
    assert joined.tested.test_error == pytest.approx(error_by_hand(request_of))
    assert joined.epochs_done == EPOCHS
    assert len(joined.test_opened) == (2 if most_steps > 2 * EPOCHS else 1)


def test_a_network_that_was_lost_before_its_test_is_trained_again(request_of: ConfirmationRequest) -> None:
    with opened(request_of) as record:
        Session(request_of, record).run(2 * EPOCHS)
    (request_of.directory.checkpoints / f"{state_of(request_of).trials[1].trial_id}.pt").unlink()
    with opened(request_of) as record:
        told = Session(request_of, record).run()
    assert [next(iter(result)) for result in told] == ["epoch"] * EPOCHS + ["test", "test"]
    joined = state_of(request_of).trials[1]
    assert (joined.epochs_done, len(joined.test_opened)) == (EPOCHS, 1)
    assert joined.tested is not None


def test_unreadable_test_files_end_the_session_and_cost_no_network(
    request_of: ConfirmationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*arguments: Any) -> Any:
        raise InputError.of("dataset.root", "must be readable, but got nothing")

    with monkeypatch.context() as patch:
        patch.setitem(
            DATASETS, "digits", dataclasses.replace(DATASETS["digits"], read_test_images=unreadable)
        )
        with opened(request_of) as record:
            session = Session(request_of, record)
            session.run()
            assert session.conductor.end_reason == "failed"
            assert "the test split: dataset.root: must be readable" in str(session.conductor.failure)
    assert state_of(request_of).trials[1].status == "interrupted"
    with opened(request_of) as record:
        told = Session(request_of, record).run()
    assert [next(iter(result)) for result in told] == ["test", "test"]
    assert state_of(request_of).trials[1].tested is not None


def test_memory_that_is_wanting_for_the_test_pass_shows_before_the_split_is_opened(
    request_of: ConfirmationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made up, for want of a GPU: evaluating takes more than there is. Nothing was read when it is retried."""
    evaluated: list[int] = []

    def too_large(self: Training, batch_size: int, image_shape: tuple[int, int, int]) -> None:
        evaluated.append(batch_size)
        raise torch.OutOfMemoryError("CUDA out of memory")

    with monkeypatch.context() as patch, opened(request_of) as record:
        patch.setattr(Training, "rehearse", too_large)
        Session(request_of, record).run()
    joined = state_of(request_of).trials[1]
    assert (joined.status, joined.out_of_memory, joined.test_opened) == ("failed", True, [])
    assert evaluated == [min(joined.config["batch_size"], MOST_EVALUATED)]


def test_the_test_pass_is_no_larger_than_what_is_predicted(
    request_of: ConfirmationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    forward = WideResNet.forward

    def noting(self: WideResNet, images: torch.Tensor) -> torch.Tensor:
        sizes.append(len(images))
        return forward(self, images)

    monkeypatch.setattr(WideResNet, "forward", noting)
    with opened(request_of) as record:
        session = Session(request_of, record)
        session.run()
    config = TrialConfig.from_dict(state_of(request_of).trials[1].config)
    data = prepare(request_of.space.dataset)
    facts = facts_of_both(request_of, data)
    assert facts.train_images == data.train_images + data.validation_images
    assert facts.stored_bytes == max(
        facts_of(data).stored_bytes, facts_of(prepare(config.dataset)).stored_bytes
    )
    assert workload_of(config, facts).validation_images >= max(sizes)
    assert max(sizes) <= config.batch_size
