"""What the curve model is asked for a report: planted truths are found, all else is withheld with its reason."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.planted import Plan, plant, space_of, trial_rows
from wrn_search.analysis.all_findings import findings_from, to_json
from wrn_search.analysis.curve_model import model_of_curves
from wrn_search.analysis.curve_model.best_when_retrained import expected_when_retrained
from wrn_search.analysis.curve_model.beyond_the_sample import told_of
from wrn_search.analysis.curve_model.model_values import Margin
from wrn_search.analysis.curve_model.table_of_curves import curves_on_record
from wrn_search.analysis.input_tables.joined_tables import material_of
from wrn_search.curves.curve_fit import fit
from wrn_search.curves.ends.ends_of_trials import ends_of_trials
from wrn_search.curves.winner_and_smallest import retrained

MODEL = {
    "depth": {"choice": [10, 16, 28]},
    "widen_factor": {"choice": [1, 2, 4, 8]},
    "dropout": {"uniform": [0.0, 0.5]},
}
ASHA = {"searcher": "random", "scheduler": "asha", "trials": 40, "reduction_factor": 2}
VERDICT = {"question", "unit", "effect", "low", "high", "kind", "verdict", "trainings_to_decide"}


def law(leaves, num_params):
    """Width halves, depth does nothing, dropout is best at 0.2."""
    error = 24 * leaves["widen_factor"] ** -0.5 * math.exp(2.0 * (leaves["dropout"] - 0.2) ** 2 / 0.3**2 / 4)
    return float(error)


PLAN = Plan(model=MODEL, search=ASHA, error=law, noise=0.3, jitter=1.0, ends={2: ("failed", "boom")})


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    return material_of([plant(tmp_path_factory.mktemp("model") / "results", PLAN)])


@pytest.fixture(scope="module")
def findings(material):
    return findings_from(material)


@pytest.fixture(scope="module")
def fitted(material):
    return fit(curves_on_record(material).table, draws=150)


def by_question(findings):
    return {each.question: each for each in findings.model.verdicts}


def test_the_planted_effects_are_found(findings):
    found = by_question(findings)
    assert list(found) == ["depth", "width", "depth_vs_width", "dropout"]
    assert (found["width"].verdict, found["width"].kind) == ("helps", "predicted")
    assert found["width"].low < 0.5**0.5 * 1.03
    assert found["width"].high > 0.5**0.5 * 0.9  # the odds of an error fall a little faster than the error
    assert found["depth"].low < 1 < found["depth"].high
    assert found["depth_vs_width"].verdict == "hurts"  # width is worth more
    (dropout,) = findings.model.curves
    assert dropout.best_low < 0.2 < dropout.best_high
    assert findings.model.importance[0].name == "widen_factor"
    assert sum(each.share for each in findings.model.importance) == pytest.approx(1)


def test_a_value_that_is_best_in_the_middle_is_told_against_the_worst(tmp_path):
    """Its slope is none, and "no difference" would be false: a learning rate ten times off doubles the error."""

    def bent(leaves, num_params):
        return float(5 * 2 ** abs(math.log10(leaves["learning_rate"] / 0.03)) ** 1.5)

    training = {"epochs": 10, "learning_rate": {"loguniform": [0.003, 0.3]}}
    plan = Plan(model={"depth": 16, "widen_factor": 2}, training=training, search=ASHA, error=bent, noise=0.2)
    found = findings_from(material_of([plant(tmp_path / "bent", plan)]))
    (verdict,) = found.model.verdicts
    assert verdict.question == "learning_rate"
    assert verdict.unit.startswith("from 0.0")
    assert (verdict.verdict, verdict.trainings_to_decide) == ("hurts", 0)
    assert 1.1 < verdict.low < verdict.effect < verdict.high
    assert found.answer.lines[0].text.startswith("from 0.0")


def test_every_cell_of_the_space_has_an_estimate_and_an_interval_that_holds_its_truth(findings):
    cells = findings.model.cells
    assert {(each.depth, each.widen_factor) for each in cells} == {
        (depth, float(width)) for depth in (10, 16, 28) for width in (1, 2, 4, 8)
    }
    truths = [law({"widen_factor": each.widen_factor, "dropout": each.at["dropout"]}, 0) for each in cells]
    covered = [each.low <= truth <= each.high for each, truth in zip(cells, truths, strict=True)]
    assert sum(covered) >= 10  # of 12 at 95 %
    assert {each.kind for each in cells} == {"measured", "predicted"}
    assert all((each.kind == "measured") == (each.n > 0) for each in cells)
    assert findings.model.early_epoch == 3
    assert {each.kind for each in findings.model.early} <= {"measured", "predicted"}


def test_ends_of_stopped_trials_are_predicted_and_hold_what_they_would_have_reached(findings):
    finals = [row["final"] for row in trial_rows(PLAN, space_of(PLAN))]
    ends = findings.model.ends
    assert {each.trial for each in ends} == {
        place for place, trial in enumerate(findings.trials) if trial.status == "stopped"
    }
    assert np.mean([each.low <= finals[each.trial] <= each.high for each in ends]) >= 0.85


def test_the_json_has_the_promised_keys(findings):
    told = json.loads(json.dumps(to_json(findings), allow_nan=False))
    assert [set(each) for each in told["verdicts"]] == [VERDICT] * 4
    assert len(told["cells"]) == 12
    assert all(
        {"estimate", "low", "high", "kind", "at", "lowest", "highest"} <= set(each) for each in told["cells"]
    )
    assert all(set(each["at"]) == {"dropout"} for each in told["cells"])
    best = told["best"]
    assert best["expected_low"] < best["expected"] < best["expected_high"]
    for trial in told["trials"]:
        assert (trial["predicted_end"] is not None) == (trial["status"] == "stopped")
        if trial["predicted_end"] is not None:
            assert trial["predicted_low"] <= trial["predicted_end"] <= trial["predicted_high"]
    assert told["audit"] == {"anchors": 0, "hidden_ends": 0, "covered": 0, "passed": True}
    assert isinstance(told["next"], list)


def test_the_same_record_gives_the_same_findings(material, findings):
    assert findings_from(material).model == findings.model


def test_what_a_training_costs_follows_from_its_multiply_adds(findings, material):
    for each in findings.model.next:
        row = material.trials[material.trials["network"] == each.network].iloc[0]
        assert each.hours == pytest.approx(findings.max_epochs * (1 + row["macs"] / 1e9) / 3600, rel=1.0)


def test_too_few_trials_are_a_reason_and_no_traceback(tmp_path):
    plan = replace(PLAN, search={**ASHA, "trials": 4})
    found = findings_from(material_of([plant(tmp_path / "few", plan)])).model
    assert (found.epoch, found.verdicts, found.cells) == (None, (), ())
    assert found.why_not.startswith("at least 6 trials must have learned something for the curve model, but")


def test_without_ends_everything_is_told_after_the_first_rung(tmp_path):
    ends = dict.fromkeys(range(40), ("running", None))
    found = findings_from(material_of([plant(tmp_path / "open", replace(PLAN, ends=ends))]))
    model = found.model
    assert (model.at_end, model.winner, model.ends) == (False, None, ())
    assert model.epoch == 3
    assert "at least 2 trials that reached epoch 10, but none has" in model.why_not
    assert len(model.cells) == 12
    assert found.answer.lines[0].sentence.startswith("Not the end: all of this is after epoch 3")


def test_a_failed_audit_falls_back_to_the_first_rung(tmp_path):
    """Anchors whose ends are nothing like what came before, where many others end as their curves promise."""
    search = {"searcher": "random", "scheduler": "none", "trials": 30}
    material = material_of([plant(tmp_path / "lies", replace(PLAN, search=search))])
    full = material.completed.index[:3]
    trials = material.trials.assign(anchor=material.trials.index.isin(full))
    epochs = material.epochs.copy()
    ends = epochs["trial"].isin(full) & (epochs["epoch"] == material.max_epochs)
    epochs.loc[ends, "val_error"] = 80.0
    found = findings_from(replace(material, trials=trials, epochs=epochs))
    audit = found.model.audit
    assert (audit.anchors, audit.hidden_ends, audit.passed) == (len(full), len(full), False)
    assert (found.model.at_end, found.model.epoch) == (False, 1)
    assert found.model.why_not.startswith("the audit failed: of ")
    assert {each.kind for each in found.model.verdicts} == {"measured"}  # every trial reached that rung


@pytest.mark.parametrize("fault", [ValueError("no"), np.linalg.LinAlgError("not positive definite")])
def test_a_model_that_cannot_be_fitted_is_a_reason(material, monkeypatch, fault):
    def broken(*args, **kwargs):
        raise fault

    monkeypatch.setattr(model_of_curves, "fit", broken)
    found = findings_from(material)
    assert found.model.why_not == f"the curve model could not be fitted: {fault}"
    assert found.answer.best is not None


def test_the_margin_decides_how_small_a_network_is_as_good(material, findings):
    wide = findings_from(material, Margin(50.0, 0.0)).model
    assert {each.standing for each in wide.cells} == {"as good"}
    assert wide.smallest.network == "WRN-10-1"
    assert wide.smallest.num_params < findings.model.smallest.num_params


def test_a_fit_told_of_its_own_trials_is_itself(fitted):
    again = told_of(fitted, fitted.trials)
    assert ends_of_trials(again) == ends_of_trials(fitted)
    known = [each for each in fitted.trials if each.status == "completed"]
    some = [*known, *[each for each in fitted.trials if each.status == "stopped"][:5]]
    alone = {each.trial: each for each in ends_of_trials(told_of(fitted, some))}
    whole = {each.trial: each for each in ends_of_trials(fitted)}
    found = [(alone[name].estimate, whole[name].estimate) for name in alone]
    # not to the digit: the prior of what known ends say goes by the deviations of all trials that are told of
    assert found == [(one, pytest.approx(one, rel=0.02)) for one, _ in found]
    assert told_of(fitted, []) is None


def test_all_configurations_at_once_are_expected_as_each_alone(fitted):
    draws = expected_when_retrained(fitted)
    for trial in fitted.trials[::9]:
        alone, here = retrained(fitted, trial.trial), draws[int(trial.trial)]
        assert here.mean() == pytest.approx(alone.expected, rel=0.03)
        assert np.quantile(here, 0.975) == pytest.approx(alone.high, rel=0.1)
