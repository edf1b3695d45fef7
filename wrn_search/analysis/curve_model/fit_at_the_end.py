"""The fit that predicts ends: when there are trials enough for it, and every end that it predicts."""

from __future__ import annotations

from collections.abc import Sequence

from wrn_search.analysis.curve_model.beyond_the_sample import Beyond
from wrn_search.analysis.curve_model.table_of_curves import MOST, CurvesOnRecord
from wrn_search.analysis.input_tables.configurations import Configuration
from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.curves.curve_fit import CurveFit, learned
from wrn_search.curves.ends.ends_of_trials import PredictedEnd, ends_of_trials
from wrn_search.curves.observed_curves import ObservedCurves
from wrn_search.wording import plural

LEAST = 6  # trials that learned: fewer say less than the priors
LEAST_ENDS = 2  # of them trained to the end
DRAWS, DRAWS_OF_MANY, MANY = 300, 120, 400  # of the posterior; fewer where there are so many trials


def draws_of(table: ObservedCurves) -> int:
    """How many draws a fit of this table takes."""
    return DRAWS if len(table.trials) <= MANY else DRAWS_OF_MANY


def learned_count(table: ObservedCurves) -> int:
    """Trials that learned something."""
    return sum(learned(each, table) for each in table.trials)


def why_no_ends(table: ObservedCurves) -> str:
    """Why nothing can be told of the end; empty where it can."""
    count = learned_count(table)
    if count < LEAST:
        return (
            f"at least {LEAST} trials must have learned something for the curve model, but "
            f"{plural(count, 'trial')} did"
        )
    last = table.last_epoch
    ends = sum(
        learned(each, table) and each.epochs[-1] == last and each.status == "completed"
        for each in table.trials
    )
    if ends < LEAST_ENDS:
        return (
            f"what early epochs say of the end takes at least {LEAST_ENDS} trials that reached epoch {last}, but "
            f"{'none has' if not ends else '1 has'}"
        )
    return ""


def predicted_ends(
    chosen: CurveFit,
    record: CurvesOnRecord,
    material: Material,
    configurations: Sequence[Configuration],
) -> tuple[CurveFit, list[PredictedEnd]]:
    """The fit told of whoever may win, and the ends of all trials, also of those that no sample holds."""
    if record.of <= MOST:
        return chosen, list(ends_of_trials(chosen))
    beyond = Beyond(chosen, material, configurations)
    return beyond.candidates(), list(beyond.ends())
