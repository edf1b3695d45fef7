"""The keys of `constraints`: what every network of a search must keep to."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from wrn_search.space.rules.budget_rules import (
    BUDGET,
    IMAGE_SHAPE,
    PREDICTED_WIDTHS,
    Budget,
    PredictedWidths,
)
from wrn_search.space.rules.number_and_text_rules import whole_number
from wrn_search.space.sections.section import Section


class ConstraintSettings(Section):
    """What every network of the search must keep to; only networks that do are proposed."""

    num_params: Annotated[
        Budget | None,
        BUDGET,
        Field(description="trainable parameters: {max: 2.5e6}, or {target: 2.2e6, tolerance: 5%}"),
    ] = None
    macs: Annotated[
        Budget | None, BUDGET, Field(description="multiply-adds of one image: {target: 4.0e8, tolerance: 3%}")
    ] = None
    seconds_per_epoch: Annotated[
        Budget | None,
        BUDGET,
        Field(
            description="of training and validation on the machine that trains, predicted when the search begins: "
            "{max: 20} (docs/budget.md)"
        ),
    ] = None
    peak_memory_bytes: Annotated[
        Budget | None,
        BUDGET,
        Field(
            description="of a trial at the largest batch size of the space, predicted: {max: 2.0e9} (docs/budget.md)"
        ),
    ] = None
    predicted: Annotated[
        PredictedWidths | None,
        PREDICTED_WIDTHS,
        Field(
            description="written by the program: block -> depth -> [least, most] widening factor that the two above "
            "leave, by prediction, so that a resumed search has the same networks"
        ),
    ] = None
    multiple_of: Annotated[
        int | None,
        whole_number(1, 1024, nullable=True),
        Field(
            description="the channels of each group are multiples of it; an interval of widen_factor holds the values "
            "at which 16 k is one (without it: a whole number)"
        ),
    ] = None
    num_classes: Annotated[
        int | None,
        whole_number(2, 100_000, nullable=True),
        Field(description="of the images, where only the files tell (folder, parquet)"),
    ] = None
    image_shape: Annotated[
        tuple[int, int, int] | None,
        IMAGE_SHAPE,
        Field(description="[height, width, channels] of the images, where only the files tell"),
    ] = None
