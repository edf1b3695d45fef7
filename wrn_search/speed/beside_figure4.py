"""Times beside those of the paper's figure 4: ratios to one network, as other machines have other times. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wrn_search.networks.architecture import Architecture
from wrn_search.networks.network_names import exact_name
from wrn_search.networks.parameters_and_macs import macs, num_params
from wrn_search.paper.figure4 import SETUP, figure4_milliseconds
from wrn_search.speed.timed_networks import Setting, Timed
from wrn_search.wording import short_count

REFERENCE = "WRN-40-4"  # of the paper's sentence on ResNet-1001, where it is timed; else the first network


@dataclass(frozen=True)
class SpeedRow:
    """One network: its size, its times, and how many times longer it took than the reference."""

    network: Architecture
    num_params: int
    macs: int  # of one image
    median: float  # milliseconds of a batch
    low: float
    high: float
    ratio: float
    paper_milliseconds: float | None
    paper_ratio: float | None  # None where the paper has not both

    @property
    def milliseconds_per_gmac(self) -> float:
        """Of a thousand million multiply-adds of one image, in a batch of the size that was timed."""
        return self.median / (self.macs / 1e9)


def speed_rows(timed: Sequence[Timed]) -> tuple[str, list[SpeedRow]]:
    """(name of the reference, a row for each network in the order given)."""
    reference = next((each for each in timed if exact_name(each.network) == REFERENCE), timed[0])
    paper = figure4_milliseconds()
    base = paper.get(exact_name(reference.network))
    rows = []
    for each in timed:
        theirs = paper.get(exact_name(each.network))
        height, width, channels = each.batch.image_shape
        rows.append(
            SpeedRow(
                each.network,
                num_params(each.network, each.batch.num_classes, channels),
                macs(each.network, each.batch.num_classes, channels, (height, width)),
                each.median,
                min(each.milliseconds),
                max(each.milliseconds),
                each.median / reference.median,
                theirs,
                theirs / base if theirs is not None and base is not None else None,
            )
        )
    return exact_name(reference.network), rows


def plain_values(timed: Sequence[Timed], setting: Setting, where: str) -> dict[str, Any]:
    """The same for programs."""
    reference, rows = speed_rows(timed)
    return {
        "device": setting.device,
        "machine": where,
        "precision": setting.precision,
        "threads": setting.threads if setting.device == "cpu" else None,
        "clock": setting.clock,
        "rounds": setting.rounds,
        "batch_size": timed[0].batch.size,
        "reference": reference,
        "paper": f"figure 4: {SETUP}",
        "networks": [
            {
                "network": exact_name(row.network),
                "family": row.network.family,
                "image_shape": list(each.batch.image_shape),
                "num_classes": each.batch.num_classes,
                "num_params": row.num_params,
                "macs": row.macs,
                "milliseconds": row.median,
                "milliseconds_low": row.low,
                "milliseconds_high": row.high,
                "milliseconds_of_rounds": list(each.milliseconds),
                "milliseconds_per_gmac": row.milliseconds_per_gmac,
                "ratio": row.ratio,
                "paper_milliseconds": row.paper_milliseconds,
                "paper_ratio": row.paper_ratio,
            }
            for row, each in zip(rows, timed, strict=True)
        ],
    }


def speed_lines(timed: Sequence[Timed], setting: Setting, where: str) -> list[str]:
    """The table for a reader."""
    reference, rows = speed_rows(timed)
    unit = "CPU milliseconds" if setting.clock == "cpu" else "milliseconds"
    threads = (
        f", {setting.threads} thread{'s' if setting.threads > 1 else ''}" if setting.device == "cpu" else ""
    )
    head = (
        "network",
        "parameters",
        "GMAC",
        "ms",
        "lowest to highest",
        "a GMAC",
        f"x {reference}",
        "the paper",
    )
    cells = [head, *(_cells(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = [
        f"forward + backward of {timed[0].batch.size} images, {setting.precision}, {where}{threads}",
        f"{unit}, medians of {setting.rounds} rounds in turns; the paper's ratios are those of figure 4 ({SETUP})",
        "",
    ]
    for name, *others in cells:
        right = "".join(f"  {text.rjust(width)}" for text, width in zip(others, widths[1:], strict=True))
        lines.append(f"{name.ljust(widths[0])}{right}")
    return lines


def _cells(row: SpeedRow) -> tuple[str, ...]:
    paper = "-" if row.paper_ratio is None else f"{row.paper_ratio:.2f}"
    return (
        exact_name(row.network),
        short_count(row.num_params),
        f"{row.macs / 1e9:.2f}",
        _digits(row.median),
        f"{_digits(row.low)} to {_digits(row.high)}",
        _digits(row.milliseconds_per_gmac),
        f"{row.ratio:.2f}",
        paper,
    )


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
