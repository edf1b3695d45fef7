"""Whether intervals from repeats hold, and who is named winner by fresh seeds: made-up trainings whose truth is known.

Grids with seeds: error = law(parameters) + 0.2 points a doubling of depth:width + noise of seeds. The interval of the
slope from the spread of the repeats, where the test of lack of fit passes, else over configurations as `report` has it,
against the wild bootstrap over configurations that stood there before. It must cover in 93 to 97 %.

Finalists: the best of 24 configurations of a search are retrained; their true errors differ as the search's noise does.
How often the lowest fresh median, and how often the search's own error, names the best of them; its regret; and how
often the winner's curse lies in its interval, and a finalist that is no worse is called worse.

    python -m benchmarks.repeated_designs [--samples 1000] [--bootstraps 200] [--seed 0] [--json FILE]
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import options, report
from wrn_search.analysis.statistics import equal_size_trend
from wrn_search.analysis.statistics.equal_size_trend import intervals, repeated_trend
from wrn_search.analysis.statistics.fresh_seeds import fresh_spread
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import num_params

Floats = NDArray[np.float64]

GRIDS = {
    "3 x 3": ((16, 28, 52), (1.0, 2.0, 4.0)),
    "2 x 3": ((16, 28), (1.0, 2.0, 4.0)),
    "2 x 3 wide": ((16, 40), (1.0, 4.0, 10.0)),
}
SLOPE, NOISE = 0.2, 0.3  # points a doubling of depth:width; deviation of seeds, points
COVERED = (0.93, 0.97)
_SLOPE = np.array([1.0, 0.0])
FINALISTS, TRIED = 3, 24


def law(kind: str, log_params: Floats) -> Floats:
    """Error by parameters, percent: none, or more of them help less and less."""
    if kind == "flat":
        return np.full_like(log_params, 5.0)
    return np.asarray(3 + 12 * (2.0**log_params / 1e5) ** -0.4)


def grid(depths: tuple[int, ...], widths: tuple[float, ...]) -> tuple[Floats, Floats]:
    """(log2 parameters, log2 depth:width) of its networks."""
    networks = [Architecture.of(depth, width, "B(3,3)") for depth in depths for width in widths]
    sizes = np.log2([float(num_params(each)) for each in networks])
    return sizes, np.log2([each.depth / each.widen_factor for each in networks])


def coverage(
    log_params: Floats, log_ratio: Floats, kind: str, repeats: int, samples: int, bootstraps: int, seed: int
) -> dict[str, float]:
    """Shares covered and mean widths of both intervals, and how often lack of fit was found."""
    generator = np.random.default_rng([seed, repeats, len(log_params)])
    truth = law(kind, log_params) + SLOPE * log_ratio
    found: dict[str, list[float]] = {
        name: [] for name in ("covered", "width", "lack", "before", "before_width")
    }
    for sample in range(samples):
        groups = truth[:, None] + NOISE * generator.standard_normal((len(truth), repeats))
        told = repeated_trend(log_params, log_ratio, groups.tolist())
        assert told is not None, "there are repeats"
        fails = bool(told.fit.lack_of_fit and told.fit.lack_of_fit.fails)
        ours = intervals(log_params, log_ratio, groups.mean(1), _SLOPE) if fails else told.interval(_SLOPE)
        assert ours is not None, "there are networks enough"
        found["lack"].append(fails)
        found["covered"].append(ours[0] <= SLOPE <= ours[1])
        found["width"].append(ours[1] - ours[0])
        if sample < bootstraps:
            before = wild_bootstrap(log_params, log_ratio, groups.mean(1))
            found["before"].append(before[0] <= SLOPE <= before[1])
            found["before_width"].append(before[1] - before[0])
    return {name: float(np.mean(values)) for name, values in found.items()}


def wild_bootstrap(log_params: Floats, log_ratio: Floats, error: Floats) -> tuple[float, float]:
    """What stood there before: the bootstrap whatever the number of residuals."""
    few, equal_size_trend.FEW = equal_size_trend.FEW, 0
    try:
        found = intervals(log_params, log_ratio, error, _SLOPE)
    finally:
        equal_size_trend.FEW = few
    assert found is not None, "there are networks enough"
    return found


def finalists(samples: int, repeats: int, seed: int) -> dict[str, float]:
    """Who is named, and what is told of it."""
    generator = np.random.default_rng([seed, 99])
    count = dict.fromkeys(
        ("fresh right", "search right", "fresh regret", "search regret", "curse", "worse"), 0.0
    )
    for _ in range(samples):
        true = 5 + 0.3 * generator.standard_normal(TRIED)
        seen = true + NOISE * generator.standard_normal(TRIED)
        chosen = np.argsort(seen)[:FINALISTS]
        fresh = true[chosen, None] + NOISE * generator.standard_normal((FINALISTS, repeats))
        medians = np.median(fresh, axis=1)
        named, best = int(medians.argmin()), int(true[chosen].argmin())
        count["fresh right"] += named == best
        count["search right"] += best == 0
        count["fresh regret"] += true[chosen][named] - true[chosen].min()
        count["search regret"] += true[chosen][0] - true[chosen].min()
        spread = fresh_spread(fresh.tolist())
        assert spread is not None, "there are repeats"
        low, high = spread.of_median(float(medians[named]), repeats)
        count["curse"] += low <= true[chosen][named] <= high
        above = [spread.of_difference(float(each - medians[named]), repeats, repeats) for each in medians]
        count["worse"] += any(
            low > 0 and true[chosen][place] <= true[chosen][named] and place != named
            for place, (low, _) in enumerate(above)
        )
    return {name: value / samples for name, value in count.items()}


def main() -> None:
    """Measures and prints."""
    parser = options(__doc__, rounds=1)
    parser.add_argument(
        "--samples", type=int, default=1000, help="of each grid, law and number of seeds (default 1000)"
    )
    parser.add_argument("--bootstraps", type=int, default=200, help="of them for the bootstrap (default 200)")
    parser.add_argument("--seed", type=int, default=0, help="of the made-up errors (default 0)")
    chosen = parser.parse_args()
    head = f"{'grid':<12}{'law':<7}{'seeds':>6}{'covered':>9}{'width':>8}{'no fit':>8}"
    head += f"{'bootstrap covered':>19}{'width':>8}"
    lines = [f"repeated_designs: slope from repeats, n = {chosen.samples}, seed {chosen.seed}", head]
    values: dict[str, Any] = {"grids": {}}
    passed = True
    for name, sides in GRIDS.items():
        arrays = grid(*sides)
        for kind in ("flat", "power"):
            for repeats in (2, 5):
                found = coverage(*arrays, kind, repeats, chosen.samples, chosen.bootstraps, chosen.seed)
                holds = COVERED[0] <= found["covered"] <= COVERED[1]
                passed = passed and holds
                values["grids"][f"{name}, {kind}, {repeats} seeds"] = found
                lines.append(
                    f"{name:<12}{kind:<7}{repeats:>6}{found['covered']:>9.3f}{found['width']:>8.2f}{found['lack']:>8.3f}"
                    f"{found['before']:>19.3f}{found['before_width']:>8.2f}{'' if holds else '  MISSED'}"
                )
    for repeats in (2, 5):
        told = finalists(max(chosen.samples, 4000), repeats, chosen.seed)
        values[f"finalists, {repeats} seeds"] = told
        lines += [
            f"{FINALISTS} finalists of {TRIED}, {repeats} seeds: the best is named in {told['fresh right']:.2f} by the "
            f"lowest fresh median, in {told['search right']:.2f} by the search's error",
            f"  regret {told['fresh regret']:.3f} and {told['search regret']:.3f} points; curse in its interval "
            f"{told['curse']:.3f}; one no worse called worse {told['worse']:.3f}",
        ]
    report(
        "repeated_designs",
        [*lines, f"covered in {COVERED[0]:g} to {COVERED[1]:g}: {'passed' if passed else 'MISSED'}"],
        values | {"samples": chosen.samples, "seed": chosen.seed, "passed": passed},
        chosen.json,
    )


if __name__ == "__main__":
    main()
