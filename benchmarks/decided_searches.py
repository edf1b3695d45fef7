"""How often a search that stops when it is decided says something false, on made-up searches whose truth is known.

`search.stop_when: decided` looks at a growing search again and again, which inflates error rates: so each look asks for
99 % and two in a row must answer everything (`verdict_so_far/answered_questions.py`). Played here with other levels
beside it, on the same searches. A decision is false if any of its answers is: depth against width on the wrong side
(any side where nothing was planted), or called no difference beyond the margin; a winner that another network beats
by more than the margin; a smallest network that is not as good, or that a smaller one beats. At most 5 % of all
searches may end so.

Ctrl-C ends it and prints what was played.

    python -m benchmarks.decided_searches [--seeds 100] [--trials 72] [--planted nothing,drawn] [--first-seed 0]
"""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.answer_quality import truths
from benchmarks.measuring import options, report
from benchmarks.planted_searches import EPOCHS, Truth, end_of, planted_cells, searched
from wrn_search.curves.anchor_audit import audit_by_anchors
from wrn_search.curves.curve_fit import fit
from wrn_search.curves.effects import DEPTH_VS_WIDTH
from wrn_search.curves.observed_curves import ObservedCurves
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import num_params
from wrn_search.verdict_so_far.answered_questions import (
    DRAWS,
    EFFECT_MARGIN,
    IN_A_ROW,
    LEVEL,
    SEED,
    SMALLEST,
    WINNER,
    Answer,
    answers_of_fit,
    is_decided,
    next_look,
)

LEVELS = (0.95, 0.975, LEVEL)
ANCHORS = 0.1
MOST_FALSE = 0.05
DEPTHS, WIDTHS = (16.0, 40.0), (1.0, 4.0)  # few networks, so that many searches can be decided
SIZES = {(d, k): num_params(Architecture.of(int(d), k, "B(3,3)")) for d in DEPTHS for k in WIDTHS}
Answers = Mapping[str, Answer | None]


@dataclass
class Count:
    """Of searches of one kind under one rule."""

    searches: int = 0
    decided: int = 0
    false: int = 0
    trials: int = 0  # until they were decided, or all
    epochs: int = 0
    of_epochs: int = 0


def true_errors(truth: Truth, seed: int) -> dict[tuple[float, float], float]:
    """Percent: each cell's mean error at its best regularisation."""
    cells = planted_cells(truth, np.random.default_rng(seed), DEPTHS, WIDTHS)
    nodes, weights = np.polynomial.hermite_e.hermegauss(15)
    spread = math.hypot(truth.end, 0.3 * truth.epochs)
    found = {}
    for (depth, width), own in cells.items():
        share = 1 / (1 + np.exp(-end_of(truth, depth, width, 0.0, 0.0, own) - spread * nodes))
        found[depth, width] = float(100 * share @ weights / weights.sum())
    return found


def false_answers(answers: Answers, truth: Truth, errors: Mapping[tuple[float, float], float]) -> list[str]:
    """The questions whose answers are false."""
    found = []
    best = min(errors, key=lambda cell: errors[cell])
    margin = max(0.5, 0.1 * errors[best])
    effect, winner, smallest = (answers[name] for name in (DEPTH_VS_WIDTH, WINNER, SMALLEST))
    assert effect is not None
    assert winner is not None and winner.network is not None  # noqa: PT018 - one question
    assert smallest is not None and smallest.network is not None  # noqa: PT018
    planted = truth.depth_vs_width
    right = {"helps": planted < 0, "hurts": planted > 0}
    if not right.get(effect.verdict, abs(planted) <= math.log1p(EFFECT_MARGIN)):
        found.append(DEPTH_VS_WIDTH)
    if errors[winner.network] - errors[best] > margin:
        found.append(WINNER)
    if errors[smallest.network] - errors[best] > margin or SIZES[best] < SIZES[smallest.network]:
        found.append(SMALLEST)
    return found


