"""All figures of a report by the sections of its page; the page and Python's `Search.plot` show the same ones."""

from __future__ import annotations

from collections.abc import Sequence

from wrn_search.analysis.all_findings import Findings
from wrn_search.report.confirmation import class_errors, finalists
from wrn_search.report.curve_model.adjusted_effects import effect_figures
from wrn_search.report.curve_model.map_of_every_cell import early_map, expected_map
from wrn_search.report.curve_model.plane_of_two import plane_figure
from wrn_search.report.depth_width_map import error_map, time_map
from wrn_search.report.early_stopping import early_stopping
from wrn_search.report.equal_parameters import iso_params
from wrn_search.report.error_distributions import distribution, halves
from wrn_search.report.failures import statuses
from wrn_search.report.html.figure import Figure
from wrn_search.report.hyperparameter_importance import importance
from wrn_search.report.hyperparameter_slices import product_slices, slices
from wrn_search.report.learning_curves import best_so_far, learning_curves
from wrn_search.report.pareto_fronts import front_figures
from wrn_search.report.several_objectives import objective_figures


def drawn_figures(findings: Findings) -> dict[str, Figure]:
    """All that have something to draw, by their keys, in the order of the page."""
    found = [figure for _, figure in maps_of_errors(findings)] + [time_map(findings)]
    found += [figure for _, _, figures in figures_by_section(findings) for figure in figures]
    found += [statuses(findings)]
    found += confirmation_figures(findings)
    return {figure.key: figure for figure in drawn(found)}


def figures_by_section(findings: Findings) -> list[tuple[str, str, list[Figure]]]:
    """(key in addresses, name, figures) of each section that holds figures alone."""
    return [
        ("equal-parameters", "Equal parameters", [iso_params(findings)]),
        ("objectives", "Several objectives", objective_figures(findings)),
        ("fronts", "Pareto fronts", front_figures(findings)),
        ("hyperparameters", "Hyperparameters", _hyperparameters(findings)),
        ("curves", "Learning curves and early stopping", _curves(findings)),
    ]


def confirmation_figures(findings: Findings) -> list[Figure]:
    """The retrained finalists, and their test errors class by class; none where nothing was confirmed."""
    if findings.confirm is None:
        return []
    return [
        each for each in (finalists(findings.confirm), class_errors(findings.confirm)) if each is not None
    ]


def maps_of_errors(findings: Findings) -> list[tuple[str, Figure]]:
    """(label, map): what is expected of every cell, at the end or early; what was measured where no model tells."""
    if not findings.model.cells:
        return [("Measured", error_map(findings))]
    end = "At the end" if findings.model.at_end else f"After epoch {findings.model.epoch}"
    early = early_map(findings)
    tabs = [(end, expected_map(findings))]
    tabs += [(f"After epoch {findings.model.early_epoch}, all trials", early)] if early else []
    return tabs


def drawn(figures: Sequence[Figure]) -> list[Figure]:
    """Those with something to draw."""
    return [figure for figure in figures if figure.traces]


def _hyperparameters(findings: Findings) -> list[Figure]:
    """Adjusted effects; error against each value alone only where there is no model to adjust it."""
    plane = plane_figure(findings)
    return [
        *(effect_figures(findings) or slices(findings)),
        *product_slices(findings),
        importance(findings),
        *([plane] if plane else []),
    ]


def _curves(findings: Findings) -> list[Figure]:
    """Learning curves, early stopping and how errors are spread."""
    found = [learning_curves(findings), early_stopping(findings), distribution(findings)]
    found += [each for each in (halves(findings), best_so_far(findings)) if each is not None]
    return found
