"""The contract that every searcher keeps (`searchers/searcher.py`), as checks of one kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import product

from wrn_search.searchers.searcher import (
    Crashed,
    Full,
    Hparams,
    Outcome,
    Pruned,
    SearchedSpace,
    Searcher,
    SearcherKind,
)
from wrn_search.space.domains import Choice, Domain, IntRange, LogUniform, Uniform
from wrn_search.testing.checks import Check, must

_FINITE: dict[str, Domain] = {
    "depth": Choice((10, 16, 22)),
    "widen_factor": Choice((1.0, 2.5)),
    "init": Choice(("fan_in", "fan_out")),
}
_MIXED: dict[str, Domain] = {
    "depth": Choice((10, 16)),
    "widen_factor": Choice((1.0, 2.0)),
    "dropout": Uniform(0.0, 0.5),
    "weight_decay": LogUniform(1e-5, 1e-2),
    "batch_size": IntRange(32, 128, 32),
}
_OUTCOMES: tuple[Outcome, ...] = (Full(12.5), Pruned({1: 60.0, 2: 55.0}), Crashed(), Full(90.0), Pruned({}))
_TRIED = 30  # proposals


def searcher_checks(kind: SearcherKind) -> list[Check]:
    """Every rule that a searcher keeps, for this kind.

    Args:
        kind: a line of the table.
    """
    rules: list[tuple[str, Callable[[SearcherKind], None]]] = [
        ("a finite space is tried whole and nothing twice", _whole),
        ("values are Python's own, for every axis in the order of the space", _values),
        ("a proposal is a question that changes nothing", _question),
        ("what was replayed from a record gives the same next proposal", _replayed),
        ("trials may run at once and end in any order", _at_once),
        ("a space without a domain has one configuration", _no_domain),
    ]
    if not kind.needs_finite_space:
        rules += [
            ("values lie within their domains", _within),
            ("the same seed gives the same proposals", _same_seed),
        ]
    if kind.can_be_warm_started:
        rules += [("what another search found is heard before the first proposal", _warm_start)]
    return [Check(rule, partial(check, kind)) for rule, check in rules]


def _space(domains: dict[str, Domain], seed: int = 0) -> SearchedSpace:
    size: int | None = 1
    for domain in domains.values():
        values = domain.options if isinstance(domain, Choice) else getattr(domain, "values", None)
        size = None if size is None or values is None else size * len(values)
    cell = tuple(name for name in ("depth", "widen_factor") if name in domains)
    return replace(SearchedSpace(domains, size, seed, epochs=9), cell=cell)


def _proposals(searcher: Searcher, most: int) -> list[Hparams]:
    """Up to `most` proposals, each told an outcome before the next."""
    proposals: list[Hparams] = []
    while len(proposals) < most and (hparams := searcher.propose(len(proposals))) is not None:
        searcher.proposed(len(proposals), hparams)
        searcher.told(len(proposals), _OUTCOMES[len(proposals) % len(_OUTCOMES)])
        proposals.append(hparams)
    return proposals


def _whole(kind: SearcherKind) -> None:
    points = [tuple(each.values()) for each in _proposals(kind.make(_space(_FINITE)), 50)]
    must(len(points) == len(set(points)), "no configuration may be proposed twice", points)
    every = set(product((10, 16, 22), (1.0, 2.5), ("fan_in", "fan_out")))
    must(
        set(points) == every, f"all {len(every)} configurations must be proposed, then None", f"{len(points)}"
    )


def _values(kind: SearcherKind) -> None:
    for proposal in _proposals(kind.make(_space(_FINITE)), 12):
        must(list(proposal) == list(_FINITE), f"axes must be {list(_FINITE)}", list(proposal))
        types = [type(value) for value in proposal.values()]
        must(types == [int, float, str], "values must have the types of their domain", types)
        must(json.loads(json.dumps(proposal)) == proposal, "values must be kept by JSON", proposal)


def _question(kind: SearcherKind) -> None:
    searcher = kind.make(_space(_FINITE))
    _proposals(searcher, 5)
    first, second = searcher.propose(5), searcher.propose(5)
    must(first == second, "asked twice, a searcher must propose the same", f"{first} and {second}")


def _replayed(kind: SearcherKind) -> None:
    first, second = kind.make(_space(_FINITE)), kind.make(_space(_FINITE))
    for number, hparams in enumerate(_proposals(first, 8)):
        second.proposed(number, hparams)
        second.told(number, _OUTCOMES[number % len(_OUTCOMES)])
    one, other = first.propose(8), second.propose(8)
    must(one == other, "knowledge must come from proposed, told and known alone", f"{one} and {other}")


def _at_once(kind: SearcherKind) -> None:
    searcher, points = kind.make(_space(_FINITE)), set()
    for number in range(12):
        hparams = searcher.propose(number)
        must(hparams is not None, "12 configurations must be proposed before any has ended", number)
        assert hparams is not None
        searcher.proposed(number, hparams)
        points.add(tuple(hparams.values()))
    for number in reversed(range(12)):
        searcher.told(number, Full(float(number)))
    must(len(points) == 12, "12 running configurations must be different ones", len(points))
    must((more := searcher.propose(12)) is None, "after the last configuration comes None", more)


def _no_domain(kind: SearcherKind) -> None:
    proposals = _proposals(kind.make(_space({})), 5)
    must(proposals == [{}], "the one configuration is {}", proposals)


def _within(kind: SearcherKind) -> None:
    proposals = _proposals(kind.make(_space(_MIXED)), _TRIED)
    must(len(proposals) == _TRIED, f"a continuous space must give {_TRIED} proposals", len(proposals))
    for proposal in proposals:
        must(0.0 <= proposal["dropout"] <= 0.5, "dropout must be 0 to 0.5", proposal)  # type: ignore[operator]
        must(1e-5 <= proposal["weight_decay"] <= 1e-2, "weight_decay must be 1e-5 to 1e-2", proposal)  # type: ignore[operator]
        must(proposal["batch_size"] in (32, 64, 96, 128), "batch_size must be 32, 64, 96 or 128", proposal)
        must(proposal["depth"] in (10, 16), "depth must be 10 or 16", proposal)


def _same_seed(kind: SearcherKind) -> None:
    first, second, other = (_proposals(kind.make(_space(_MIXED, seed)), 4) for seed in (0, 0, 1))
    must(first == second, "equal seeds must give equal proposals", f"{first} and {second}")
    must(first != other, "another seed must give other proposals", first)


def _warm_start(kind: SearcherKind) -> None:
    searcher = kind.make(_space(_MIXED))
    known: Hparams = {
        "depth": 10,
        "widen_factor": 1.0,
        "dropout": 0.1,
        "weight_decay": 1e-3,
        "batch_size": 64,
    }
    searcher.known("another search", known, {1: 50.0, 9: 20.0}, True)
    searcher.known("another search", {**known, "dropout": 0.4}, {1: 60.0}, False)
    must(len(_proposals(searcher, 5)) == 5, "a warm-started searcher must propose", "fewer than 5 proposals")
