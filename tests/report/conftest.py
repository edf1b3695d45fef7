"""The browser in which the tests of the report look at its page; fits that are quick."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.few_draws import few_draws
from tests.report.html.browser import Browser, running_browser

__all__ = ["few_draws"]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One for each file of tests."""
    with running_browser(tmp_path_factory.mktemp("chromium") / "profile") as running:
        yield running
