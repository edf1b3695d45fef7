"""What every searcher keeps to: its contract, what it is told, and what the rest of the program must know of its kind.

A proposal is a question that changes nothing; what a searcher knows comes from `proposed`, `told` and `known` alone, so
replaying a record gives the same knowledge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from wrn_search.objectives.dominance import Values
from wrn_search.space.domains import Domain, Scalar

if TYPE_CHECKING:
    from wrn_search.curve_process.curves_of_search import CurvesOfSearch

Hparams = dict[str, Scalar]
Curve = dict[int, float]  # epoch -> validation error in percent
COMPARABLE = ""  # the source of what other searches found on our own split with as many epochs


@dataclass(frozen=True)
class Full:
    """A value at full epochs: the mean of the completed repeats.

    One that diverged or ran out of memory counts with the error of chance.
    """

    val_error: float  # percent
    values: Values = ()  # with several objectives: error and costs as `comparable` has them


@dataclass(frozen=True)
class Pruned:
    """Stopped early, or waiting at a rung: only what was seen on the way, never as if it were the result."""

    curve: Curve  # mean over the repeats that got there
    values: Values = ()  # with several objectives: as of its last epoch


@dataclass(frozen=True)
class Crashed:
    """No repeat gave a value."""


Outcome: TypeAlias = Full | Pruned | Crashed


def _itself(point: Hparams) -> Hparams:
    return point


def _none(point: Hparams) -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True)
class Prior:
    """What a person believes to be good."""

    values: Hparams  # on the axes; what is left open has no belief
    confidence: str  # low | medium | high


@dataclass(frozen=True)
class SearchedSpace:
    """What a searcher must know of a space: axes with a domain each, whose values a point has.

    Mostly the axes are the hyperparameters themselves. Where those depend on each other (networks that are listed, or
    that a budget leaves) the space says what a point stands for, and which of several points with one meaning counts.
    """

    hyperparameters: Mapping[str, Domain]  # the axes, in the order of the space file
    size: int | None  # configurations in a finite space; None when a domain is continuous
    seed: int  # `search.seed`
    cell: tuple[str, ...] = (
        "depth",
        "widen_factor",
    )  # axes of the network; anchors take their values in turn
    points: tuple[Hparams, ...] = ()  # tried first, in this order; an axis that one lacks is drawn for it
    places: frozenset[str] = frozenset()  # axes of whole numbers between which `canonical` rounds
    canonical: Callable[[Hparams], Hparams] = (
        _itself  # of all points that stand for one configuration, the same
    )
    idle: Callable[[Hparams], frozenset[str]] = (
        _none  # axes that do not apply at a point, whatever they say there
    )
    prior: Prior | None = None
    epochs: int = 1  # of a full training
    curves: CurvesOfSearch | None = None  # what is known of all curves, where a scheduler goes by them too
    hparams: Callable[[Hparams], Hparams] = _itself  # what a point stands for; null where one does not apply
    several_objectives: bool = False  # what is told has `values`, not an error alone


class Searcher(Protocol):
    """The contract of every searcher. Configurations are numbered from 0 in the order of their proposal."""

    def propose(self, configuration: int) -> Hparams | None:
        """Native Python values for every axis, never twice the same; None when the space has run out."""

    def proposed(self, configuration: int, hparams: Hparams) -> None:
        """A proposal was accepted, or is replayed from the record."""

    def told(self, configuration: int, outcome: Outcome) -> None:
        """All repeats of a configuration have ended, or wait at a rung (`Pruned`): then more may be told later."""

    def known(self, source: str, hparams: Hparams, curve: Curve, full: bool) -> None:
        """What another search, `source`, found of a configuration: its value is the last of `curve` if `full`.

        The epochs of `curve` are those at which our schedule stands where the other one stood. Errors can be compared
        with our own where the source is `COMPARABLE`; else only with others of the same source.
        """


@dataclass(frozen=True)
class SearcherKind:
    """One line of the table: how to make a searcher, and all that the rest of the program must know of it."""

    make: Callable[[SearchedSpace], Searcher]
    # Hears results (`told`): so few trials run at once, and what it tries depends on what it saw.
    learns: bool = False
    # So many configurations it draws at random before it learns.
    drawn_at_random: int = 0
    # Enumerates choice and int domains, and refuses others; without `search.trials` it tries them all.
    needs_finite_space: bool = False
    # Can use what other searches found (`search.warm_start`).
    can_be_warm_started: bool = False
    # Decides by what is expected of all curves (`curve_process/`).
    by_curves: bool = False
    # Learns of axes with an order alone: labels, such as blocks, are drawn at random.
    needs_order: bool = False
    # With several objectives goes by places among all outcomes, whatever their values are.
    goes_by_places: bool = False

    @property
    def takes_several_objectives(self) -> bool:
        """Whether it can: who learns nothing always does."""
        return self.goes_by_places or not self.learns

    @property
    def adaptive(self) -> bool:
        """Whether later trials depend on earlier results: no design that gives measured intervals (rule 5)."""
        return self.learns
