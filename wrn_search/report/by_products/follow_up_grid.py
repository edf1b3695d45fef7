"""The follow-up: a grid with repeats around the best network, whose networks of equal size settle depth against width.

An adaptive search gives no intervals (rule 5). Three depths and three widening factors, each with about twice the
parameters of the one before, hold equal sizes along their diagonals: a deep and narrow network, a middle one, a
shallow and wide one.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.hyperparameter_slices import native
from wrn_search.analysis.input_tables.configurations import binomial_variance
from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.analysis.statistics.equal_size_trend import slope_error
from wrn_search.errors import InputError, printable
from wrn_search.networks.architecture import MAX_WIDEN_FACTOR, Architecture, depth_step, parse_block
from wrn_search.networks.families.family_table import DEFAULT_FAMILY
from wrn_search.networks.network_names import named_network
from wrn_search.networks.parameters_and_macs import num_params
from wrn_search.report.by_products.keys_of_a_space_file import drops, model_keys, training_keys
from wrn_search.report.by_products.settings_of_the_grid import Settings, settings_of
from wrn_search.results.atomic_files import written_once
from wrn_search.shell_commands import ours
from wrn_search.space.space import Space
from wrn_search.space.space_file import space_from_text
from wrn_search.space.yaml_with_lines import yaml_text
from wrn_search.wording import duration, plural, two_significant

if TYPE_CHECKING:
    from wrn_search.analysis.input_tables.shared_values import Trial

REPEATS = 5  # the range of five covers the median with 93.75 %
FILE = Path("follow_up.yaml")
_OF_POWER = 1.96 + 0.84  # standard errors: 95 %, two-sided, and 80 % power
STEPS = 3  # depths, and widening factors
_SAME_WIDTH = 1.1


def write_follow_up(material: Material, findings: Findings, path: Path) -> Space:
    """Writes the follow-up's space file and returns its space.

    Raises:
        InputError: no network is best yet, the file exists or cannot be written.
    """
    return written_space(follow_up_text(material, findings, path), path, "--follow-up")


def written_space(text: str, path: Path, option: str) -> Space:
    """Writes a space file that `option` named, and returns its space.

    Raises:
        InputError: the file exists or cannot be written.
    """
    space = space_from_text(text, path.name)
    with written_once(path, option) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return space


def follow_up_command(findings: Findings) -> str:
    """What writes the follow-up's space file, and a page, which has no place of its own when there are several."""
    paths = [Path(search.path) for search in findings.searches]
    page: list[str | Path] = ["--output", Path("report.html")] if len(paths) > 1 else []
    return ours("report", *paths, "--follow-up", FILE, *page)


def follow_up_text(material: Material, findings: Findings, file: Path = FILE) -> str:
    """The space file, as it stands in `file`: its header says what it asks, what it costs and how to run it.

    Raises:
        InputError: no trial was trained to its end, or the best network has no neighbours by depth and width.
    """
    if findings.answer.best is None:
        rule = "a follow-up looks around the best network, but no trial has been trained to its last epoch"
        raise InputError.of("--follow-up", rule)
    if not is_of_wide_networks(findings):
        rule = f"a follow-up is a grid of depths and widening factors, of family {DEFAULT_FAMILY}"
        raise InputError.of("--follow-up", f"{rule}, but the best network is {findings.answer.best.network}")
    trial = findings.trials[findings.answer.best.trial]
    grid = _grid(findings, trial, material)
    document = _document(material, findings, trial, grid)
    text = yaml_text(document, default_flow_style=None, width=120)
    return _header(findings, trial, grid, beside_the_search(findings, document["name"], file)) + text


def is_of_wide_networks(findings: Findings) -> bool:
    """Whether the best network, if there is one, is of the family that has depths and widths of every size."""
    best = findings.answer.best
    return best is None or named_network(best.network).family == DEFAULT_FAMILY


def depths_around(depth: int, block: str, *, shallower: int) -> list[int]:
    """`STEPS` depths, depth - 4 about doubling from one to the next, `depth` among them.

    `shallower` of them lie below it, or as many as there are: the smallest network has one block a group.
    """
    step = depth_step(parse_block(block))
    blocks = (depth - 4) // step
    below = [round(blocks / 2**power) for power in range(shallower, 0, -1)]
    below = sorted({count for count in below if 1 <= count < blocks})
    above = [blocks * 2**power for power in range(STEPS - len(below))]
    return [4 + step * count for count in (*below, *above)]


