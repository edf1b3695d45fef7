"""Our search methods and the rivals on every table of recorded curves: regret at equal epochs.

Regret 0 is a table's best recorded end, 1 its median; the budget is counted in whole trainings. Tables stand in name
order in two halves: even places for choosing settings, odd ones held out.

python -m benchmarks.search_quality --curves DIR [--methods ours,rivals] [--seeds 30] [--half both]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.curve_sources import HALVES, families, half_of
from benchmarks.measuring import report
from benchmarks.played_arms import ArmPlayed, half, played, summary
from benchmarks.quick_tpe import quick_tpe
from benchmarks.search_arms import DEFAULT, Arm, groups, register_variants
from wrn_search.errors import InputError
from wrn_search.hardware.detected_cores_and_gpus import usable_cores
from wrn_search.replay.curve_table import CurveTable

if __name__ in ("__main__", "__mp_main__"):  # the processes of `all_plays` import this module anew
    quick_tpe()
    register_variants()


def main(arguments: Sequence[str] | None = None) -> int:
    """Plays, prints, writes."""
    asked = _parser().parse_args(arguments)
    try:
        tables = families(asked.curves)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    arms = list(dict.fromkeys(arm for group in asked.methods for arm in groups()[group]))
    if absent := set(asked.arms or ()) - {arm.name for arm in arms}:
        names = ", ".join(arm.name for arm in arms)
        print(f"--arms: must be of {names}, but got {', '.join(sorted(absent))}", file=sys.stderr)
        return 2
    arms = [arm for arm in arms if not asked.arms or arm.name in asked.arms]
    found: dict[str, Any] = {}
    lines: list[str] = []
    for family, all_of_it in tables.items():
        if asked.tables and family not in asked.tables:
            continue
        kept = [table for place, table in enumerate(all_of_it) if asked.half in ("both", half_of(place))]
        kept = kept[: asked.first or None]
        if not kept:
            continue
        print(f"{family}:", file=sys.stderr)
        results = [_played_once(arm, family, kept, asked) for arm in arms]
        found[family] = {
            "tables": {
                table.name: {"configurations": len(table.configurations), "epochs": table.epochs}
                for table in kept
            },
            "cpu_seconds": {each.arm.name: round(each.cpu_seconds, 1) for each in results},
            **_halves(results, asked),
        }
        lines += _text(family, found[family], asked)
    values = {
        "seeds": asked.seeds,
        "trainings": asked.trainings,
        "regret": "0 best, 1 median",
        "families": found,
    }
    part = "" if asked.methods == ["ours", "rivals"] else "_" + "_".join(asked.methods)
    report("search_quality", lines, values, asked.json, part=part)
    return 0


def _played_once(arm: Arm, family: str, tables: Sequence[CurveTable], asked: argparse.Namespace) -> ArmPlayed:
    """An arm's plays; what `--keep` holds of them, from a run of the same code that was broken off, is taken."""
    keep = None if asked.keep is None else asked.keep / family
    found = played(arm, tables, asked.seeds, asked.trainings[-1], asked.processes, keep)
    print(
        f"  {arm.name}, {asked.seeds} seeds: {found.cpu_seconds:.0f} CPU seconds", file=sys.stderr, flush=True
    )
    return found


def _halves(results: Sequence[ArmPlayed], asked: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    """Half -> a summary of each arm."""
    if asked.half != "both":  # then all tables that were played are of that half
        parts = {asked.half: {each.arm.name: each for each in results}}
    else:
        parts = {name: {each.arm.name: half(each, name) for each in results} for name in HALVES}
    return {
        name: [
            summary(each, part.get(each.arm.against, each), part.get(asked.default), asked.trainings)
            for each in part.values()
        ]
        for name, part in parts.items()
        if any(each.regrets for each in part.values())
    }


def _text(family: str, found: Mapping[str, Any], asked: argparse.Namespace) -> list[str]:
    lines = []
    for name in HALVES:
        rows = found.get(name, ())
        if not rows:
            continue
        lines.append(
            f"{family}, {name} half: {rows[0]['tables']} tables x {asked.seeds} seeds, "
            f"at {', '.join(map(str, asked.trainings))} whole trainings"
        )
        wide = max(len(row["name"]) for row in rows)
        lines.append(
            f"  {'':{wide}}  {'median regret':<18}{'mean':<18}{'default needs':<20}{'pooled':<20}"
            f"{'difference (95 %), tables better:worse, at the last':<52}done stop div  best stopped"
        )
        lines += [_line(row, wide) for row in rows]
        lines.append("")
    return lines


def _line(row: Mapping[str, Any], wide: int) -> str:
    budgets, trials = row["budgets"], row["trials"]
    medians = " ".join(f"{each['regret'][0]:.2f}" for each in budgets)
    means = " ".join(f"{each['mean_regret']:.2f}" for each in budgets)
    needs, pooled = (_shares(budgets, key) for key in ("default_needs", "default_needs_pooled"))
    difference = ""
    if "difference" in (last := budgets[-1]):
        low, high = last["interval"]
        tables = f"{len(last['better_on'])}:{len(last['worse_on'])}"
        difference = (
            f"{last['difference']:+.2f} ({low:+.2f} to {high:+.2f}) {tables} against {row['against']}"
        )
    ends = f"{trials['completed']:4.0f}{trials['stopped']:5.0f}{trials['diverged']:4.0f}"
    best = f"{trials['best_stopped']:.1f} of {trials['best_begun']:.1f}"
    return f"  {row['name']:{wide}}  {medians:<18}{means:<18}{needs:<20}{pooled:<20}{difference:<52}{ends}  {best}"


def _shares(budgets: Sequence[Mapping[str, Any]], key: str) -> str:
    shares = (each.get(key, "") for each in budgets)
    return " ".join(
        f"{share:.2f}" if isinstance(share, float) else share.replace(" ", "") for share in shares
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    arms = sorted({arm.name for group in groups().values() for arm in group})
    add("--curves", type=Path, help="a folder with the described Parquet files of others")
    add("--seeds", type=_whole, default=30, help="plays of each method on each table (default 30)")
    add("--methods", type=_names(list(groups())), default=["ours", "rivals"], help=", ".join(groups()))
    add(
        "--arms",
        type=lambda text: text.split(","),
        metavar="ARM,...",
        help="only these of the methods (default all)",
    )
    add("--half", choices=(*HALVES, "both"), default="both", help="of the tables (default both)")
    add("--tables", type=lambda text: text.split(","), help="families (default all)")
    add("--first", type=_whole, help="tables of each family at most (default all)")
    add(
        "--trainings",
        type=lambda text: sorted(map(_whole, text.split(","))),
        default=[10, 20, 40],
        help="budgets in whole trainings (default 10,20,40)",
    )
    add(
        "--default",
        choices=arms,
        metavar="ARM",
        default=DEFAULT,
        help=f"the arm that is asked how soon it has what the others have (default {DEFAULT})",
    )
    add(
        "--keep",
        type=Path,
        help="a folder for finished plays: a run that is broken off goes on, and one with more seeds adds to it",
    )
    add("--processes", type=_whole, default=usable_cores(), help="default all cores")
    add("--json", type=Path, help="where the values go (default results/MACHINE/)")
    return parser


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, but got '{text}'")
    return int(text)


def _names(known: Sequence[str]) -> Any:
    def names(text: str) -> list[str]:
        given = text.split(",")
        if wrong := [name for name in given if name not in known]:
            raise argparse.ArgumentTypeError(f"must be of {', '.join(known)}, but got {', '.join(wrong)}")
        return given

    return names


if __name__ == "__main__":
    sys.exit(main())
