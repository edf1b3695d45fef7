"""The keys of `search`: which searcher, which scheduler, how many trials, what is known and what may be spent."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from wrn_search.schedulers.scheduler_table import SCHEDULERS
from wrn_search.searchers.searcher_table import SEARCHERS, names_of
from wrn_search.space.domains import Scalar
from wrn_search.space.rules.keys_with_own_rules import (
    OF_A_PLUGIN,
    RUNGS,
    WARM_START,
)
from wrn_search.space.rules.network_and_point_rules import points_leaf, prior_leaf
from wrn_search.space.rules.number_and_text_rules import one_of, real_number, true_or_false, whole_number
from wrn_search.space.rules.search_budget_rules import SEARCH_BUDGET, SearchBudget
from wrn_search.space.section_keys import ModelSettings, of_points, searchable
from wrn_search.space.sections.section import Section
from wrn_search.space.sections.training_keys import TrainingSettings

DEFAULT_TRIALS = 64
MAX_TRIALS = 1_000_000
GOALS = ("best", "tradeoff")


class SearchSettings(Section):
    """What the search itself is told."""

    searcher: Annotated[
        str,
        one_of(*SEARCHERS, otherwise=OF_A_PLUGIN),
        Field(
            description=f"proposes configurations; those that learn from results: {', '.join(names_of(learns=True))}"
        ),
    ] = "tpe"
    scheduler: Annotated[
        str, one_of(*SCHEDULERS), Field(description="who goes on at a rung; curves: by expected ends")
    ] = "asha"
    goal: Annotated[
        str,
        one_of(*GOALS),
        Field(
            description="of searcher curves and scheduler curves: best, the best configuration; tradeoff, what settles "
            "depth against width and regularisation with the fewest epochs (docs/search-by-curves.md)"
        ),
    ] = GOALS[0]
    rungs: Annotated[
        str | tuple[int, ...],
        RUNGS,
        Field(
            description="epochs at which trials are compared: after each learning-rate drop (none: at 1/54, 1/18, 1/6 "
            "and 1/2, of wsd before its cooldown; scheduler curves: after 1, 2, 4, 8, ... epochs and each drop; never "
            "within a warm-up), geometric, or a list"
        ),
    ] = "schedule"
    grace_period: Annotated[
        int,
        whole_number(1, 100_000),
        Field(
            description="first rung of `geometric`, in epochs; scheduler median has no rung before it, and no earlier "
            "epoch is in its averages"
        ),
    ] = 3
    reduction_factor: Annotated[
        int, whole_number(2, 1000), Field(description="eta: at a rung the best one in eta goes on")
    ] = 3
    promote: Annotated[
        bool,
        true_or_false(),
        Field(
            description="asha and hyperband let a trial that does not go on at a rung wait, to go on once enough "
            "others were worse; false ends it"
        ),
    ] = True
    brackets: Annotated[
        int | None,
        whole_number(1, 1000, nullable=True),
        Field(
            description="of scheduler hyperband, those with the most rungs first; null is one that begins at each rung "
            "and one that has none, which are the most that there can be; of asha, each smaller by eta, later ones go "
            "past first rungs: null is 2 where rungs begin early, else 1"
        ),
    ] = None
    min_samples: Annotated[
        int,
        whole_number(1, MAX_TRIALS),
        Field(description="scheduler median stops no trial at a rung before so many others have been there"),
    ] = 3
    trials: Annotated[
        int | None,
        whole_number(1, MAX_TRIALS, nullable=True),
        Field(
            description="configurations; null is the whole grid for searcher grid, else as many as `budget` pays for, "
            "else 64"
        ),
    ] = None
    repeats: Annotated[
        int, whole_number(1, 1000), Field(description="seeds per configuration; rows = trials * repeats")
    ] = 1
    anchors: Annotated[
        float,
        real_number(0, 0.5),
        Field(
            description="share of the configurations that are drawn at random before any result and never stopped"
        ),
    ] = 0.1
    anchor_epochs: Annotated[
        float,
        real_number(0, 1),
        Field(
            description="share of the epochs that anchors may cost beyond other trials, fewer are drawn where early "
            "rungs would make them cost more; 1 for whatever they cost"
        ),
    ] = 0.1
    points: Annotated[
        tuple[dict[str, Scalar], ...],
        points_leaf(of_points()),
        Field(
            description="configurations that are tried first, in this order: [{depth: 16, dropout: 0.3}, ...]; what "
            "one leaves out is drawn at random; where no key has a domain they are the space: nothing else is tried"
        ),
    ] = ()
    prior: Annotated[
        dict[str, Scalar] | None,
        prior_leaf(searchable(ModelSettings, TrainingSettings)),
        Field(
            description="what is believed to be good, and how surely: {dropout: 0.3, confidence: medium}; 5 % (low), "
            "10 % (medium) or 15 % (high) of the configurations are drawn around it, which is all that it can cost"
        ),
    ] = None
    warm_start: Annotated[
        tuple[str, ...],
        WARM_START,
        Field(
            description="results directories of other searches that the searcher learns from before it begins"
        ),
    ] = ()
    max_hours: Annotated[
        float | None,
        real_number(0, 100_000, above=True, nullable=True),
        Field(description="wall hours after which no epoch is begun"),
    ] = None
    budget: Annotated[
        SearchBudget | None,
        SEARCH_BUDGET,
        Field(
            description="what the whole search may spend, over all its sessions: {epochs: 2000}, {hours: 8}, "
            "{gpu_hours: 12}, {network_passes: 1e15} (multiply-adds x images trained on), or several; nothing is begun "
            "that could not be compared with what is left (docs/budget.md)"
        ),
    ] = None
    stop_when: Annotated[
        str | None,
        one_of("decided", nullable=True),
        Field(
            description="decided: the search ends when depth against width, the winner and the smallest network as "
            "good are answered, each at 99 % in two looks in a row"
        ),
    ] = None
    retries: Annotated[
        int,
        whole_number(0, 1000),
        Field(description="further tries of a trial whose process dies or whose checkpoint is damaged"),
    ] = 2
    trial_timeout: Annotated[
        float | None,
        real_number(0, 10_000_000, above=True, nullable=True),
        Field(
            description="seconds that one epoch may take, validation included, and the measuring of an objective; "
            "then the process is ended"
        ),
    ] = None
    max_failed_share: Annotated[
        float,
        real_number(0, 1),
        Field(
            description="a session ends when 10 trials have ended in it and more than this share has failed"
        ),
    ] = 0.5
    keep_checkpoints: Annotated[
        int,
        whole_number(1, 1_000_000),
        Field(
            description="of so many best configurations at full epochs a checkpoint stays to export, with repeats that "
            "of the repeat nearest the median"
        ),
    ] = 3
    seed: Annotated[
        int, whole_number(0, 2**31 - 1), Field(description="every other seed is derived from it")
    ] = 0
