"""Leaves that name what Parquet files and file names tell of images: columns, and what belongs together."""

from __future__ import annotations

from wrn_search.space.rules.number_and_text_rules import plain_text, text

COLUMN = text(
    "must be the name of a column, without control characters",
    lambda value: bool(value) and plain_text(value),
    nullable=True,
)
GROUPS = text(
    "must be the name of a column, or a pattern with one group, as in '(patient[0-9]+)_', without control characters",
    lambda value: bool(value) and plain_text(value),
    nullable=True,
)
