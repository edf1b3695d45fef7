"""The page of a search: its sections in order. It draws `Findings` and computes nothing."""

from __future__ import annotations

from wrn_search.analysis.all_findings import Findings
from wrn_search.report.answer import answer_section
from wrn_search.report.depth_width_map import error_map, time_map
from wrn_search.report.early_stopping import early_stopping
from wrn_search.report.equal_parameters import iso_params
from wrn_search.report.error_distributions import distribution, halves
from wrn_search.report.failures import wrong_section
from wrn_search.report.html.blocks import figures_block
from wrn_search.report.html.document import page
from wrn_search.report.html.figure import hover_texts
from wrn_search.report.html.markup import Html, element
from wrn_search.report.hyperparameter_importance import importance
from wrn_search.report.hyperparameter_slices import slices
from wrn_search.report.learning_curves import learning_curves
from wrn_search.report.pareto_fronts import front_figures, hypervolume
from wrn_search.report.provenance import provenance_section
from wrn_search.wording import plural


def page_of(findings: Findings, *, follow_up: str | None = None) -> str:
    """The whole page.

    Args:
        follow_up: the space file of the grid that could tell what these searches cannot.
    """
    sections = [
        ("answer", "The answer", answer_section(findings, follow_up)),
        ("maps", "Depth and width", figures_block([error_map(findings), time_map(findings)])),
        ("equal-parameters", "Equal parameters", figures_block([iso_params(findings)])),
        ("fronts", "Pareto fronts", figures_block([*front_figures(findings), hypervolume(findings)])),
        ("hyperparameters", "Hyperparameters", figures_block([*slices(findings), importance(findings)])),
        (
            "curves",
            "Learning curves and early stopping",
            figures_block(
                [
                    learning_curves(findings),
                    early_stopping(findings),
                    distribution(findings),
                    halves(findings),
                ]
            ),
        ),
        ("wrong", "What went wrong", wrong_section(findings)),
        ("provenance", "Provenance", provenance_section(findings)),
    ]
    return page(_header(findings), sections, findings.title, hover_texts(findings))


def _header(findings: Findings) -> Html:
    counts, dataset = findings.counts, findings.dataset
    ends = ", ".join(f"{count:,} {status}" for status, count in counts.by_status.items() if count)
    images = "" if dataset.validation_images is None else f", {dataset.validation_images:,} validation images"
    states = ", ".join(sorted({search.state for search in findings.searches}))
    facts = [
        f"{dataset.name}{images}",
        f"{plural(counts.trials, 'trial')} of {plural(findings.max_epochs, 'epoch')} ({ends})",
        f"{counts.epochs_done:,} epochs in {counts.train_hours:.3g} hours of training",
        f"{plural(len(findings.searches), 'search', 'searches')}: {states}",
    ]
    return element("header", element("h1", findings.title), element("p", " · ".join(facts), class_="facts"))
