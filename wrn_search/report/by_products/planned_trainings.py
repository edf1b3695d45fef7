"""The plan of what to run next as a space file: explicit configurations, each with fresh seeds, every one to its end.

Where the follow-up grid asks for measured intervals around the best network, the plan asks for the fewest trainings
that narrow the first undecided question, wherever in the space they lie; the model of all curves reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.hyperparameter_slices import native
from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.errors import InputError, printable
from wrn_search.report.by_products.follow_up_grid import beside_the_search, fixed_keys, written_space
from wrn_search.report.by_products.keys_of_a_space_file import acts
from wrn_search.shell_commands import ours
from wrn_search.space.space import Space
from wrn_search.space.yaml_with_lines import yaml_text
from wrn_search.wording import duration, plural, two_significant

FILE = Path("next.yaml")


def write_planned_trainings(material: Material, findings: Findings, path: Path) -> Space:
    """Writes the plan's space file and returns its space.

    Raises:
        InputError: nothing is planned, the file exists or cannot be written.
    """
    return written_space(planned_text(material, findings, path), path, "--next")


def planned_command(findings: Findings) -> str:
    """What writes the file, and a page, which has no place of its own when there are several results."""
    paths = [Path(search.path) for search in findings.searches]
    page: list[str | Path] = ["--output", Path("report.html")] if len(paths) > 1 else []
    return ours("report", *paths, "--next", FILE, *page)


def planned_text(material: Material, findings: Findings, file: Path = FILE) -> str:
    """The space file, as it stands in `file`: its header says what it asks, what it costs and what it buys.

    Raises:
        InputError: nothing is planned, with the reason.
    """
    model = findings.model
    if not model.next or findings.answer.best is None:
        why = model.why_no_next or model.why_not or "no trial was trained to its last epoch"
        raise InputError.of("--next", f"a plan needs a question that some trainings can narrow, but {why}")
    document = _document(material, findings)
    text = yaml_text(document, default_flow_style=None, width=120)
    return _header(findings, document, beside_the_search(findings, document["name"], file)) + text


def _document(material: Material, findings: Findings) -> dict[str, Any]:
    """What was not searched stays as it was; each point has a value for all that was."""
    assert findings.answer.best is not None
    model, training, searched = fixed_keys(material, findings)
    trainings = sum(each.count for each in findings.model.next)
    seeds = [provenance.seed or 0 for provenance in findings.provenance]
    space = material.sources[0].space
    return {
        "name": f"{findings.searches[0].name[:80]}_next",
        "description": f"What narrows {_question(findings)} most for its cost, every trial to its end.",
        "dataset": {"name": findings.dataset.name} if space is None else space.dataset.model_dump(),
        "model": model,
        "training": training,
        "search": {
            "searcher": "grid",
            "scheduler": "none",
            # The plan counts seeds by configuration; all get the mean, so that none is told by more than another.
            "repeats": max(1, round(trainings / len(findings.model.next))),
            # Fresh seeds: those of the search have been selected.
            "seed": (max(seeds, default=0) + 1) % 2**31,
            "points": [
                {
                    name: native(value)
                    for name, value in each.hparams.items()
                    if name in searched and acts(name, {**training, **each.hparams})
                }
                for each in findings.model.next
            ],
        },
    }


def _question(findings: Findings) -> str:
    return findings.model.next[-1].question.replace("_", " ")


def _header(findings: Findings, document: dict[str, Any], commands: Sequence[str]) -> str:
    planned, repeats = findings.model.next, document["search"]["repeats"]
    last = planned[-1]
    hours = [each.hours * repeats for each in planned if each.hours is not None]
    cost = (
        f", {duration(3600 * sum(hours))} of training at the measured pace" if hours else ", time not known"
    )
    (verdict,) = [each for each in findings.model.verdicts if each.question == last.question]
    of = ", ".join(search.name for search in findings.searches)
    now, then = (
        f"{two_significant(low)} to {two_significant(high)}"
        for low, high in ((verdict.low, verdict.high), (last.low, last.high))
    )
    lines = [
        f"What to run after {of}, written by `report --next`.",
        "",
        f"asks      {_question(findings)}: the first undecided question",
        f"how       {plural(len(planned), 'configuration')} that narrow its interval most for their cost",
        f"costs     {plural(len(planned) * repeats, 'training')} to the end{cost}",
        f"expect    an interval of about {then} instead of {now}, read together with the search",
        "",
        *(f"    {command}" for command in commands),
    ]
    # A name or a path must not end the comment.
    return "".join(f"# {printable(line)}".rstrip() + "\n" for line in lines)