def widths_around(widen_factor: float, depths: Sequence[int], block: str, *, narrower: int) -> list[float]:
    """A widening factor for each depth, `narrower` of them below the given one, which is among them.

    The deepest network with the smallest k, ..., and the shallowest with the largest are as large as the network of
    the given k on this diagonal.
    """
    size = _size(depths[len(depths) - 1 - narrower], widen_factor, block)
    found = [_width_of_size(depth, block, size) for depth in reversed(depths)]
    found[narrower] = widen_factor
    return sorted(set(found))


def _size(depth: int, widen_factor: float, block: str) -> int:
    return num_params(Architecture.of(depth, widen_factor, block))


def _width_of_size(depth: int, block: str, size: int) -> float:
    """k of the network with this depth and about `size` parameters: whole where that is within 8 %, else two digits."""
    low, high = 1 / 16, MAX_WIDEN_FACTOR
    while high / low > 1.001:
        middle = math.sqrt(low * high)
        low, high = (middle, high) if _size(depth, middle, block) < size else (low, middle)
    whole = float(max(1, round(low)))
    return whole if abs(_size(depth, whole, block) / size - 1) <= 0.08 else max(1 / 16, float(f"{low:.2g}"))


@dataclass(frozen=True)
class _Grid:
    depths: list[int]
    widths: list[float]
    block: str
    settings: list[Settings] = field(default_factory=list)  # of what else was searched

    @property
    def configurations(self) -> int:
        """Networks times settings."""
        return len(self.networks) * math.prod(len(each.values) for each in self.settings)

    @property
    def networks(self) -> list[Architecture]:
        """Every network of the grid."""
        return [Architecture.of(depth, width, self.block) for depth in self.depths for width in self.widths]


def _document(material: Material, findings: Findings, trial: Trial, grid: _Grid) -> dict[str, Any]:
    """Depths, widths and the grid's settings; the best configuration's own values for all else."""
    leaves = material.trials.loc[findings.trials.index(trial)]
    chosen = {each.name: _value(each) for each in grid.settings}
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
            **{name: chosen.get(name, native(leaves[name])) for name in model_keys(leaves)},
        },
        "training": {name: chosen.get(name, native(leaves[name])) for name in training_keys(leaves)}
        | drops(leaves),
        "search": {
            "searcher": "grid",
            "scheduler": "none",
            "repeats": REPEATS,
            # Fresh seeds: those of the search have been selected.
            "seed": (max(seeds, default=0) + 1) % 2**31,
        },
    }
    return document


def fixed_keys(material: Material, findings: Findings) -> tuple[dict[str, Any], dict[str, Any], set[str]]:
    """Of `model` and of `training` what no search over these images varied, and the names of what one did."""
    assert findings.answer.best is not None
    leaves = material.trials.loc[findings.answer.best.trial]
    searched = set(material.hyperparameters)
    network = ("family", "depth", "widen_factor", "block", *model_keys(leaves))
    model = {name: native(leaves[name]) for name in network if name not in searched}
    kept = [name for name in training_keys(leaves) if name not in searched]
    training: dict[str, Any] = {name: native(leaves[name]) for name in kept}
    return model, training | drops(leaves), searched


def _grid(findings: Findings, trial: Trial, material: Material) -> _Grid:
    """The best network in the middle, or at a corner where the middle would need networks larger than any so far.

    Where the best lies at an edge of the depths or widths tried, what lies beyond is the question, so it stands in the
    middle. The narrowest networks tried stay in: they cost least, and are what a wider one must beat.
    """
    grid = _around(findings, trial, material)
    narrowest = min(other.widen_factor for other in findings.trials)
    if narrowest < min(grid.widths) / _SAME_WIDTH:
        grid = replace(grid, widths=[narrowest, *grid.widths])
    return replace(grid, settings=settings_of(material, findings, grid.networks))


