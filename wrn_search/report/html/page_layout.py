"""The page of a search: its sections in order. It draws `Findings` and computes nothing."""

from __future__ import annotations

from wrn_search.analysis.all_findings import Findings
from wrn_search.report.answer import answer_section
from wrn_search.report.curve_model.adjusted_effects import effect_figures
from wrn_search.report.curve_model.map_of_every_cell import early_map, expected_map
from wrn_search.report.depth_width_map import error_map, time_map
from wrn_search.report.early_stopping import early_stopping
from wrn_search.report.equal_parameters import iso_params
from wrn_search.report.error_distributions import distribution, halves
from wrn_search.report.failures import wrong_section
from wrn_search.report.html.blocks import figures_block
from wrn_search.report.html.document import page
from wrn_search.report.html.figure import Figure, hover_texts
from wrn_search.report.html.markup import Html, element
from wrn_search.report.hyperparameter_importance import importance
from wrn_search.report.hyperparameter_slices import slices
from wrn_search.report.learning_curves import best_so_far, learning_curves
from wrn_search.report.pareto_fronts import front_figures
from wrn_search.report.provenance import provenance_section
from wrn_search.wording import duration, plural


def page_of(findings: Findings, *, follow_up: str | None = None) -> str:
    """The whole page.

    Args:
        follow_up: the space file of the grid that could tell what these searches cannot.
    """
    sections = [
        ("answer", "The answer", answer_section(findings, follow_up)),
        ("maps", "Depth and width", figures_block(_maps(findings))),
        ("equal-parameters", "Equal parameters", figures_block([iso_params(findings)])),
        ("fronts", "Pareto fronts", figures_block(front_figures(findings))),
        ("hyperparameters", "Hyperparameters", figures_block(_hyperparameters(findings))),
        (
            "curves",
            "Learning curves and early stopping",
            figures_block(_curves(findings)),
        ),
        ("wrong", "What went wrong", wrong_section(findings)),
        ("provenance", "Provenance", provenance_section(findings)),
    ]
    # what has nothing to say is left out; the answer says why there are no bands
    shown = [each for each in sections if each[0] != "equal-parameters" or findings.iso_params.bands]
    return page(_header(findings), shown, findings.title, hover_texts(findings))


def _maps(findings: Findings) -> list[Figure]:
    """What is expected of every cell; what was measured where the model tells nothing."""
    if not findings.model.cells:
        return [error_map(findings), time_map(findings)]
    early = early_map(findings)
    return [expected_map(findings), *([early] if early else []), time_map(findings)]


def _hyperparameters(findings: Findings) -> list[Figure]:
    """Adjusted effects; error against each value alone only where there is no model to adjust it."""
    return [*(effect_figures(findings) or slices(findings)), importance(findings)]


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
    return element("header", element("h1", findings.title), element("p", " · ".join(facts), class_="facts"))
