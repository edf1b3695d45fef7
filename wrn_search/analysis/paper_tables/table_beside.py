"""One table of the paper beside ours: its rows, what was trained of each, ranks, and verdicts on what it claims."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from wrn_search.analysis.paper_tables.claim_verdicts import Evidence, verdict_on
from wrn_search.analysis.paper_tables.paper_values import TableBeside, TableRow
from wrn_search.analysis.paper_tables.results_at_hand import Group
from wrn_search.analysis.paper_tables.side_of_a_table import Side, key_of
from wrn_search.analysis.paper_tables.table_rows import TEST_IMAGES, row_of
from wrn_search.analysis.paper_tables.trained_networks import Key
from wrn_search.analysis.statistics.rank_agreement import DRAWS, SEED, RankAgreement, rank_agreement
from wrn_search.paper.claim_parts import Entry
from wrn_search.paper.claims import claims_of
from wrn_search.paper.published_tables import published, published_times
from wrn_search.wording import hardly_learned, percent, plural

TITLES = {
    2: "types of convolutions in a block",
    3: "convolutions in a block",
    4: "depth and width",
    5: "wide and thin networks",
    6: "dropout",
    7: "width on ImageNet",
    8: "bottlenecks on ImageNet",
}


def networks_of(table: int) -> tuple[str, ...]:
    """The names of all networks of a table, in its order."""
    return tuple(dict.fromkeys(row.network for row in published() if row.table == f"table {table}"))


def table_beside(group: Group, table: int, margin: float | None = None) -> TableBeside | None:
    """One table beside the results of a group; None where they hold no network of it.

    Args:
        group: results that can be compared.
        table: 2 to 8.
        margin: points within which two errors are no different; None takes 5 % of the lower one.
    """
    side = Side(group, table)
    if not side.of_rows:
        return None
    rows = tuple(row_of(side, row) for row in side.published)
    evidence = _evidence(side, margin)
    claims = (verdict_on(claim, evidence) for claim in claims_of(table) if side.column in claim.datasets)
    dataset = group.material.dataset
    counted_on = dataset.validation_images if side.kind == "validation" else TEST_IMAGES.get(dataset.name)
    return TableBeside(
        table=table,
        title=TITLES[table],
        dataset=side.column,
        images=dataset.name,
        own_images=group.dataset is None,
        results=group.paths,
        searches=tuple(dict.fromkeys(map(str, group.material.trials["search"]))),
        error=side.kind,
        kind=side.errors.kind,
        epochs=group.material.max_epochs,
        paper_epochs=side.paper_epochs,
        error_images=counted_on,
        margin=margin,
        devices=tuple(sorted(set(map(str, group.material.trials["device"].dropna())))),
        rows=rows,
        rank=_rank(side),
        claims=tuple(claim for claim in claims if claim is not None),
        notes=tuple(_notes(side, rows)),
    )


def _rank(side: Side) -> RankAgreement:
    """Over the rows with an error of the kind that all have."""
    theirs = {key_of(row): row.error for row in side.published}
    keys = [key for key in side.of_rows if key in side.errors]
    draws = side.errors.draws(keys, np.random.default_rng(SEED), DRAWS) if keys else None
    return rank_agreement(
        [side.errors.middle(key) for key in keys],
        [theirs[key] for key in keys],
        draws,
        side.errors.why_no_interval,
    )


def _evidence(side: Side, margin: float | None) -> Evidence:
    """For the claims."""

    def key(entry: Entry) -> Key | None:
        network, dropout = entry
        wanted = (network, dropout or 0.0)
        return wanted if wanted in side.keys else None

    return Evidence(
        errors=side.errors,
        log_seconds=side.log_seconds,
        key=key,
        trained=tuple(side.keys),
        paper_errors={key_of(row): row.error for row in side.published},
        paper_times=published_times(side.table),
        margin=margin,
        chance_error=side.group.material.dataset.chance_error,
    )


def _notes(side: Side, rows: Sequence[TableRow]) -> Iterator[str]:
    """What must be known to read it."""
    material = side.group.material
    if side.group.dataset is None:
        yield (
            f"these images ({material.dataset.name}) are none of the paper's as far as is told: ranks and claims are "
            "compared, errors are not (`--dataset` says whose images they are)"
        )
    epochs = material.max_epochs
    if side.paper_epochs is not None and epochs != side.paper_epochs:
        short = ", and a short schedule ranks networks in its own way" if epochs < side.paper_epochs else ""
        yield f"ours were trained for {plural(epochs, 'epoch')}, the paper's for {side.paper_epochs}{short}"
    chance = material.dataset.chance_error
    known = [key for key in side.of_rows if key in side.errors]
    near = sum(hardly_learned(side.errors.middle(key), chance) for key in known)
    if near and chance is not None:
        yield (
            f"{near} of {plural(len(known), 'network')} hardly learned (always answering the most frequent class has "
            f"{percent(chance)}): what claims say of two such networks is left undecided"
        )
    tests, ours = sum(row.error == "test" and row.n > 0 for row in rows), sum(row.n > 0 for row in rows)
    if 0 < tests < ours:
        yield (
            f"{tests} of {ours} networks have test errors; ranks and claims are told of validation "
            "errors, of those networks that have them"
        )
    if side.kind == "test":
        return
    if side.validated.kind == "predicted":
        yield (
            "predicted: results decided which trainings went on, so the curve model tells the error that each network "
            "is expected to have at its end when it is trained again, from all epochs of all trials"
        )
    elif side.group.is_chosen:
        yield side.validated.why_no_interval