def _around(findings: Findings, trial: Trial, material: Material) -> _Grid:
    block = str(material.trials["block"].iloc[findings.trials.index(trial)])
    most = max(other.num_params for other in findings.trials)
    grids = []
    for shallower, narrower in ((1, 1), (1, 2), (2, 2)):
        depths = depths_around(trial.depth, block, shallower=shallower)
        grids.append(
            _Grid(depths, widths_around(trial.widen_factor, depths, block, narrower=narrower), block)
        )
    if any(edge.name in ("depth", "widen_factor") for edge in findings.answer.edges):
        return grids[0]
    fitting = (grid for grid in grids if max(num_params(network) for network in grid.networks) <= 1.1 * most)
    return next(fitting, grids[-1])


def beside_the_search(findings: Findings, name: str, file: Path) -> list[str]:
    """What runs a space file into a directory beside the first search's, and what then reads all of them together."""
    searches = [Path(search.path) for search in findings.searches]
    beside = searches[0] if searches[0].name else searches[0].absolute()  # "." has no name
    results = _free(beside.with_name(name))
    return [
        ours("run", file, "--results", results),
        ours("report", *searches, results, "--output", results.with_name(f"{results.name}.html")),
    ]


def _free(results: Path) -> Path:
    """The path, numbered where an earlier follow-up lies there."""
    tries = (results.with_name(f"{results.name}_{number}") for number in itertools.count(2))
    return results if not results.exists() else next(path for path in tries if not path.exists())


def _header(findings: Findings, trial: Trial, grid: _Grid, commands: Sequence[str]) -> str:
    networks, hours = len(grid.networks), _hours(findings, grid)
    settings = math.prod(len(each.values) for each in grid.settings)
    each_with = f" x {settings} settings" if settings > 1 else ""
    cost = f"about {duration(3600 * hours)} of training at the measured pace" if hours else "time not known"
    of = ", ".join(search.name for search in findings.searches)
    lines = [
        f"Follow-up of {of}, written by `report --follow-up`.",
        "",
        f"asks      whether depth or width is worth more at equal parameters around {trial.network}",
        f"how       {len(grid.depths)} depths x {len(grid.widths)} widening factors, {REPEATS} seeds each, no early",
        "          stopping; along the diagonals networks have about equal parameters",
        *(f"settings  {each.why}" for each in grid.settings if each.why),
        f"costs     {networks} networks{each_with} x {REPEATS} seeds x {plural(trial.epochs, 'epoch')}, {cost}",
        f"expect    measured intervals{_detectable(findings, grid)}",
        "",
        *(f"    {command}" for command in commands),
    ]
    # A name or a path must not end the comment.
    return "".join(f"# {printable(line)}".rstrip() + "\n" for line in lines)


def _detectable(findings: Findings, grid: _Grid) -> str:
    """The smallest differences that so many seeds find with a power of 80 %, one in twenty by chance."""
    spread = findings.answer.seed_deviation
    if spread is None:
        spread = findings.model.spread
    counted = ""
    if not spread:
        best = findings.answer.best
        variance = binomial_variance(best.val_error, findings.dataset.validation_images) if best else None
        if variance is None:
            return ": which differences they find the first seeds will tell, as no spread is on record"
        spread, counted = math.sqrt(variance), ", if seeds differ by no more than counting errors does,"
    difference = two_significant(_OF_POWER * spread * math.sqrt(2 / REPEATS))
    told = f"; two networks that differ by {difference} points{counted} are told apart in 4 of 5 such grids"
    unit = slope_error(grid.networks, REPEATS)
    if unit is not None:
        slope = two_significant(_OF_POWER * spread * unit)
        told += f", and a slope of {slope} points a doubling of depth:width is found"
    return told


def _value(settings: Settings) -> Any:
    return settings.values[0] if len(settings.values) == 1 else {"choice": list(settings.values)}


def _hours(findings: Findings, grid: _Grid) -> float | None:
    """Hours of the whole grid at the seconds an epoch that the search's trials took for each parameter."""
    paces = [t.seconds_per_epoch / t.num_params for t in findings.trials if t.seconds_per_epoch]
    if not paces:
        return None
    weights = sum(num_params(network) for network in grid.networks) * grid.configurations / len(grid.networks)
    return statistics.median(paces) * weights * REPEATS * findings.max_epochs / 3600
