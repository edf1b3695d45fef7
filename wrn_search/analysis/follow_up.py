"""The follow-up: a grid with repeats around the best network, whose networks of equal size settle depth against width.

An adaptive search gives no intervals (rule 5). Three depths and three widening factors, each twice as many parameters
apart as the next, hold the same sizes along their diagonals: a third of the networks have a partner of equal
parameters deeper and narrower, or shallower and wider.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from wrn_search.analysis.findings import Findings
from wrn_search.analysis.material import Material
from wrn_search.analysis.slices import native
from wrn_search.analysis.writing import written_once
from wrn_search.complexity import num_params
from wrn_search.space.architecture import MAX_WIDEN_FACTOR, Architecture, depth_step, parse_block
from wrn_search.space.definition import Space
from wrn_search.space.errors import InputError, printable
from wrn_search.space.reader import space_from_text

if TYPE_CHECKING:
    from wrn_search.analysis.quantities import Trial

REPEATS = 5  # the range of five covers the median with 93.75 %
STEPS = 3  # depths, and widening factors
_MODEL_KEYS = ("dropout", "init")
_TRAINING_KEYS = (
    *("epochs", "batch_size", "learning_rate", "momentum", "weight_decay", "weight_decay_on", "lr_schedule"),
    *("lr_drop_factor", "precision"),
)


def write_follow_up(material: Material, findings: Findings, path: Path) -> Space:
    """Writes the follow-up's space file and returns its space.

    Raises:
        InputError: no network is best yet, the file exists or cannot be written.
    """
    text = follow_up_text(material, findings)
    space = space_from_text(text, path.name)
    with written_once(path, "--follow-up") as temporary:
        temporary.write_text(text, encoding="utf-8")
    return space


def follow_up_text(material: Material, findings: Findings) -> str:
    """The space file: its header says what it asks and what it costs.

    Raises:
        InputError: no trial was trained to its end, so there is nothing to look around.
    """
    if findings.answer.best is None:
        rule = "a follow-up looks around the best network, but no trial has been trained to its last epoch"
        raise InputError.of("--follow-up", rule)
    trial = findings.trials[findings.answer.best.trial]
    grid = _grid(findings, trial, material)
    document = _document(material, findings, trial, grid)
    text = yaml.safe_dump(document, sort_keys=False, default_flow_style=None, width=120)
    return _header(findings, trial, grid) + text


def depths_around(depth: int, block: str, *, shallower: int) -> list[int]:
    """`STEPS` depths with depth - 4 doubling from one to the next, `depth` the one with `shallower` below it.

    Rounded to depths that exist; those that would fall together or below the smallest go above instead.
    """
    step = depth_step(parse_block(block))
    blocks = (depth - 4) // step
    lowest = max(1, round(blocks / 2**shallower))
    found = [lowest]
    while len(found) < STEPS:
        found.append(max(found[-1] + 1, 2 * found[-1]))
    # Rounding must not lose the best network itself.
    nearest = min(range(STEPS), key=lambda place: (abs(found[place] - blocks), place))
    found[nearest] = blocks
    return sorted({4 + step * count for count in found})


def widths_around(widen_factor: float, *, narrower: int) -> list[float]:
    """`STEPS` widening factors, each sqrt 2 times the one before, with `narrower` below the given one."""
    found = []
    for place in range(STEPS):
        exact = widen_factor * math.sqrt(2) ** (place - narrower)
        bounded = min(max(exact, 1 / 16), MAX_WIDEN_FACTOR)
        found.append(widen_factor if place == narrower else _rounded(bounded))
    return sorted(set(found))


def _rounded(width: float) -> float:
    """A whole number where one is within 8 %, else one decimal: bands of equal parameters are wider than that."""
    whole = max(1, round(width))
    return float(whole) if abs(whole / width - 1) <= 0.08 else max(1 / 16, round(width, 1))


@dataclass(frozen=True)
class _Grid:
    depths: list[int]
    widths: list[float]
    block: str

    @property
    def networks(self) -> list[Architecture]:
        """Every network of the grid."""
        return [Architecture.of(depth, width, self.block) for depth in self.depths for width in self.widths]


def _document(material: Material, findings: Findings, trial: Trial, grid: _Grid) -> dict[str, Any]:
    """The best configuration's own values for all but depth and width."""
    leaves = material.trials.loc[findings.trials.index(trial)]
    space = material.sources[int(leaves["source"])].space
    seeds = [provenance.seed or 0 for provenance in findings.provenance]
    document: dict[str, Any] = {
        "name": f"{findings.searches[0].name[:80]}_follow_up",
        "description": f"Depth against width around {trial.network}, {REPEATS} seeds each, every trial to its end.",
        "dataset": {"name": findings.dataset.name} if space is None else space.dataset.model_dump(),
        "model": {
            "depth": {"choice": grid.depths},
            "widen_factor": {"choice": grid.widths},
            "block": grid.block,
            **{name: native(leaves[name]) for name in _MODEL_KEYS},
        },
        "training": {name: native(leaves[name]) for name in _TRAINING_KEYS},
        "search": {
            "searcher": "grid",
            "scheduler": "none",
            "repeats": REPEATS,
            # Fresh seeds: those of the search have been selected.
            "seed": (max(seeds, default=0) + 1) % 2**31,
        },
    }
    document["training"]["lr_drops"] = [float(drop) for drop in leaves["lr_drops"]]
    return document


def _grid(findings: Findings, trial: Trial, material: Material) -> _Grid:
    """The best network in the middle, or at a corner where the middle would need networks larger than any so far."""
    block = str(material.trials["block"].iloc[findings.trials.index(trial)])
    most = max(other.num_params for other in findings.trials)
    grids = [
        _Grid(
            depths_around(trial.depth, block, shallower=shallower),
            widths_around(trial.widen_factor, narrower=narrower),
            block,
        )
        for shallower, narrower in ((1, 1), (1, 2), (2, 2))
    ]
    fitting = (grid for grid in grids if max(num_params(network) for network in grid.networks) <= 1.1 * most)
    return next(fitting, grids[-1])


def _header(findings: Findings, trial: Trial, grid: _Grid) -> str:
    networks, hours = len(grid.networks), _hours(findings, grid)
    cost = f"about {hours:.2g} hours of training at the measured pace" if hours else "time not known"
    of = ", ".join(search.name for search in findings.searches)
    paths = " ".join(search.path for search in findings.searches)
    lines = [
        f"Follow-up of {of}, written by `report --follow-up`.",
        "",
        f"asks      whether depth or width is worth more at equal parameters around {trial.network}",
        f"how       {len(grid.depths)} depths x {len(grid.widths)} widening factors, {REPEATS} seeds each, no early",
        "          stopping; along the diagonals networks have about equal parameters",
        f"costs     {networks} networks x {REPEATS} seeds x {trial.epochs} epochs, {cost}",
        "expect    intervals: this design can give them",
        "",
        f"    python -m wrn_search report {paths} RESULTS-OF-THIS-FILE",
    ]
    # A name or a path must not end the comment.
    return "".join(f"# {printable(line)}".rstrip() + "\n" for line in lines)


def _hours(findings: Findings, grid: _Grid) -> float | None:
    """Hours of the whole grid at the seconds an epoch that the search's trials took for each parameter."""
    paces = [t.seconds_per_epoch / t.num_params for t in findings.trials if t.seconds_per_epoch]
    if not paces:
        return None
    weights = sum(num_params(network) for network in grid.networks)
    return statistics.median(paces) * weights * REPEATS * findings.max_epochs / 3600
