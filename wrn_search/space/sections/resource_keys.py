"""The keys of `resources`: what a trial gets of the machines, and how many run at once."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from wrn_search.space.rules.keys_with_own_rules import GPU_SHARE, auto_or_count
from wrn_search.space.sections.section import Section


class ResourceSettings(Section):
    """What a trial gets, and how many run at once."""

    gpus_per_trial: Annotated[
        str | float,
        GPU_SHARE,
        Field(
            description="auto is the smallest share of a GPU that holds the trial by prediction, 0 without a GPU; with "
            "2, 4 or 8 a trial trains on so many of one machine (docs/gpus.md)"
        ),
    ] = "auto"
    cpus_per_trial: Annotated[
        str | int, auto_or_count(4096), Field(description="also the trial's threads")
    ] = "auto"
    concurrent: Annotated[str | int, auto_or_count(100_000), Field(description="trials at once")] = "auto"
