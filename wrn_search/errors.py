"""What a user did wrong, as values: one `Problem` a line, all of them in one `InputError`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One broken rule: where it was broken, at which key, and `the rule that must hold, but got VALUE`."""

    key: str
    text: str
    where: str = ""  # "FILE:LINE" or "--set"; empty when nobody wrote the value down

    def __str__(self) -> str:
        return printable(": ".join(part for part in (self.where, self.key, self.text) if part))


class InputError(ValueError):
    """Bad input or options: every problem found, one a line. The commands print it and exit with status 2."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems = tuple(problems)
        assert self.problems, "an InputError names at least one problem"
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)

    @classmethod
    def of(cls, key: str, text: str, where: str = "") -> InputError:
        """An error with one problem."""
        return cls([Problem(key, text, where)])


def printable(text: str, keep: str = "") -> str:
    """Text with everything that a terminal might obey spelt out, but for the signs in `keep`."""
    return "".join(sign if sign.isprintable() or sign in keep else repr(sign)[1:-1] for sign in text)


def nearest(name: str, valid: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the closest valid name, or nothing when none is close."""
    close = difflib.get_close_matches(str(name)[:100], sorted(valid), n=1, cutoff=0.6)
    return f" (did you mean '{close[0]}'?)" if close else ""
