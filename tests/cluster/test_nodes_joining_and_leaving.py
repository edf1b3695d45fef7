"""How many trials run at once when nodes come and go; real nodes are in tests/cluster/test_several_nodes.py."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.decisions.playing import conductor_of, new_record, space_of
from wrn_search.cluster import nodes_joining_and_leaving
from wrn_search.cluster.living_nodes import LivingNode
from wrn_search.cluster.node_check import Look
from wrn_search.cluster.node_facts import own_versions
from wrn_search.cluster.nodes_joining_and_leaving import FollowNodes, on_nodes
from wrn_search.decisions.retries_and_failures import DISPLACED_BEFORE_CHARGED
from wrn_search.decisions.trial_to_train import Assignment
from wrn_search.decisions.trials_at_once import Allotment, allot
from wrn_search.hardware.arithmetic_on_offer import ArithmeticOnOffer
from wrn_search.hardware.machine import Node
from wrn_search.ray_tune.tune_adapter import ConductorScheduler, ConductorSearcher
from wrn_search.results.events import Interrupted, Retried
from wrn_search.results.events_jsonl import read_events
from wrn_search.searchers.searcher_table import SEARCHERS


@pytest.mark.parametrize("searcher", ["random", "tpe"])
@pytest.mark.parametrize(
    "nodes", [[Node(4)], [Node(4), Node(3)], [Node(8, 2)], [Node(8, 2), Node(16, 1)]], ids=str
)
def test_at_the_start_it_is_what_the_allotment_says(searcher: str, nodes: list[Node]) -> None:
    space = space_of(search={"trials": 20, "searcher": searcher})
    kind = SEARCHERS[searcher]
    allotment = allot(space.resources, nodes, 20, 20, kind.learns, kind.drawn_at_random)
    assert on_nodes(nodes, space, allotment) == allotment


def test_it_grows_and_shrinks_with_the_nodes_and_never_to_nothing() -> None:
    space, whole = space_of(search={"trials": 40, "searcher": "random"}), Allotment(2, 2, 1.0)
    assert on_nodes([Node(8, 2)], space, whole).concurrent == 2
    assert on_nodes([Node(8, 2), Node(4, 4), Node(64)], space, whole).concurrent == 4  # two cores a trial
    assert on_nodes([], space, whole).concurrent == 1


# As Ray 2.60 reports an actor that was asked to end by `__ray_terminate__`.
NOTICED = "The actor died: INTENDED_USER_EXIT: Worker exits by an user request. exit_actor() is called."


class Ray:
    """Nodes as Ray tells of them, and what they answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.living: list[LivingNode] = []
        self.looks: dict[str, Look] = {}  # node id -> what it found, once it has
        self.kept_full: list[str] = []
        self.leaving: frozenset[str] = frozenset()
        self.node_of_actor: dict[str, str] = {}
        self.ended: list[str] = []  # actors that were asked to
        monkeypatch.setattr(nodes_joining_and_leaving, "living_nodes", lambda: self.living)
        monkeypatch.setattr(
            nodes_joining_and_leaving, "begin_look", lambda node, probe, dataset, weights: node.node_id
        )
        monkeypatch.setattr(
            nodes_joining_and_leaving, "end_look", lambda reference, name: self.looks[reference]
        )
        monkeypatch.setattr(
            nodes_joining_and_leaving, "_placeholder", lambda node: self.kept_full.append(node.node_id)
        )
        monkeypatch.setattr(nodes_joining_and_leaving, "leaving_nodes", lambda: self.leaving)
        monkeypatch.setattr(
            nodes_joining_and_leaving, "_node_of", lambda actor: self.node_of_actor.get(actor, "")
        )
        monkeypatch.setattr(
            nodes_joining_and_leaving,
            "_end_after_epoch",
            lambda actor: self.ended.append(actor._actor_id.hex()),
        )
        monkeypatch.setattr(nodes_joining_and_leaving, "SECONDS_BETWEEN_LOOKS", -1.0)
        monkeypatch.setattr("ray.wait", self._wait)

    def _wait(self, references: list[str], num_returns: int, timeout: float) -> tuple[list[str], list[str]]:
        assert timeout == 0, "Tune's loop must not wait for a node"
        return [each for each in references if each in self.looks], []


@pytest.fixture
def nodes(monkeypatch) -> Ray:
    return Ray(monkeypatch)


