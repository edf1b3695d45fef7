"""The test errors of `protocol: test_each` for a terminal, and the sentences that must stand beside them anywhere."""

from __future__ import annotations

from wrn_search.analysis.readings.tested_networks import TestedList, TestedNetwork
from wrn_search.wording import NONE, plural, shown


def text_of(found: TestedList) -> str:
    """The whole."""
    ends = ", ".join(f"{count} {status}" for status, count in found.ended.items())
    title = (
        f"{' and '.join(found.names)}: {plural(found.trials, 'trial')} on {found.dataset} ({ends or 'none'})"
    )
    rows = [list(HEAD), *([*row] for row in rows_of(found))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    table = [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([title, "", *table, "", *sentences_of_protocol(found)])


HEAD = (
    "network",
    "parameters",
    "test error (%), median",
    "lowest to highest",
    "95 %",
    "n",
    "training error (%)",
)


def rows_of(found: TestedList) -> list[tuple[str, ...]]:
    """A row for each network, in the order of the list."""
    return [
        (
            label_of(each),
            f"{each.num_params:,}",
            NONE if each.median is None else f"{each.median:.2f}",
            f"{each.errors[0]:.2f} to {each.errors[-1]:.2f}" if len(each.errors) > 1 else NONE,
            NONE if each.interval is None else f"{each.interval[0]:.2f} to {each.interval[1]:.2f}",
            f"{len(each.errors)} of {sum(each.ended.values())}",
            NONE if each.train_error is None else f"{each.train_error:.2f}",
        )
        for each in found.networks
    ]


def label_of(network: TestedNetwork) -> str:
    """`WRN-16-4, dropout 0.3`."""
    values = [f"{name} {shown(value)}" for name, value in network.hparams.items() if value is not None]
    return ", ".join([network.network, *values])


def sentences_of_protocol(found: TestedList) -> list[str]:
    """How the errors came about, and what they cannot tell."""
    images = (
        "all training images" if found.train_images is None else f"{found.train_images:,} training images"
    )
    on = "" if found.test_images is None else f" on {found.test_images:,} images"
    lines = [
        f"Protocol test_each: each network was trained on {images} for {plural(found.epochs, 'epoch')}, with none held "
        f"out, and its test error read once{on}, after its last epoch. Nothing was chosen by it, and no searcher heard "
        "of it: the networks are those of a list.",
        f"The test split was read {plural(found.readings, 'time')} for {plural(found.tested, 'network')}, each time on "
        f"record before a file was opened (manifest.json, test_reads){_again(found)}.",
    ]
    if found.spread is None:
        lines.append(
            "No network has two seeds, so no interval is known: differences may be luck (search.repeats)."
        )
    else:
        lines.append(
            f"Intervals are 95 % for all networks together, by the spread of the seeds of all "
            f"({found.spread.deviation:.2f} points, {found.spread.freedom} degrees of freedom)."
        )
    if found.left:
        lines.append(f"{plural(found.left, 'trial')} have not ended: go on with --resume.")
    lines += [f"Without a test error: {reason}." for reason in found.reasons]
    lines.append(
        "Whoever picks the best of these by its test error must measure it anew: the lowest of many is lucky."
    )
    return lines


def _again(found: TestedList) -> str:
    again = found.readings - found.tested
    if again <= 0:
        return ""
    return f"; {again} more than there are test errors, of networks that have none, or whose session ended meanwhile"
