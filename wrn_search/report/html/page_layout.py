"""The page of a search: its sections in order. It draws `Findings` and computes nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wrn_search.analysis.all_findings import Findings
from wrn_search.report.all_trials.parallel_coordinates import parallel_coordinates, trials_block
from wrn_search.report.all_trials.trial_columns import trial_columns, trial_data
from wrn_search.report.answer import answer_section
from wrn_search.report.curve_model.adjusted_effects import effect_figures
from wrn_search.report.curve_model.map_of_every_cell import early_map, expected_map
from wrn_search.report.curve_model.plane_of_two import plane_figure
from wrn_search.report.depth_width_map import error_map, time_map
from wrn_search.report.early_stopping import early_stopping
from wrn_search.report.equal_parameters import iso_params
from wrn_search.report.error_distributions import distribution, halves
from wrn_search.report.failures import wrong_section
from wrn_search.report.html.blocks import figures_block, sentences, tabbed_block
from wrn_search.report.html.document import page
from wrn_search.report.html.figure import Figure, hover_texts
from wrn_search.report.html.markup import Html, element, join, script_json
from wrn_search.report.hyperparameter_importance import importance
from wrn_search.report.hyperparameter_slices import slices
from wrn_search.report.learning_curves import best_so_far, learning_curves
from wrn_search.report.pareto_fronts import front_figures
from wrn_search.report.provenance import provenance_section
from wrn_search.wording import duration, plural

_LINKS = "A click on a point of a figure leads to the row of its trial in the table of all trials."


def page_of(findings: Findings, *, follow_up: str | None = None) -> str:
    """The whole page.

    Args:
        follow_up: the space file of the grid that could tell what these searches cannot.
    """
    parts = [
        ("equal-parameters", "Equal parameters", [iso_params(findings)]),
        ("fronts", "Pareto fronts", front_figures(findings)),
        ("hyperparameters", "Hyperparameters", _hyperparameters(findings)),
        ("curves", "Learning curves and early stopping", _curves(findings)),
    ]
    columns = trial_columns(findings)
    trials = trials_block(
        columns, parallel_coordinates(findings, columns), f"{_file_name(findings.title)}.csv"
    )
    empty = [figure for _, _, figures in parts for figure in figures if not figure.traces]
    sections = [
        ("answer", "The answer", answer_section(findings, follow_up)),
        ("maps", "Depth and width", figures_block(_maps(findings))),
        # what has nothing to draw is left out, and said so where it is told what went wrong
        *((key, name, figures_block(drawn)) for key, name, all_ in parts if (drawn := _drawn(all_))),
        ("trials", "All trials", trials),
        ("wrong", "What went wrong", wrong_section(findings)),
        ("left-out", "Not shown", _left_out(empty)),
        ("provenance", "Provenance", provenance_section(findings)),
    ]
    data = {
        "hovers": script_json(hover_texts(findings)),
        "trial-columns": script_json(trial_data(columns), exact=True),
    }
    return page(_header(findings), [each for each in sections if each[2]], findings.title, data)


def _drawn(figures: Sequence[Figure]) -> list[Figure]:
    return [figure for figure in figures if figure.traces]


def _left_out(figures: Sequence[Figure]) -> Html:
    """A line for each figure that has nothing to draw, with its reason; nothing if there is none."""
    return sentences([f"{figure.title}: {figure.result}" for figure in figures])


def _file_name(title: str) -> str:
    """Of the CSV: safe on every system."""
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '-', title).strip('-')[:60] or 'search'}-trials"


def _maps(findings: Findings) -> list[Figure | Html]:
    """What is expected of every cell, at the end or early; what was measured where the model tells nothing."""
    if not findings.model.cells:
        return [error_map(findings), time_map(findings)]
    end = "At the end" if findings.model.at_end else f"After epoch {findings.model.epoch}"
    early = early_map(findings)
    tabs = [(end, expected_map(findings))]
    tabs += [(f"After epoch {findings.model.early_epoch}, all trials", early)] if early else []
    return [tabbed_block(tabs), time_map(findings)]


def _hyperparameters(findings: Findings) -> list[Figure]:
    """Adjusted effects; error against each value alone only where there is no model to adjust it."""
    plane = plane_figure(findings)
    return [
        *(effect_figures(findings) or slices(findings)),
        importance(findings),
        *([plane] if plane else []),
    ]


def _curves(findings: Findings) -> list[Figure]:
    """Learning curves, early stopping and how errors are spread."""
    found = [learning_curves(findings), early_stopping(findings), distribution(findings)]
    found += [each for each in (halves(findings), best_so_far(findings)) if each is not None]
    return found


def _header(findings: Findings) -> Html:
    counts, dataset = findings.counts, findings.dataset
    ends = ", ".join(f"{count:,} {status}" for status, count in counts.by_status.items() if count)
    images = "" if dataset.validation_images is None else f", {dataset.validation_images:,} validation images"
    states = ", ".join(sorted({search.state for search in findings.searches}))
    facts = [
        f"{dataset.name}{images}",
        f"{plural(counts.trials, 'trial')} of {plural(findings.max_epochs, 'epoch')} ({ends})",
        f"{counts.epochs_done:,} epochs in {duration(3600 * counts.train_hours)} of training",
        f"{plural(len(findings.searches), 'search', 'searches')}: {states}",
    ]
    lines = [element("p", " \u00b7 ".join(facts), class_="facts"), element("p", _LINKS, class_="facts")]
    return element("header", element("h1", findings.title), join(lines))
