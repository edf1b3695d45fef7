"""Every pair of depth and widening factor that the spaces have, and what the curve model expects of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from wrn_search.analysis.curve_model.model_values import Margin, ModelCell
from wrn_search.analysis.depth_width_map import CellMap
from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.curves.curve_fit import CurveFit
from wrn_search.curves.ends.ends_of_cells import ends_of_cells
from wrn_search.curves.observed_curves import DEPTH, WIDTH
from wrn_search.curves.winner_and_smallest import standings
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import num_params
from wrn_search.space.domains import Choice, IntRange, finite_values

if TYPE_CHECKING:
    import pandas as pd

MOST = 200  # cells; of more only those that were tried are told
Pair = tuple[int, float]


def cells_of_the_space(material: Material, error_map: CellMap) -> tuple[Pair, ...]:
    """All pairs of the values that were tried or could have been; middles of bins where k is continuous."""
    tried = {(cell.depth, cell.widen_factor) for cell in error_map.cells}
    depths, widths = {depth for depth, _ in tried}, {width for _, width in tried}
    listed = [source.space.networks if source.space else None for source in material.sources]
    if all(networks is not None for networks in listed):  # no product of depths and widths
        if any(len(networks or ()) > MOST for networks in listed):
            return tuple(sorted(tried))
        own = {(each.depth, each.widen_factor) for networks in listed for each in networks or ()}
        return tuple(sorted(tried | own if len(tried | own) <= MOST and not error_map.binned else tried))
    for source in material.sources:
        depths |= {int(value) for value in _values(source.domains.get(DEPTH))}
        if not error_map.binned:
            widths |= set(_values(source.domains.get(WIDTH)))
    pairs = {(depth, width) for depth in depths for width in widths}
    return tuple(sorted(pairs if len(pairs) <= MOST else tried))


def _values(domain: object) -> tuple[float, ...]:
    """Of a finite domain of numbers."""
    values = finite_values(domain) if isinstance(domain, Choice | IntRange) else ()
    return tuple(float(value) for value in values or () if not isinstance(value, str))


def architecture_of(material: Material, pair: Pair) -> Architecture | None:
    """The network of a cell: of the block that most of its trials had, or most of all; None where it has none such."""
    trials = material.trials
    own = trials[(trials["depth"] == pair[0]) & (trials["widen_factor"] == pair[1])]
    block, family = (own if len(own) else trials)[["block", "family"]].value_counts().index[0]
    try:
        return Architecture.of(*pair, block, family)
    except ValueError:
        return None


def network_of(material: Material, pair: Pair) -> tuple[str, int] | None:
    """(name, parameters) of a cell; None where the depth does not fit the commonest block."""
    shape, classes = material.dataset.image_shape, material.dataset.num_classes
    network = architecture_of(material, pair)
    if network is None:
        return None
    return network.name, num_params(network, classes or 10, shape[2] if shape else 3)


def model_cells(
    fit: CurveFit, material: Material, error_map: CellMap, margin: Margin
) -> tuple[ModelCell, ...]:
    """Every cell of the space, each at its own best setting of everything else."""
    networks = {pair: network_of(material, pair) for pair in cells_of_the_space(material, error_map)}
    pairs = [pair for pair, network in networks.items() if network is not None]
    told = zip(
        ends_of_cells(fit, cells=pairs), standings(fit, margin.points, margin.share, pairs), strict=True
    )
    reached = _reached(fit, material, error_map)
    found = []
    for pair, (end, standing) in zip(pairs, told, strict=True):
        network = networks[pair]
        assert network is not None
        rungs = reached.get(pair, tuple((epoch, 0) for epoch in _epochs(fit)))
        n = rungs[-1][1]  # of a bin all its trials, unlike the model, which knows single widths
        found.append(
            ModelCell(
                *pair,
                *network,
                at=dict(end.at),
                estimate=end.estimate,
                low=end.low,
                high=end.high,
                kind="measured" if n else "predicted",
                n=n,
                reached=rungs,
                best=end.best,
                difference=standing.difference,
                difference_low=standing.low,
                difference_high=standing.high,
                standing=standing.standing,
            )
        )
    return tuple(found)


def smallest_of(cells: tuple[ModelCell, ...]) -> ModelCell | None:
    """The smallest network that is as good as the best."""
    return min(
        (each for each in cells if each.standing == "as good"), key=lambda each: each.num_params, default=None
    )


def _epochs(fit: CurveFit) -> tuple[int, ...]:
    return (*(each for each in fit.table.rungs if each < fit.table.last_epoch), fit.table.last_epoch)


def _reached(
    fit: CurveFit, material: Material, error_map: CellMap
) -> Mapping[Pair, tuple[tuple[int, int], ...]]:
    """How many trials of each cell were seen at each rung and at the end; those that diverged were not."""
    from wrn_search.analysis.depth_width_map import columns_of

    widths, _ = columns_of(material.trials["widen_factor"])
    rows: pd.DataFrame = material.trials[material.trials["status"] != "diverged"]
    return {
        (int(depth), float(width)): tuple(
            (epoch, int((each["epochs_done"] >= epoch).sum())) for epoch in _epochs(fit)
        )
        for (depth, width), each in rows.groupby(["depth", widths.loc[rows.index]])
    }
