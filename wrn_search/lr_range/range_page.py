"""A range test as a page: the loss of every step over its learning rate, and what that suggests."""

from __future__ import annotations

import math
from typing import Any

from wrn_search.lr_range.range_in_words import CANNOT_KNOW, RangeTest, finite_curve, told
from wrn_search.report.html.axes import axis, layout, log_axis
from wrn_search.report.html.blocks import figure_block, listing, sentences
from wrn_search.report.html.document import page
from wrn_search.report.html.figure import Figure, Table
from wrn_search.report.html.markup import Html, element, join
from wrn_search.wording import plural, sentence, short_count


def page_of(test: RangeTest) -> str:
    """The whole page."""
    title = f"Learning-rate range test of {test.space}"
    facts = [
        test.trial.network,
        plural(len(test.run.rates), "step"),
        f"batches of {test.trial.config.batch_size}",
        test.device,
        f"seed {test.trial.config.seed}",
    ]
    header = element("header", element("h1", title), element("p", " · ".join(facts), class_="facts"))
    sections = [
        ("loss", "Loss over the learning rate", figure_block(_figure(test))),
        ("search", "What to search", _advice(test)),
    ]
    return page(header, sections, title, {})


def _advice(test: RangeTest) -> Html:
    lines = told(test.found)
    parts: list[Html] = [sentences(text for label, text in lines if label != "search")]
    if test.found.interval is not None:
        parts.append(listing("training:\n  " + dict(lines)["search"]))
    return join([*parts, sentences(CANNOT_KNOW)])


def _figure(test: RangeTest) -> Figure:
    run, found = test.run, test.found
    curve = finite_curve(run)
    rates = list(run.rates[: len(curve)])
    marks = [("steepest fall", found.steepest, "@green"), ("divergence", found.edge, "@orange")]
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "each step",
            "x": rates,
            "y": [loss for loss in run.losses if math.isfinite(loss)],
            "marker": {"color": "@pale", "size": 4},
            "hovertemplate": "%{x:.3g}: loss %{y:.3f}<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "lines",
            "name": "smoothed",
            "x": rates,
            "y": curve,
            "line": {"color": "@blue", "width": 2},
            "hovertemplate": "%{x:.3g}: smoothed %{y:.3f}<extra></extra>",
        },
    ]
    top = max([loss for loss in run.losses if math.isfinite(loss)], default=1.0)
    traces += [
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": [rate, rate],
            "y": [0.0, top],
            "line": {"color": colour, "width": 1.5, "dash": "dash"},
            "hovertemplate": f"{name}: %{{x:.3g}}<extra></extra>",
        }
        for name, rate, colour in marks
        if rate is not None
    ]
    head = ("step", "learning rate", "loss", "smoothed")
    rows = [
        (f"{step:,}", f"{rate:.3e}", f"{loss:.4f}", f"{curve[step - 1]:.4f}" if step <= len(curve) else "")
        for step, (rate, loss) in enumerate(zip(run.rates, run.losses, strict=True), start=1)
    ]
    known = [f"the loss falls fastest at {short_count(found.steepest)}" if found.steepest else found.reason]
    known += [f"and diverges from {short_count(found.edge)} on"] if found.edge and found.steepest else []
    return Figure(
        key="loss-over-rate",
        title="Loss over the learning rate",
        result=sentence(" ".join(known)),
        reading="The cross-entropy of each step's batch (nats) while the rate rises from step to step; line: the mean "
        "around each step, weighted by a Gaussian.",
        table=Table(head, rows, text_columns=0),
        traces=tuple(traces),
        layout=layout(log_axis("learning_rate", run.rates), axis("training loss (nats)", rangemode="tozero")),
        height=460,
        wide=True,
    )
