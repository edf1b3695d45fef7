"""What to run next: the trainings that narrow the first undecided question most for their cost, as a table."""

from __future__ import annotations

from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.curve_model.model_values import NextTraining
from wrn_search.report.by_products.planned_trainings import planned_command
from wrn_search.report.html.blocks import table_block
from wrn_search.report.html.figure import Table
from wrn_search.report.html.markup import Html, element, join
from wrn_search.wording import NONE, duration, hparams, plural, sentence


def next_block(findings: Findings) -> Html:
    """The plan; where there is none a sentence that says why."""
    model = findings.model
    title = element("h4", "What to run next")
    if not model.next:
        return join([title, element("p", sentence(model.why_no_next))]) if model.why_no_next else join(())
    last = model.next[-1]
    hours = [each.count * each.hours for each in model.next if each.hours is not None]
    cost = f", {duration(3600 * sum(hours))} of training at the measured pace" if hours else ""
    (verdict,) = [each for each in model.verdicts if each.question == last.question]
    count = sum(each.count for each in model.next)
    said = (
        f"{plural(count, 'training')} to the end{cost} would narrow {last.question.replace('_', ' ')} from "
        f"{verdict.low:.2f} to {verdict.high:.2f} to about {last.low:.2f} to {last.high:.2f}."
    )
    head = ("network", "setting", "seeds", "training of each")
    rows = [_row(each) for each in model.next]
    how = element(
        "p",
        "This writes them, all with the mean of these seeds, as a ready space file: ",
        element("code", planned_command(findings)),
    )
    return join([title, element("p", said), table_block(Table(head, rows, text_columns=2)), how])


def _row(each: NextTraining) -> tuple[str, ...]:
    return (
        each.network,
        hparams(each.hparams, without=("depth", "widen_factor")),
        str(each.count),
        NONE if each.hours is None else duration(3600 * each.hours),
    )
