"""Numbers and trials in words, the same wherever the answer is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

NONE = "\u2013"  # stands where a value is missing


def percent(error: float) -> str:
    """`5.12 %`."""
    return f"{error:.2f} %"


_NEAR_GUESSING = 0.9  # of the error of chance: a network that learned what the images show is far below


def hardly_learned(error: float, chance_error: float | None) -> bool:
    """Whether an error is still near that of always answering the most frequent class; both in percent."""
    return chance_error is not None and error >= _NEAR_GUESSING * chance_error


def hardly_better_than_guessing(error: float, chance_error: float | None) -> str:
    """A sentence where a network that is called best has learned next to nothing; nothing for any other.

    Args:
        error: percent.
        chance_error: of always answering the most frequent class, percent.
    """
    if chance_error is None or not hardly_learned(error, chance_error):
        return ""
    guess = f"always answering the most frequent class has {percent(chance_error)}"
    return f"But it hardly learned: {guess}. Train for more epochs, or with another learning rate."


def points(change: float) -> str:
    """`+0.20 points`: a difference of two errors."""
    return f"{change:+.2f} points"


def interval(ends: tuple[float, float]) -> str:
    """`95 % interval -0.10 to +0.30`."""
    return f"95 % interval {ends[0]:+.2f} to {ends[1]:+.2f}"


def size(num_params: int) -> str:
    """`36.5 M parameters`."""
    if num_params >= 1_000_000:
        return f"{num_params / 1e6:.1f} M parameters"
    return f"{num_params:,} parameters"


def hparams(values: Mapping[str, int | float | str], without: tuple[str, ...] = ()) -> str:
    """`dropout 0.31, weight_decay 0.0004`; empty if there are none."""
    shown = {name: value for name, value in values.items() if name not in without}
    return ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in shown.items()
    )


def rounded(values: Mapping[str, int | float | str]) -> str:
    """The same with three digits, for a caption: `dropout 0.31, weight_decay 3.8e-4`."""
    return ", ".join(
        f"{name} {value if isinstance(value, str) else short_count(value)}" for name, value in values.items()
    )


_OF_BOTH = {
    "helps": "at equal parameters depth is worth more than width",
    "hurts": "at equal parameters width is worth more than depth",
    "no difference": "at equal parameters depth and width make no difference",
}


def answers_text(answers: Mapping[str, object]) -> str:
    """What a look of `search.stop_when` answered: `WRN-16-4 is the winner, WRN-10-4 the smallest as good`."""
    told = []
    for question, answer in answers.items():
        if question == "winner":
            told.append(f"{answer} is the winner")
        elif question == "smallest_as_good":
            told.append(f"{answer} is the smallest network as good")
        elif question == "depth_vs_width":
            told.append(_OF_BOTH.get(str(answer), str(answer)))
        else:
            verb = "makes" if answer == "no difference" else ""
            told.append(" ".join(f"more {question} {verb} {answer}".split()))
    return ", ".join(told)


def sentence(text: str) -> str:
    """A statement as a sentence: a capital first, a full stop last; nothing stays nothing."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?:" else ".")


def sentences_of(*texts: str) -> str:
    """Statements behind one another as sentences."""
    return " ".join(filter(None, map(sentence, texts)))


def two_digits(value: float | None) -> str:
    """An error in percent with two digits, or a dash."""
    return NONE if value is None else f"{value:.2f}"


def two_significant(value: float) -> str:
    """An estimate with two significant digits, never fewer than its whole part: `27`, `4.3`, `0.86`."""
    return f"{value:.0f}" if abs(value) >= 9.95 else f"{value:.1f}" if abs(value) >= 0.995 else f"{value:.2f}"


def shown(value: object) -> str:
    """A hyperparameter's value or another number, with four significant digits."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return NONE if value is None else str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def short_count(value: float) -> str:
    """`2.2 M`, `691 k`, `0.5`, `5e-4`."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    if 0 < value < 1e-3:  # as in the trials' names: `5e-4`
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    return f"{value:.3g}"


def interval_text(interval: tuple[float, float] | None, digits: int = 2) -> str:
    """`-0.31 to +0.12`, or a dash."""
    return NONE if interval is None else f"{interval[0]:+.{digits}f} to {interval[1]:+.{digits}f}"


def plural(count: int, noun: str, many: str = "") -> str:
    """`1 trial`, `2 trials`."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


_UNITS = {  # of what a search can spend: one, and several
    "epochs": ("epoch", "epochs"),
    "hours": ("hour", "hours"),
    "gpu_hours": ("GPU-hour", "GPU-hours"),
    "network_passes": ("multiply-add x images", "multiply-adds x images"),
}


def budget_text(budget: Mapping[str, float]) -> str:
    """`2,000 epochs, 8 hours`."""
    return ", ".join(f"{_amount(name, most)} {_unit(name, most)}" for name, most in budget.items())


def spending_text(budget: Mapping[str, float], spent: Mapping[str, float]) -> str:
    """`1,240 of 2,000 epochs, 3.1 of 8 hours`: of each quantity that a budget names; what is not known is left out."""
    return ", ".join(
        f"{_amount(name, spent[name])} of {_amount(name, most)} {_unit(name, most)}"
        for name, most in budget.items()
        if name in spent
    )


def _amount(name: str, amount: float) -> str:
    return f"{round(amount):,}" if name == "epochs" else f"{amount:.3g}"


def _unit(name: str, amount: float) -> str:
    return _UNITS.get(name, (name, name))[amount != 1]


def duration(seconds: float) -> str:
    """`47 s`, `2 min 5 s`, `12 min`, `3 h 20 min`, `2 d 3 h`: two units at most, none of them zero."""
    whole = round(max(0.0, seconds))
    if 600 <= whole < 86_400:
        whole = 60 * round(whole / 60)
    for unit, name, below, small in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= unit:
            rest = whole % unit // below
            return f"{whole // unit} {name}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


def shortened(text: str, most: int = 60) -> str:
    """Text that a plot has room for: of longer text both ends."""
    return text if len(text) <= most else f"{text[: most // 2 - 1]}\u2026{text[-most // 2 :]}"


class EndOfTrial(Protocol):
    """What there is to say of how a trial ended."""

    @property
    def status(self) -> str: ...
    @property
    def rung(self) -> int | None: ...
    @property
    def error(self) -> str | None: ...


def end_reason(trial: EndOfTrial) -> str:
    """Why a trial went no further, in words; of one that broke what was raised."""
    if trial.status == "completed":
        return "trained to its last epoch"
    if trial.status == "stopped":
        return "stopped by the scheduler" + (f" at epoch {trial.rung}" if trial.rung is not None else "")
    if trial.status == "running":
        return "still running"
    return trial.error.strip() if trial.error and trial.error.strip() else "no reason on record"
