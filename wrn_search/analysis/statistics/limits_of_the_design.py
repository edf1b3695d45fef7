"""What the design of a search cannot tell (rule 5 of an honest search), a sentence each."""

from __future__ import annotations

from collections.abc import Iterator

from wrn_search.analysis.equal_parameters import IsoParams
from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.analysis.statistics.networks_not_told_apart import Comparison
from wrn_search.wording import plural


def limits_of(material: Material, comparison: Comparison | None, iso_params: IsoParams) -> tuple[str, ...]:
    """The limits that hold here, the gravest first."""
    rules = (
        _adaptive(material),
        _unfinished(material),
        _one_seed(material, comparison),
        _luck(material, comparison),
        _edge(material, comparison),
        _bands(iso_params),
        _images(material),
    )
    return tuple(sentence for sentences in rules for sentence in sentences)


def _adaptive(material: Material) -> Iterator[str]:
    kinds = [source.adaptive for source in material.sources]
    if True in kinds:
        which = "This search is" if len(kinds) == 1 else f"{kinds.count(True)} of {len(kinds)} searches are"
        yield (
            f"{which} adaptive: cells hold unequal numbers of trials with other hyperparameters each, and slow "
            "starters were stopped. So a cell shows its lowest error, and intervals come from repeated, grid or random "
            "designs only; `report --follow-up FILE` writes a grid that can give them."
        )
    if None in kinds:
        yield "How the trials were chosen is not known (resolved.yaml cannot be read), so no interval is given."


def _unfinished(material: Material) -> Iterator[str]:
    statuses = material.trials["status"].value_counts()
    open_trials = int(statuses.get("running", 0) + statuses.get("interrupted", 0))
    planned = [source.trials_planned for source in material.sources]
    to_come = sum(total for total in planned if total is not None) - len(material.trials)
    ended = all(source.state in ("finished", "exhausted") for source in material.sources)
    if open_trials:
        yield (
            f"{plural(open_trials, 'trial')} have not ended: the answer may change."
            if open_trials > 1
            else ("1 trial has not ended: the answer may change.")
        )
    if to_come > 0 and not ended and None not in planned:
        yield f"{plural(to_come, 'trial')} of the {sum(p or 0 for p in planned):,} asked for have not begun."


def _one_seed(material: Material, comparison: Comparison | None) -> Iterator[str]:
    if comparison is not None and comparison.seed_deviation is None:
        yield (
            "Every configuration was trained with one seed: how far seeds differ is not known, so the margin counts "
            "only the validation images."
        )


def _luck(material: Material, comparison: Comparison | None) -> Iterator[str]:
    if comparison is not None and comparison.candidates > 1:
        yield (
            f"The lowest of {comparison.candidates:,} errors is lucky: a retrained winner is usually a little worse, "
            "and its test error another. `confirm` measures both."
        )


def _edge(material: Material, comparison: Comparison | None) -> Iterator[str]:
    if comparison is None:
        return
    for name, value in (("depth", comparison.best.depth), ("widen_factor", comparison.best.widen_factor)):
        tried = sorted(set(material.trials[name]))
        if len(tried) > 1 and value == tried[-1]:
            yield f"The best network has the largest {name} of the search ({value:g}): more was not tried."


def _bands(iso_params: IsoParams) -> Iterator[str]:
    if not iso_params.bands:
        yield "No two networks with an error at full epochs have nearly equal parameters and another depth:width ratio."


def _images(material: Material) -> Iterator[str]:
    if material.dataset.validation_images is None:
        yield "The number of validation images is not on record, so the counting error of an error is not known."
