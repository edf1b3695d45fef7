"""The contracts of this package's tables, for the tests of a plugin's author: `from wrn_search.testing import ...`.

    @pytest.mark.parametrize("check", searcher_checks(HALTON), ids=str)
    def test_the_contract(check):
        check()

Nothing of pytest is needed: a check is called without arguments, and raises AssertionError where a rule is broken.
"""

from wrn_search.testing.checks import Check
from wrn_search.testing.dataset_contract import dataset_checks
from wrn_search.testing.searcher_contract import searcher_checks

__all__ = ["Check", "dataset_checks", "searcher_checks"]
