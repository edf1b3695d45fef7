"""Findings whose every text from outside tries to act: names, errors, files, versions."""

from __future__ import annotations

from dataclasses import replace

from tests.report.made import findings
from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.curve_model.verdict_lines import Line
from wrn_search.analysis.failures import Reason
from wrn_search.analysis.paper_tables.paper_comparison import Paper
from wrn_search.analysis.provenance import Provenance
from wrn_search.analysis.statistics.errors_by_class import ClassError

HOSTILE = "</script><img src=x onerror=alert(1)>&\"'<a href='javascript:alert(1)'>\u2028\x1b[31m%{x}@ink"


def hostile_findings() -> Findings:
    """The findings of `made` with that text wherever text comes from outside."""
    found = findings()
    names = dict.fromkeys(("search", "name", "network", "trial_id", "error", "device"), HOSTILE)
    rows = tuple(
        replace(trial, **names, hparams={HOSTILE: HOSTILE, **trial.hparams}) for trial in found.trials
    )
    search, origin, part = found.searches[0], found.provenance[0], found.slices[0]
    points = tuple(replace(point, value=HOSTILE) for point in part.points)
    assert found.confirm is not None
    classes = (ClassError.of(HOSTILE, 10, [1]), ClassError.of(f"{HOSTILE} again", 10, [1]))
    finalists = tuple(replace(each, network=HOSTILE, classes=classes) for each in found.confirm.finalists)
    return replace(
        found,
        title=HOSTILE,
        trials=rows,
        searches=(replace(search, name=HOSTILE, path=HOSTILE), replace(search, trials=0, name=HOSTILE)),
        provenance=(_hostile_provenance(origin), origin),
        failures=(Reason("failed", HOSTILE, 2, (4, 30)),),
        notes=(HOSTILE,),
        answer=replace(found.answer, lines=(Line(HOSTILE, HOSTILE, HOSTILE),) * 3, limits=(HOSTILE,)),
        slices=(*found.slices, replace(part, name=HOSTILE, categorical=True, points=points)),
        importance=replace(found.importance, shares={HOSTILE: 1.0}, warning=HOSTILE),
        edf=replace(found.edf, all=replace(found.edf.all, label=HOSTILE), note=HOSTILE),
        dataset=replace(found.dataset, name=HOSTILE),
        paper=Paper((), HOSTILE),
        confirm=replace(found.confirm, note=HOSTILE, finalists=finalists),
        rungs=replace(found.rungs, note=HOSTILE),
        pareto=replace(found.pareto, reference_network=HOSTILE),
    )


def _hostile_provenance(origin: Provenance) -> Provenance:
    return replace(
        origin,
        search=HOSTILE,
        space_text=HOSTILE,
        command=(HOSTILE,),
        versions={HOSTILE: HOSTILE},
        hardware={HOSTILE: [HOSTILE]},
        git={"commit": HOSTILE},
        devices=(HOSTILE,),
        class_names=(HOSTILE,),
        missing=(HOSTILE,),
    )
