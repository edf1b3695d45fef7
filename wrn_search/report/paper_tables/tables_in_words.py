"""The paper's tables beside ours, for a terminal: each with its rows, ranks and verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from wrn_search.analysis.paper_tables.paper_values import ClaimVerdict, PairCompared, TableBeside, TableRow
from wrn_search.analysis.statistics.rank_agreement import RankAgreement
from wrn_search.wording import NONE, plural, sentence, two_digits, two_significant

VERDICTS = {
    "supported": "supported",
    "contradicted": "contradicted",
    "undecided": "undecided at this n",
}
_DATASETS = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "svhn": "SVHN", "imagenet": "ImageNet (top 1)"}


def text_of(tables: Sequence[TableBeside]) -> str:
    """All tables."""
    told: set[str] = set()
    return "\n\n".join("\n".join(_table(table, told)) for table in tables)


def _table(table: TableBeside, told: set[str]) -> Iterator[str]:
    """Lines; a note that a table before has (`told`) is not said again."""
    yield heading(table)
    yield facts(table)
    yield ""
    cells = [head_of(table), *(cells_of(row, table) for row in table.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    yield ""
    notes = [note for note in (*notes_on_rows(table), *table.notes) if note not in told]
    told |= set(notes)
    yield from map(sentence, notes)
    yield sentence(rank_words(table.rank))
    for claim in table.claims:
        yield f"{sentence(claim.claim)[:-1]}: {VERDICTS[claim.verdict]}."
        yield from (f"  {words}" for words in claim_words(claim))
    if not table.claims:
        yield "Of the claims on this table these data speak to none: no two networks of one were trained."


def heading(table: TableBeside) -> str:
    """`Table 4 of the paper, depth and width, on CIFAR-10`."""
    return f"Table {table.table} of the paper, {table.title}, on {_DATASETS[table.dataset]}"


def facts(table: TableBeside) -> str:
    """Whose errors, how long, where."""
    errors = f"{table.error} errors"
    if table.error_images:
        errors += f" on {table.error_images:,} images"
    parts = [
        f"ours: {', '.join(table.results)}",
        f"{table.kind} {errors} of {table.images}" if table.own_images else f"{table.kind} {errors}",
        f"{plural(table.epochs, 'epoch')}"
        + (f" (the paper's: {table.paper_epochs})" if table.paper_epochs else ""),
        *([", ".join(table.devices)] if table.devices else []),
    ]
    return "; ".join(parts)


def head_of(table: TableBeside) -> tuple[str, ...]:
    """Column names; units in them."""
    ours = "expected (95 %)" if table.kind == "predicted" else "median (range)"
    return (
        "network",
        *(["dropout"] if _has_dropout(table) else []),
        "paper's test error (%)",
        f"ours, {ours}",
        "error",
        "n",
        *([] if table.own_images else ["difference (95 %)"]),
        "s an epoch",
    )


def _has_dropout(table: TableBeside) -> bool:
    return len({row.dropout for row in table.rows}) > 1


def cells_of(row: TableRow, table: TableBeside) -> tuple[str, ...]:
    """One row; a dash stands for what was not trained."""
    span = "" if row.lowest is None else f" ({two_digits(row.lowest)} to {two_digits(row.highest)})"
    if row.kind == "predicted" and table.kind != "predicted":
        span += " predicted"
    return (
        row.network,
        *([f"{row.dropout or 0:g}"] if _has_dropout(table) else []),
        two_digits(row.paper_error),
        f"{two_digits(row.median)}{span}",
        row.error if row.n and row.error else NONE,
        str(row.n) if row.trials else NONE,
        *([] if table.own_images else [difference_words(row)]),
        NONE if row.seconds is None else two_significant(row.seconds),
    )


def difference_words(row: TableRow) -> str:
    """Ours minus the paper's: `+0.31 (-0.05 to +0.67)`."""
    if row.difference is None:
        return NONE
    if row.low is None or row.high is None:
        return f"{row.difference:+.2f} (no interval)"
    return f"{row.difference:+.2f} ({row.low:+.2f} to {row.high:+.2f})"


def notes_on_rows(table: TableBeside) -> Iterator[str]:
    """What cells have no room for: missing intervals, trainings that diverged, other dropout, differences of recipe."""
    trained = [row for row in table.rows if row.trials]
    for why in dict.fromkeys(row.why_no_interval for row in trained if row.why_no_interval):
        names = [row.network for row in trained if row.why_no_interval == why]
        yield f"no interval of {_listed(names, len(trained))}: {why}"
    for row in trained:
        if row.diverged:
            yield f"{row.network}: {row.diverged} of {row.trials} trainings diverged and count with the error of chance"
        if row.our_dropout is not None:
            theirs = f"the paper's with {row.dropout or 0:g}"
            yield f"{row.network}: ours were trained with dropout {row.our_dropout:.3g}, {theirs}"
    if shared := shared_differences(table):
        yield f"differences of recipe, ours first, then the paper's: {'; '.join(shared)}"


def shared_differences(table: TableBeside) -> list[str]:
    """Each difference of recipe, those of most networks first; of which networks where not of all."""
    trained = [row for row in table.rows if row.trials]
    counts = Counter(text for row in trained for text in row.differences)
    told = []
    for text, count in counts.most_common():
        names = [row.network for row in trained if text in row.differences]
        told.append(text if count == len(trained) else f"{text} ({_listed(names, len(trained))})")
    return told


def _listed(names: Sequence[str], of: int) -> str:
    unique = list(dict.fromkeys(names))
    return "all" if len(names) == of and of > 1 else ", ".join(unique)


def rank_words(rank: RankAgreement) -> str:
    """Kendall's tau with its interval, or why there is none."""
    if rank.tau is None:
        return f"ranks: {rank.why_not}"
    told = f"ranks: Kendall's tau between ours and the paper's errors {rank.tau:+.2f}"
    where = f" over {plural(rank.networks, 'network')}"
    if rank.low is None or rank.high is None:
        return f"{told}{where}, without an interval: {rank.why_not}"
    return f"{told} ({rank.low:+.2f} to {rank.high:+.2f} by what seeds leave open){where}"


def claim_words(claim: ClaimVerdict) -> Iterator[str]:
    """A line for each pair, what was not compared, and where the paper says so."""
    yield from (f"{pair_words(each)}" for each in claim.comparisons)
    if claim.without_ends:
        yield f"no end is known of one of: {', '.join(claim.without_ends)}"
    if claim.not_compared:
        yield f"not compared: {', '.join(claim.not_compared)}"
    yield f"({claim.where})"


def pair_words(pair: PairCompared) -> str:
    """`WRN-40-8 against WRN-40-1: -2.10 points (-2.31 to -1.89), n = 3 and 3; the paper's -2.19`."""
    counts = f"n = {pair.n} and {pair.other_n}"
    if pair.quantity == "speed":
        span = _span(pair, f"{pair.low or 0:.2f} to {pair.high or 0:.2f}")
        theirs = "" if pair.paper is None else f"; the paper's {pair.paper:.2f}"
        return f"{pair.one} trains {pair.value:.2f} times as fast as {pair.other}{span}, {counts}{theirs}"
    span = _span(pair, f"{pair.low or 0:+.2f} to {pair.high or 0:+.2f}")
    theirs = "" if pair.paper is None else f"; the paper's {pair.paper:+.2f}"
    return f"{pair.one} against {pair.other}: {pair.value:+.2f} points{span}, {counts}{theirs}"


def _span(pair: PairCompared, words: str) -> str:
    return f" ({pair.why_no_interval})" if pair.low is None else f" ({words})"
