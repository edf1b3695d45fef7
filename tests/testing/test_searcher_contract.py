"""Every searcher of the table keeps the contract that plugins are given; one that breaks a rule is found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wrn_search.searchers.random_search import RANDOM
from wrn_search.searchers.searcher import Hparams, SearchedSpace, SearcherKind
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.testing import Check, searcher_checks

CHECKS = [(name, check) for name, kind in SEARCHERS.items() for check in searcher_checks(kind)]


@pytest.mark.parametrize(("name", "check"), CHECKS, ids=[f"{name}: {check}" for name, check in CHECKS])
def test_the_contract(name: str, check: Check) -> None:
    check()


class Broken:
    """Random search with one rule broken."""

    def __init__(self, space: SearchedSpace, how: str):
        self._searcher = RANDOM.make(replace(space, seed=0) if how == "seed" else space)
        self._how, self._asked, self._proposed = how, 0, 0

    def propose(self, configuration: int) -> Hparams | None:
        self._asked += 1
        if self._how == "forgets":
            configuration = 0
        if self._how == "counts":
            configuration += self._asked
        if self._how == "few" and self._proposed > 3:
            return None
        hparams = self._searcher.propose(configuration)
        if hparams and self._how == "order":
            return dict(reversed(hparams.items()))
        if hparams and self._how == "outside" and "dropout" in hparams:
            return {**hparams, "dropout": 0.7}
        return hparams

    def proposed(self, configuration: int, hparams: Hparams) -> None:
        self._proposed += 1
        if self._how != "forgets":
            self._searcher.proposed(configuration, hparams)

    def told(self, configuration: int, outcome: object) -> None:
        pass

    def known(self, source: str, hparams: Hparams, curve: object, full: bool) -> None:
        pass


@pytest.mark.parametrize(
    ("how", "rule"),
    [
        ("forgets", "nothing twice"),
        ("counts", "changes nothing"),
        ("few", "tried whole"),
        ("order", "in the order of the space"),
        ("outside", "within their domains"),
        ("seed", "same seed"),
    ],
)
def test_a_searcher_that_breaks_a_rule_is_found(how: str, rule: str) -> None:
    checks = searcher_checks(SearcherKind(lambda space: Broken(space, how)))
    (check,) = [each for each in checks if rule in str(each)]
    with pytest.raises(AssertionError, match=", but got "):
        check()