def looks_at(table: ObservedCurves) -> list[tuple[int, dict[float, Answers]]]:
    """(trials, level -> answers) of each look; at our level all open where the anchors' audit fails."""
    found: list[tuple[int, dict[float, Answers]]] = []
    while (count := next_look(found[-1][0] if found else None)) <= len(table.trials):
        cut = replace(table, trials=table.trials[:count])
        try:
            chosen = fit(cut, SEED, DRAWS)
            answers: dict[float, Answers] = {level: answers_of_fit(chosen, SIZES, level) for level in LEVELS}
        except (ValueError, ArithmeticError, np.linalg.LinAlgError):
            answers = {level: {WINNER: None} for level in LEVELS}
        if None not in answers[LEVEL].values() and not audit_by_anchors(cut, seed=SEED).passed:
            answers[LEVEL] = dict.fromkeys(
                answers[LEVEL]
            )  # the others are told without an audit, which costs most
        found.append((count, answers))
    return found


def play(
    truth: Truth, trials: int, seed: int, counts: Mapping[tuple[float, int], Count]
) -> dict[tuple[float, int], list[str]]:
    """One search under every rule; the false answers of each rule."""
    table = searched(truth, trials, seed, ANCHORS, depths=DEPTHS, widths=WIDTHS)
    looks, errors = looks_at(table), true_errors(truth, seed)
    epochs = np.cumsum([each.epochs[-1] for each in table.trials])
    wrong: dict[tuple[float, int], list[str]] = {}
    for (level, row), count in counts.items():
        count.searches += 1
        count.of_epochs += int(epochs[-1])
        ended = trials
        for place in range(row, len(looks) + 1):
            last = [answers[level] for _, answers in looks[place - row : place]]
            if is_decided([last[0], *last]) if row == 1 else is_decided(last):
                ended = looks[place - 1][0]
                count.decided += 1
                wrong[level, row] = false_answers(last[-1], truth, errors)
                count.false += bool(wrong[level, row])
                break
        count.trials += ended
        count.epochs += int(epochs[ended - 1])
    return wrong


def main() -> None:
    """Measures and prints."""
    parser = options(__doc__, rounds=1)
    parser.add_argument("--seeds", type=int, default=100, help="made-up searches of each kind (default 100)")
    parser.add_argument("--trials", type=int, default=72, help="of a search (default 72)")
    parser.add_argument(
        "--planted", default="nothing,drawn", help="of width, nothing and drawn (answer_quality)"
    )
    parser.add_argument("--first-seed", type=int, default=0, help="seeds are this one and those after it")
    chosen = parser.parse_args()
    rules = [(level, row) for level in LEVELS for row in (1, IN_A_ROW)]
    counts: dict[str, dict[tuple[float, int], Count]] = defaultdict(lambda: {rule: Count() for rule in rules})
    try:
        for seed in range(chosen.first_seed, chosen.first_seed + chosen.seeds):
            for name in chosen.planted.split(","):
                wrong = play(truths(seed)[name], chosen.trials, seed, counts[name])
                print(f"seed {seed}, {name}, decided by rule: {wrong}", file=sys.stderr, flush=True)
    except KeyboardInterrupt:  # what was played until then is told
        print("interrupted", file=sys.stderr)
    lines = [
        f"decided_searches: {chosen.trials} trials of {EPOCHS} epochs, seeds from {chosen.first_seed}",
        f"{'planted':<10}{'searches':>9}{'level':>7}{'in a row':>10}{'decided':>10}{'false':>8}"
        f"{'trials':>9}{'epochs':>9}",
    ]
    values: dict[str, Any] = {}
    for name, by_rule in counts.items():
        for (level, row), each in by_rule.items():
            share = [count / each.searches for count in (each.decided, each.false, each.trials)]
            ours = (level, row) == (LEVEL, IN_A_ROW)
            told = f"{name:<10}{each.searches:>9}{level:>7.3f}{row:>10}{share[0]:>10.2f}{share[1]:>8.3f}"
            told += f"{share[2]:>9.1f}"
            told += f"{each.epochs / each.of_epochs:>9.2f}"
            lines.append(told + (f"  (ours; false <= {MOST_FALSE:g})" if ours else ""))
            values[f"{name}, {level:g}, {row} in a row"] = vars(each)
    passed = all(
        by_rule[LEVEL, IN_A_ROW].false <= MOST_FALSE * by_rule[LEVEL, IN_A_ROW].searches
        for by_rule in counts.values()
    )
    report(
        "decided_searches",
        [*lines, f"false decisions at most {MOST_FALSE:g}: {'passed' if passed else 'MISSED'}"],
        {
            "seeds": [chosen.first_seed, chosen.seeds],
            "trials": chosen.trials,
            "counts": values,
            "passed": passed,
        },
        chosen.json,
    )


if __name__ == "__main__":
    main()