def _follower(tmp_path: Path, ray: Ray, told: list[str], **resources: object) -> FollowNodes:
    space = space_of(search={"trials": 40, "searcher": "random"}, resources=resources)
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space), concurrent=2)
    (tmp_path / "manifest.json").write_text(json.dumps({"search_id": "x"}))
    return FollowNodes(conductor, tmp_path / "manifest.json", "split", list(ray.living), told.append)


def test_a_node_is_used_once_it_has_shown_that_it_can_train(tmp_path, nodes: Ray) -> None:
    nodes.living = [LivingNode("a", "a", Node(2))]
    told: list[str] = []
    follower = _follower(tmp_path, nodes, told)
    conductor = follower._conductor
    nodes.living.append(LivingNode("b", "b", Node(3)))
    for _ in range(2):
        follower.on_step_end(0, [])
        assert conductor.allotment.concurrent == 2  # it has not answered yet
    nodes.looks["b"] = Look(own_versions(), split_hash="split")
    follower.on_step_end(0, [])
    assert (conductor.allotment.concurrent, conductor.allotment.cpus_per_trial, told) == (5, 1, [])
    del nodes.living[0]
    follower.on_step_end(0, [])
    assert conductor.allotment.concurrent == 3
    assert told == ["a node has left, its trials go on elsewhere: a"]


def test_a_node_that_cannot_train_is_kept_full_and_told_once(tmp_path, nodes: Ray) -> None:
    nodes.living = [LivingNode("a", "a", Node(2))]
    told: list[str] = []
    follower = _follower(tmp_path, nodes, told)
    nodes.living.append(LivingNode("b", "b (10.0.0.2)", Node(3)))
    nodes.looks["b"] = Look(own_versions(), storage="Permission denied (/s)")
    for _ in range(4):
        follower.on_step_end(0, [])
    assert nodes.kept_full == ["b"]
    assert follower._conductor.allotment.concurrent == 2
    (line,) = told
    assert line.startswith("a node that joined is not used: --results: must be ")
    assert line.endswith("on b (10.0.0.2): Permission denied (/s)")


def _running(actor: str, status: str = "RUNNING") -> SimpleNamespace:
    """A trial of Tune's, whose process is this actor."""
    handle = SimpleNamespace(_actor_id=SimpleNamespace(hex=lambda: actor))
    return SimpleNamespace(status=status, temporary_state=SimpleNamespace(ray_actor=handle))


@pytest.mark.parametrize(("capability", "used"), [((7, 5), False), ((8, 0), True)])
def test_a_node_without_tf32_does_not_join_a_search_in_it(
    tmp_path, monkeypatch, nodes: Ray, capability: tuple[int, int], used: bool
) -> None:
    monkeypatch.setattr(nodes_joining_and_leaving, "gpu_bytes_by_node", dict)
    monkeypatch.setattr(nodes_joining_and_leaving, "living_nodes", lambda *memory: list(nodes.living))
    nodes.living = [LivingNode("a", "a", Node(2, 2))]
    told: list[str] = []
    follower = _follower(tmp_path, nodes, told)
    conductor = follower._conductor
    conductor.precision = "tf32"
    conductor.allotment = replace(conductor.allotment, gpus_per_trial=1.0)
    nodes.living.append(LivingNode("b", "b", Node(3, 1)))
    nodes.looks["b"] = Look(
        own_versions(), split_hash="split", arithmetic=ArithmeticOnOffer(True, True, (capability,))
    )
    for _ in range(3):
        follower.on_step_end(0, [])
    assert (nodes.kept_full, conductor.allotment.concurrent) == (([], 3) if used else (["b"], 2))
    assert told == ([] if used else told[:1])
    assert used or "tf32 needs GPUs of CUDA compute capability 8.0 or more, but one on b has 7.5" in told[0]


