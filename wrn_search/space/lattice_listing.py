"""The networks of a space whose networks are no product, one by one: for `check --lattice`."""

from __future__ import annotations

import itertools
from typing import Any

from wrn_search.datasets.dataset import DatasetFacts
from wrn_search.errors import InputError
from wrn_search.networks.network_names import exact_name
from wrn_search.space.network_budgets import images_of, sizes_of
from wrn_search.space.space import Space
from wrn_search.wording import plural

MOST_ROWS = 1000  # of the table that is printed
_HEAD = ("network", "parameters", "multiply-adds", "depth:width")


def lattice_rows(space: Space, facts: DatasetFacts, most: int | None = None) -> list[dict[str, Any]]:
    """The networks in the order of block, depth and widening factor, as plain values; sizes null where not known.

    Args:
        space: the search.
        facts: of its images, where a look at the files told more than the data set's name.
        most: so many rows at most.

    Raises:
        InputError: the space has no such list: its networks are all pairs of its depths and widening factors.
    """
    if space.networks is None:
        rule = "needs a space with constraints or with a choice in model.network"
        text = f"{rule}, but the networks of this one are all combinations of its depths, widening factors and blocks"
        raise InputError.of("--lattice", text)
    images = images_of(space.constraints, facts)
    rows = []
    for network in itertools.islice(space.networks, most):
        sizes = sizes_of(network, images) if images else {"num_params": None, "macs": None}
        rows.append(
            {
                "network": exact_name(network),
                "depth": network.depth,
                "widen_factor": network.widen_factor,
                "block": network.block,
                **sizes,
                "depth_width_ratio": network.depth / network.widen_factor,
            }
        )
    return rows


def lattice_text(space: Space, facts: DatasetFacts) -> str:
    """The same as a table for a reader."""
    rows = lattice_rows(space, facts, MOST_ROWS)
    cells = [_HEAD, *((str(row["network"]), *map(_shown, list(row.values())[4:])) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEAD))]
    lines = []
    for name, *sizes in cells:
        right = "".join(f"  {size.rjust(width)}" for size, width in zip(sizes, widths[1:], strict=True))
        lines.append(f"  {name.ljust(widths[0])}{right}")
    count = len(space.networks or ())
    more = f", the first {MOST_ROWS} of them below (--json has all)" if count > len(rows) else ""
    return "\n".join([f"lattice       {plural(count, 'network')}{more}", *lines])


def _shown(value: float | None) -> str:
    if value is None:
        return "only the files tell"
    return f"{value:,}" if isinstance(value, int) else f"{value:.1f}"
