"""Our draws and our Parzen estimator against Optuna's own samplers: resumed searches must go on as they would have."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wrn_search.searchers import tpe
from wrn_search.searchers.optuna_distributions import distribution_of
from wrn_search.searchers.optuna_sampler import OptunaSearcher
from wrn_search.searchers.searcher import COMPARABLE, Crashed, Full, Pruned, SearchedSpace, Searcher
from wrn_search.searchers.tpe import TpeSearcher
from wrn_search.searchers.uniform_draws import UniformDraws
from wrn_search.space.domains import Choice, Domain, IntRange, LogUniform, Uniform, finite_values

pytestmark = pytest.mark.filterwarnings("ignore:The distribution is specified by")


def _intervals(least: float, most: float) -> st.SearchStrategy[tuple[float, float]]:
    ends = st.floats(least, most, allow_subnormal=False)
    return st.tuples(ends, ends).map(sorted).filter(lambda pair: pair[0] < pair[1])  # type: ignore[arg-type]


DOMAIN = st.one_of(
    st.integers(1, 6).map(lambda count: Choice(tuple(range(count)))),
    _intervals(-10, 10).map(lambda ends: Uniform(*ends)),
    _intervals(1e-6, 100).map(lambda ends: LogUniform(*ends)),
    st.tuples(st.integers(1, 50), st.integers(0, 200), st.integers(1, 40)).map(
        lambda given: IntRange(given[0], given[0] + given[1], given[2])
    ),
    st.tuples(st.integers(1, 50), st.integers(1, 2000)).map(
        lambda given: IntRange(given[0], given[0] + given[1], log=True)
    ),
)
DOMAINS = st.lists(DOMAIN, min_size=1, max_size=4).map(
    lambda domains: {f"x{9 - number}": domain for number, domain in enumerate(domains)}
)


def _space(domains: dict[str, Domain], seed: int = 0) -> SearchedSpace:
    sizes = [finite_values(domain) for domain in domains.values()]
    finite = all(values is not None for values in sizes)
    size = math.prod(len(values or ()) for values in sizes) if finite else None
    return SearchedSpace(domains, size, seed)


def _optunas(space: SearchedSpace) -> OptunaSearcher:
    def sampler(seed: int) -> optuna.samplers.TPESampler:
        return optuna.samplers.TPESampler(seed=seed, constant_liar=True, n_startup_trials=10)

    return OptunaSearcher(space, sampler, together=False)


@given(DOMAINS, st.integers(0, 2**31 - 1))
def test_draws_are_those_of_optunas_random_sampler(domains, seed) -> None:
    theirs = optuna.samplers.RandomSampler(seed=seed)
    study = optuna.create_study()
    expected = {
        name: theirs.sample_independent(study, study.trials, name, distribution_of(domain))
        for name, domain in domains.items()
    }
    drawn = UniformDraws(domains).at(seed)
    assert drawn == expected
    for name, domain in domains.items():
        assert type(drawn[name]) is (float if isinstance(domain, Uniform | LogUniform) else int)


def _played(
    searchers: list[Searcher], seed: int, steps: int, sources: tuple[str, ...]
) -> Iterator[list[object]]:
    """Proposals of all searchers in one random history: ties, early ends, waits, crashes, trials at once."""
    generator = random.Random(seed)
    domains = searchers[0]._space.hyperparameters  # type: ignore[attr-defined]
    running: list[int] = []
    waiting: list[int] = []
    proposed = 0
    for _ in range(steps):
        curve = {epoch: float(generator.randint(0, 15)) for epoch in range(1, generator.randint(2, 5))}
        what = generator.random()
        if what < 0.15 and sources:
            found = UniformDraws(domains).at(generator.randrange(10**6))
            source, full = generator.choice(sources), generator.random() < 0.6
            for searcher in searchers:
                searcher.known(source, found, curve, full)
        elif what < 0.55 or not running:
            proposals = [searcher.propose(proposed) for searcher in searchers]
            yield list(proposals)
            if proposals[0] is None:
                return
            for searcher in searchers:
                searcher.proposed(proposed, proposals[0])
            running.append(proposed)
            proposed += 1
        else:
            some = waiting if waiting and what > 0.8 else running
            ended = some.pop(generator.randrange(len(some)))
            early = generator.choice([curve, {}])
            outcome = generator.choice(
                [Full(float(generator.randint(0, 20))), Pruned(curve), Pruned(early), Crashed()]
            )
            if isinstance(outcome, Pruned) and generator.random() < 0.5:
                waiting.append(ended)
            for searcher in searchers:
                searcher.told(ended, outcome)


@settings(max_examples=40, deadline=None)
@given(
    DOMAINS,
    st.integers(0, 10**6),
    st.sampled_from([(), (COMPARABLE,), ("other",), (COMPARABLE, "other", "another")]),
)
def test_proposals_are_those_of_optunas_tpe(domains, seed, sources) -> None:
    space = _space(domains, seed)
    for ours, theirs in _played([_optunas(space), TpeSearcher(space)], seed, 80, sources):
        assert ours == theirs


BOWL = _space({"x": Uniform(0.0, 1.0), "depth": Choice((10, 16, 22))})


def _bowl(searcher: TpeSearcher, trials: int, workers: int = 4) -> list[float]:
    """x of each proposal; errors are lowest at 0.3."""
    found = []
    for number in range(trials):
        hparams = searcher.propose(number)
        assert hparams is not None
        searcher.proposed(number, hparams)
        found.append(float(hparams["x"]))
        if number >= workers:
            searcher.told(number - workers, Full(100 * abs(found[number - workers] - 0.3)))
    return found


def test_beyond_the_bound_few_are_asked_and_a_replay_proposes_alike(monkeypatch) -> None:
    """With a bound of 40 worse ones instead of 1,000."""
    whole = _bowl(TpeSearcher(BOWL), 150)
    monkeypatch.setattr(tpe, "MOST_WORSE", 40)
    searcher, again = TpeSearcher(BOWL), TpeSearcher(BOWL)
    thinned = _bowl(searcher, 150)
    assert thinned[:40] == whole[:40]
    assert thinned[45:] != whole[45:]
    split = searcher._heard.split(4, 40, seed=1)
    assert [len(split.better["x"]), len(split.worse["x"])] == [4, 40]
    best = sorted(thinned[:-4], key=lambda x: abs(x - 0.3))[:4]
    assert sorted(split.better["x"]) == sorted(best)
    assert set(thinned[-4:]) <= set(split.worse["x"])  # those that run
    assert _bowl(again, 150) == thinned
    assert sorted(abs(x - 0.3) for x in thinned[100:])[25] < 0.1


@pytest.mark.parametrize("running", [10, 30, 100])
def test_those_that_run_take_at_most_half_of_the_worse_ones(running) -> None:
    searcher = TpeSearcher(BOWL)
    found = _bowl(searcher, 60 + running, workers=running)
    worse = set(searcher._heard.split(4, 40, seed=1).worse["x"])
    kept = [x for x in found[-running:] if x in worse]
    assert kept == found[-running:][-20:]
    assert len(worse) == 40
