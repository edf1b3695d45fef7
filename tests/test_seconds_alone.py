"""Which measured seconds count as costs."""

from __future__ import annotations

from wrn_search.seconds_alone import those_that_count


def test_alone_ones_count_and_shared_ones_only_where_there_is_nothing_else() -> None:
    assert those_that_count([(1.0, True), (5.0, False), (2.0, True)]) == ([1.0, 2.0], True)
    assert those_that_count([(4.0, False), (5.0, False)]) == ([4.0, 5.0], False)
    assert those_that_count([]) == ([], False)
