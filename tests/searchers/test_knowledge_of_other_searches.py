"""Which values of other searches stand beside ours, and which are told by their ranks."""

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from tests.decisions.playing import space_of
from wrn_search.searchers.knowledge_of_other_searches import together
from wrn_search.searchers.optuna_sampler import OptunaSearcher
from wrn_search.searchers.searcher import COMPARABLE, Full, Pruned
from wrn_search.searchers.searcher_table import SEARCHERS

WARM = [name for name, kind in SEARCHERS.items() if kind.can_be_warm_started]
DOMAIN = {"dropout": optuna.distributions.FloatDistribution(0.0, 0.5)}


def _full(val_error: float) -> FrozenTrial:
    return optuna.trial.create_trial(params={"dropout": 0.1}, distributions=DOMAIN, value=val_error)


def _stopped_here(*curves: dict[int, float]) -> list[FrozenTrial]:
    """Trials as Optuna itself keeps those that were told PRUNED: the last early value is their `value`."""
    study = optuna.create_study()
    for curve in curves:
        trial = study.ask(DOMAIN)
        for epoch, error in curve.items():
            trial.report(error, epoch)
        study.tell(trial, state=TrialState.PRUNED)
    return study.get_trials()


def test_early_values_have_no_place_among_full_ones() -> None:
    """40 stopped trials with low early values must not push our two full ones to the end of the ranking."""
    own = [_full(10.0), _full(30.0), *_stopped_here(*[{1: 5.0}] * 40)]
    assert {trial.value for trial in own[2:]} == {5.0}
    pooled = together(own, {"other": [_full(80.0), _full(90.0)]})
    full = sorted(trial.value for trial in pooled if trial.state == TrialState.COMPLETE)
    assert full == [0.25, 0.25, 0.75, 0.75]
    assert all(trial.value is None for trial in pooled if trial.state == TrialState.PRUNED)


def test_early_values_are_ranked_among_those_of_their_step() -> None:
    other = _stopped_here({2: 90.0}, {2: 80.0}, {2: 85.0, 5: 60.0})
    own = _stopped_here({2: 20.0}, {2: 10.0})
    steps = [trial.intermediate_values for trial in together(own, {"other": other})]
    assert steps == [
        {2: pytest.approx(5 / 6)},
        {2: pytest.approx(1 / 6)},
        {2: pytest.approx(3 / 6), 5: 0.5},
        {2: 0.75},
        {2: 0.25},
    ]


def test_values_of_the_same_split_and_epochs_are_used_as_they_are() -> None:
    pooled = together([_full(10.0)], {COMPARABLE: [_full(20.0), _full(5.0)]})
    assert [trial.value for trial in pooled] == [20.0, 5.0, 10.0]


def test_they_count_as_ours_beside_a_search_that_cannot_be_compared() -> None:
    pooled = together([_full(10.0)], {COMPARABLE: [_full(20.0)], "other": [_full(70.0)]})
    assert [trial.value for trial in pooled] == [0.5, 0.75, 0.25]


@pytest.mark.parametrize("name", WARM)
@pytest.mark.parametrize("source", [COMPARABLE, "other"])
def test_knowledge_counts_whenever_it_comes_and_a_question_leaves_no_trace(name, source) -> None:
    """What was joined for one proposal is not kept for the next, when more is known."""
    space = space_of(search={"searcher": name, "trials": 40}).searched

    def proposals(ask_between: bool) -> list[object]:
        searcher = SEARCHERS[name].make(space)
        drawn = []
        for number in range(25):
            if number < 20:
                searcher.known(source, {"dropout": 0.02 * number}, {10: 10.0 + number}, True)
            hparams = searcher.propose(number)
            drawn.append(hparams)
            assert not ask_between or searcher.propose(number) == hparams
            searcher.proposed(number, hparams)
            told = Full(50.0 + number) if number % 2 else Pruned({1: 5.0})
            searcher.told(number, told)
        return drawn

    assert proposals(ask_between=False) == proposals(ask_between=True)


def test_all_draws_of_one_proposal_ask_one_study(monkeypatch) -> None:
    """A finite space that is all but tried takes 20 draws; each of them joined all trials anew."""
    space = space_of(model={"depth": {"choice": [10, 16, 22]}}, search={"trials": 3}).searched
    searcher = OptunaSearcher(space, lambda seed: optuna.samplers.TPESampler(seed=seed), together=False)
    for depth in (10, 16, 22):
        searcher.known("other", {"depth": depth}, {10: float(depth)}, True)
    for number, depth in enumerate((10, 16)):
        searcher.proposed(number, {"depth": depth})
        searcher.told(number, Full(1.0))
    joined = []
    create = optuna.create_study
    monkeypatch.setattr(optuna, "create_study", lambda **options: joined.append(1) or create(**options))
    assert searcher.propose(2) == {"depth": 22}
    assert len(joined) == 1
