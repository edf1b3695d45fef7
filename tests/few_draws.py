"""Fits with as few draws as those of a large table, for tests that ask what is said and chosen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from wrn_search.analysis.curve_model import fit_at_the_end


@pytest.fixture(scope="module")
def few_draws() -> Iterator[None]:
    """Most of a fit's time goes into its draws."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit_at_the_end, "DRAWS", fit_at_the_end.DRAWS_OF_MANY)
        yield
