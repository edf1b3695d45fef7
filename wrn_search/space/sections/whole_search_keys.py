"""The keys of a space file that stand in no section: rule and meaning of each."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from wrn_search.space.rules.keys_with_own_rules import NAME, OBJECTIVES, ON_END, TRACKERS
from wrn_search.space.rules.number_and_text_rules import one_of, plain_text, text
from wrn_search.space.sections.recipes import PROTOCOLS, RECIPES

Name = Annotated[
    str,
    NAME,
    Field(description="the results go to results/<name>; default: the file's name"),
]
Description = Annotated[
    str,
    text(
        "must be text of at most 10000 characters, none of them a control character",
        lambda value: len(value) <= 10_000 and plain_text(value, also="\n\t"),
    ),
    Field(description="what the search asks, what it costs, what to expect"),
]
Recipe = Annotated[
    str | None,
    one_of(*RECIPES, nullable=True),
    Field(
        description="a published recipe fills in what the file leaves out, and any key overrides it "
        "(docs/recipes.md): the authors' code for CIFAR, SVHN or ImageNet"
    ),
]
Protocol = Annotated[
    str,
    one_of(*PROTOCOLS),
    Field(
        description="search: validation errors choose, and the test split stays closed. test_each, for published "
        "tables: each network of a grid or of search.points is trained on all training images, and its test error "
        "is read once, at its end (docs/recipes.md)"
    ),
]
Objectives = Annotated[
    tuple[str, ...],
    OBJECTIVES,
    Field(
        description="what is minimised: val_error, and with several of them the front of all (`docs/objectives.md`)"
    ),
]
OnEnd = Annotated[
    tuple[str, ...],
    ON_END,
    Field(
        description="a command and its arguments that is run when a session of the search has ended, without a "
        "shell; it gets the verdict as JSON on stdin"
    ),
]
Trackers = Annotated[
    tuple[str, ...],
    TRACKERS,
    Field(
        description="where the search can be followed beside its own files: csv, mlflow, wandb (offline); "
        "docs/trackers.md"
    ),
]