def test_trials_leave_a_node_that_will_be_taken_away_each_told_once(tmp_path, nodes: Ray) -> None:
    nodes.living = [LivingNode("a", "a", Node(2)), LivingNode("b", "b", Node(3))]
    nodes.node_of_actor = {"01": "a", "02": "b", "03": "b", "04": "b"}
    told: list[str] = []
    follower = _follower(tmp_path, nodes, told)
    trials = [_running("01"), _running("02"), _running("03", "TERMINATED"), _running("05")]
    follower.on_step_end(0, trials)
    assert nodes.ended == []
    nodes.leaving = frozenset({"b", "gone long ago"})
    for _ in range(3):
        follower.on_step_end(0, trials)
    assert nodes.ended == ["02"]
    assert follower._conductor.allotment.concurrent == 2, "no place there any more"
    follower.on_step_end(0, [*trials, _running("04")])  # one that was on its way there
    assert nodes.ended == ["02", "04"]
    del nodes.living[1]
    follower.on_step_end(0, trials)
    assert told == ["a node will be taken away, its trials go on elsewhere after their epoch: b"]


def test_a_given_number_of_trials_at_once_stays(tmp_path, nodes: Ray) -> None:
    nodes.living = [LivingNode("a", "a", Node(8))]
    follower = _follower(tmp_path, nodes, [], concurrent=2)
    nodes.living.clear()
    follower.on_step_end(0, [])
    assert follower._conductor.allotment.concurrent == 2


def _errors(tmp_path: Path, text: str) -> SimpleNamespace:
    file = tmp_path / "error.txt"
    file.write_text(text)
    return SimpleNamespace(error_file=str(file), trial_id="tune")


@pytest.mark.parametrize(
    "text",
    [
        "The actor f6aa is unavailable: The actor is temporarily unavailable: RpcError: RPC error: Socket closed",
        "The actor died unexpectedly before this task.\nThe actor died because its node has died. Node Id: 6a",
    ],
)
def test_a_trial_whose_node_has_left_goes_on_and_is_charged_no_try(tmp_path, text) -> None:
    space = space_of(search={"trials": 1, "searcher": "random", "retries": 0})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    searcher, scheduler = ConductorSearcher(conductor, tmp_path), ConductorScheduler(conductor)
    trial = _errors(tmp_path, text)
    first = searcher.suggest("a")
    for _ in range(DISPLACED_BEFORE_CHARGED):
        trial.config = first
        scheduler.on_trial_error(None, trial)
        state = conductor.state.trials[0]
        assert (state.status, state.retries) == ("interrupted", 0)
        assert searcher.suggest("b")["trial_id"] == first["trial_id"]
    scheduler.on_trial_error(None, trial)  # perhaps the trial ends its nodes
    assert conductor.state.trials[0].status == "failed"
    kinds = [type(event) for _, event in read_events(tmp_path / "events.jsonl")]
    assert (kinds.count(Interrupted), kinds.count(Retried)) == (DISPLACED_BEFORE_CHARGED, 0)


def test_a_trial_whose_node_gave_notice_is_never_charged(tmp_path) -> None:
    """However often: such a node says nothing about the trial."""
    space = space_of(search={"trials": 1, "searcher": "random", "retries": 0})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    searcher, scheduler = ConductorSearcher(conductor, tmp_path), ConductorScheduler(conductor)
    trial = _errors(tmp_path, NOTICED)
    for _ in range(2 * DISPLACED_BEFORE_CHARGED):
        trial.config = searcher.suggest("a")
        scheduler.on_trial_error(None, trial)
    assert (conductor.state.trials[0].status, conductor.state.trials[0].retries) == ("interrupted", 0)
    reasons = {
        event.reason for _, event in read_events(tmp_path / "events.jsonl") if isinstance(event, Interrupted)
    }
    assert reasons == {"its node will be taken away: it left after its epoch"}


def test_a_notice_is_not_charged_where_nodes_left_without_one_before(tmp_path) -> None:
    space = space_of(search={"trials": 1, "searcher": "random", "retries": 0})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    for reason, noticed in [*[("its node left", False)] * DISPLACED_BEFORE_CHARGED, ("taken away", True)]:
        assert isinstance(conductor.next_trial(), Assignment)
        conductor.displaced(0, reason, noticed)
    assert (conductor.state.trials[0].status, conductor.state.trials[0].retries) == ("interrupted", 0)


def test_a_node_that_leaves_an_ending_search_brings_no_trial_back(tmp_path) -> None:
    space = space_of(search={"trials": 1, "searcher": "random"})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    assert isinstance(conductor.next_trial(), Assignment)
    conductor.interrupt()
    conductor.displaced(0, "its node left")
    assert conductor.state.trials[0].status == "interrupted"
    assert not conductor.live
