"""Which measured seconds are costs: those of epochs that had their device alone. The one rule for all who ask.

An epoch beside another trial takes longer by what the other does, which says nothing of its own network. Where no epoch
was alone the shared ones are all that is known: who plans goes by them and says so, who compares networks shows none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

Value = TypeVar("Value")

NONE_ALONE = "no epoch had its device alone"


def those_that_count(measured: Iterable[tuple[Value, bool]]) -> tuple[list[Value], bool]:
    """(what counts, whether it is a cost) of (value, whether its epoch was alone): the alone ones, or all if none was.

    Of nothing: nothing, which is no cost.
    """
    told = list(measured)
    alone = [value for value, is_alone in told if is_alone]
    return (alone, True) if alone else ([value for value, _ in told], False)
