"""The curve model of all searches together: fitted once, audited, and asked everything that the report tells.

Deterministic: every draw follows from one seed. What cannot be told is withheld with the reason, never a traceback.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from wrn_search.analysis.curve_model.best_when_retrained import winner_of
from wrn_search.analysis.curve_model.cells_of_the_space import model_cells, smallest_of
from wrn_search.analysis.curve_model.effect_curves import effect_curves, importance_of_model
from wrn_search.analysis.curve_model.effect_plane import effect_plane
from wrn_search.analysis.curve_model.fit_at_the_end import (
    LEAST,
    draws_of,
    learned_count,
    predicted_ends,
    why_no_ends,
)
from wrn_search.analysis.curve_model.hidden_ends import hidden_ends_of
from wrn_search.analysis.curve_model.listed_networks_compared import contests_of
from wrn_search.analysis.curve_model.model_values import (
    EFFECT_MARGIN,
    Audit,
    CurveModel,
    DivergenceRate,
    Margin,
    TrialEnd,
)
from wrn_search.analysis.curve_model.share_of_products import product_shares
from wrn_search.analysis.curve_model.table_of_curves import MOST, SEED, CurvesOnRecord, curves_on_record
from wrn_search.analysis.curve_model.verdict_lines import hidden_words
from wrn_search.analysis.curve_model.what_next import plan_of, verdicts_of
from wrn_search.analysis.depth_width_map import CellMap
from wrn_search.analysis.input_tables.configurations import Configuration
from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.curves.anchor_audit import audit_by_anchors, audit_of, judged
from wrn_search.curves.curve_fit import CurveFit, fit, fit_at_first_rung
from wrn_search.curves.effects import effects
from wrn_search.curves.ends.ends_of_trials import PredictedEnd, ends_of_trials
from wrn_search.curves.failure_rates import failure_rates
from wrn_search.curves.observed_curves import ObservedCurves
from wrn_search.curves.settings_of_cells import spreads

_AUDITED = 240  # trials of an audit, which fits four times
_FAULTS = (ValueError, ArithmeticError, np.linalg.LinAlgError)


def model_of(
    material: Material,
    configurations: Sequence[Configuration],
    error_map: CellMap,
    seconds: Mapping[int, float],
    margin: Margin | None = None,
) -> CurveModel:
    """What the curves of all trials say; after the first rung only where the end cannot be told or the audit failed."""
    margin = margin or Margin()
    record = curves_on_record(material)
    if record.table is None:
        return CurveModel(why_not=record.why_not, of=record.of, margin=margin)
    told = _Telling(material, record, record.table, configurations, error_map, seconds, margin)
    try:
        return told.model()
    except _FAULTS as error:
        return CurveModel(
            why_not=f"the curve model could not be fitted: {error}", of=record.of, margin=margin
        )


def _spread(chosen: CurveFit, error: float) -> float:
    """Deviation of the ends of trainings of equal settings around an error of so many percent, points.

    Seeds, and what differs between configurations that the model takes for equal; not the counting of images.
    """
    log_odds = float(np.median(np.hypot(*spreads(chosen))))
    return log_odds * error * (100 - error) / 100


class _Telling:
    """One telling of one table."""

    def __init__(
        self,
        material: Material,
        record: CurvesOnRecord,
        table: ObservedCurves,
        configurations: Sequence[Configuration],
        error_map: CellMap,
        seconds: Mapping[int, float],
        margin: Margin,
    ):
        self.material, self.record, self.table = material, record, table
        self.configurations, self.error_map = configurations, error_map
        self.seconds, self.margin = seconds, margin
        self.draws = draws_of(table)
        self.hidden = hidden_ends_of(material)

    def model(self) -> CurveModel:
        """At the end where that can be told, else after the first rung."""
        audit, trained_on, why_not = Audit(0, 0, 0, True), 0, why_no_ends(self.table)
        at_end = everything = None
        ends: list[PredictedEnd] = []
        if not why_not:
            audit = self._audit()
            if audit.passed or self.hidden.ends:
                at_end = fit(self.table, SEED, self.draws)
                everything, ends = predicted_ends(at_end, self.record, self.material, self.configurations)
                audit, trained_on = self._with_hidden(audit, ends)
            if not audit.passed:
                why_not = (
                    f"the audit failed: of {hidden_words(audit, trained_on)} that were hidden from the model only "
                    f"{audit.covered} lay in its 95 % intervals"
                )
                at_end = None
        early = self._early()
        chosen = at_end or early
        if chosen is None:
            return replace(self._empty(), why_not=why_not, audit=audit, trained_on=trained_on)
        told = self._told(chosen, at_end is not None)
        if at_end is not None and everything is not None:
            told = self._with_ends(told, everything, ends)
        if early is not None and early is not chosen and early.table.last_epoch != chosen.table.last_epoch:
            cells = model_cells(early, self.material, self.error_map, self.margin)
            told = replace(told, early=cells, early_epoch=early.table.last_epoch)
        return replace(told, why_not=why_not, audit=audit, trained_on=trained_on)

    def _empty(self) -> CurveModel:
        return CurveModel(
            of=self.record.of, margin=self.margin, remarks=self._remarks(), diverging=self._diverging()
        )

    def _early(self) -> CurveFit | None:
        if learned_count(self.table) < LEAST:
            return None
        found = fit_at_first_rung(self.table, SEED, self.draws)
        return found if len(found.trials) >= LEAST else None

    def _audit(self) -> Audit:
        """By the anchors, with as many other trials as four fits are quick for."""
        anchors = [each for each in self.table.trials if each.anchor]
        if not anchors:
            return Audit(0, 0, 0, True)
        others = [each for each in self.table.trials if not each.anchor]
        if len(anchors) + len(others) > _AUDITED:
            generator = np.random.default_rng(SEED)
            count = min(len(anchors), _AUDITED // 2)
            anchors = [
                anchors[index] for index in sorted(generator.choice(len(anchors), count, replace=False))
            ]
            count = min(len(others), _AUDITED - count)
            others = [others[index] for index in sorted(generator.choice(len(others), count, replace=False))]
        found = audit_by_anchors(replace(self.table, trials=(*anchors, *others)), seed=SEED)
        return Audit(found.anchors, found.hidden_ends, found.covered, found.passed)

    def _with_hidden(self, anchors: Audit, ends: Sequence[PredictedEnd]) -> tuple[Audit, int]:
        """The audit of anchors together with the ends that `audit` trained stopped trials on to, and their number."""
        measured = {str(place): end for place, end in self.hidden.ends.items()}
        unseen = (each for each in ends if each.measured is None)
        later = audit_of(0, unseen, measured, self.table.images)
        both = judged(
            anchors.anchors, anchors.hidden_ends + later.hidden_ends, anchors.covered + later.covered
        )
        return Audit(both.anchors, both.hidden_ends, both.covered, both.passed), later.hidden_ends

    def _told(self, chosen: CurveFit, at_end: bool) -> CurveModel:
        cells = model_cells(chosen, self.material, self.error_map, self.margin)
        pairs = [(cell.depth, cell.widen_factor) for cell in cells]
        found = effects(chosen, EFFECT_MARGIN, pairs)
        ends = ends_of_trials(chosen)
        curves = effect_curves(chosen, found, cells, ends)
        verdicts = verdicts_of(chosen, found, pairs, curves)
        plan, why_no_next = plan_of(chosen, found, verdicts, self.material, pairs, self.seconds)
        if not at_end:
            plan, why_no_next = (), "a plan aims at the end, of which nothing can be told yet"
        return replace(
            self._empty(),
            epoch=chosen.table.last_epoch,
            at_end=at_end,
            trials=len(chosen.trials),
            verdicts=verdicts,
            cells=cells,
            smallest=smallest_of(cells),
            contests=contests_of(chosen, self.material, self.margin),
            spread=_spread(chosen, min(cell.estimate for cell in cells)),
            curves=curves,
            plane=effect_plane(chosen, cells, ends),
            importance=importance_of_model(chosen),
            products=product_shares(chosen),
            next=plan,
            why_no_next=why_no_next,
        )

    def _with_ends(self, told: CurveModel, everything: CurveFit, ends: Sequence[PredictedEnd]) -> CurveModel:
        """Adds what only a fit of the end can tell."""
        return replace(
            told,
            winner=winner_of(everything, self.configurations, self.table.chance_error),
            ends=tuple(
                TrialEnd(int(end.trial), end.estimate, end.low, end.high)
                for end in ends
                if end.measured is None
            ),
        )

    def _remarks(self) -> tuple[str, ...]:
        found = list(self.hidden.remarks)
        if self.record.of > MOST:
            found.append(
                f"The curve model was fitted to a random sample of {len(self.table.trials):,} of "
                f"{self.record.of:,} trials."
            )
        if self.record.left_out:
            found.append(
                f"The curve model leaves out {', '.join(self.record.left_out)}: not every trial has a value on record."
            )
        return tuple(found)

    def _diverging(self) -> tuple[DivergenceRate, ...]:
        """Rates of the cells that were tried, where any training diverged."""
        if not any(each.status == "diverged" for each in self.table.trials):
            return ()
        return tuple(
            DivergenceRate(
                int(each.depth), each.widen_factor, each.rate, each.low, each.high, each.failed, each.n
            )
            for each in failure_rates(self.table)
        )
