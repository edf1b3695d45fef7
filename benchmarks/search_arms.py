"""What `search_quality` plays: arms in groups, each against another arm of its group."""

from __future__ import annotations

from dataclasses import dataclass

from wrn_search.replay.curve_table import CurveTable
from wrn_search.replay.methods import MakeRival, Method, rival_table, space_of
from wrn_search.replay.our_search import OurSearch
from wrn_search.replay.simulated_clock import Clock, Player
from wrn_search.searchers.searcher import SearchedSpace, Searcher, SearcherKind
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.searchers.tpe import TpeSearcher

MULTIVARIATE = "tpe-multivariate"
DEFAULT = "tpe+asha"  # as a space file has it: rungs where the schedule says, reduction factor 3
_GEOMETRIC = "search.rungs=geometric"
_WORKERS = (1, 4, 16)


@dataclass(frozen=True)
class Arm:
    """A method as it is played."""

    method: Method
    against: str = DEFAULT  # the arm that it is compared with
    workers: int = 1
    labels: bool = False  # small whole numbers are told as labels

    @property
    def name(self) -> str:
        """In tables."""
        workers = f", {self.workers} workers" if self.workers > 1 else ""
        return f"{self.method.name}{', labels' if self.labels else ''}{workers}"


def register_variants() -> None:
    """Methods that only a benchmark has: every process that plays must call it."""
    SEARCHERS.setdefault(MULTIVARIATE, SearcherKind(_multivariate, learns=True, drawn_at_random=10))
    rival_table().update({_multivariate_arm(tpe).name: _as_multivariate(tpe) for tpe in _TPE})


def _multivariate(space: SearchedSpace) -> Searcher:
    """Our TPE in all else: hyperparameters together, not each by itself."""
    return TpeSearcher(space, together=True)


def _as_multivariate(tpe: Method) -> MakeRival:
    """The search of a method with the other searcher, whose name no space file may hold."""

    def make(table: CurveTable, seed: int, most: int, workers: int, clock: Clock) -> Player:
        space = space_of(table, tpe, (), most, seed)
        search = space.search.model_copy(update={"searcher": MULTIVARIATE})
        return OurSearch(space.model_copy(update={"search": search}), table, workers, clock)

    return make


def _multivariate_arm(tpe: Method) -> Arm:
    return _rival(tpe.name.replace("tpe", MULTIVARIATE), against=tpe.name)


def _ours(searcher: str, scheduler: str, *settings: str, against: str = DEFAULT, **others: int) -> Arm:
    told = " ".join(setting.removeprefix("search.") for setting in settings)
    name = f"{searcher}+{scheduler}{f' {told}' if told else ''}"
    return Arm(Method(name, searcher, scheduler, settings), against, **others)


def _rival(name: str, against: str = DEFAULT, workers: int = 1) -> Arm:
    return Arm(Method(name, name, "", rival=True), against, workers)


_TPE = (_ours("tpe", "asha").method, _ours("tpe", "none").method)


def groups() -> dict[str, tuple[Arm, ...]]:
    """Group -> its arms."""
    tpe, tpe_geometric = _ours("tpe", "asha"), _ours("tpe", "asha", _GEOMETRIC)
    tpe_none = _ours("tpe", "none", against="tpe+none")
    etas = ["search.reduction_factor=2", "search.reduction_factor=4"]
    early = [f"search.rungs={rungs}" for rungs in ([1, 3, 9, 27], [3, 9], [6, 13, 26], [13, 26])]
    random_geometric = _ours("random", "asha", _GEOMETRIC).name
    return {
        "ours": (
            tpe,
            tpe_geometric,
            _ours("random", "asha"),
            _ours("random", "asha", _GEOMETRIC),
            _ours("tpe", "none"),
            _ours("random", "none"),
        ),
        "default": (tpe, *map(_rival, ("i-epoch", "ray", "optuna-tpe+hyperband"))),
        "rivals": tuple(_rival(name) for name in rival_table() if MULTIVARIATE not in name),
        "multivariate": (tpe, tpe_none, *map(_multivariate_arm, _TPE)),
        "ordered": (
            tpe,
            Arm(tpe.method, labels=True),
            tpe_none,
            Arm(tpe_none.method, "tpe+none", labels=True),
        ),
        "reduction": (
            tpe,
            *(_ours("tpe", "asha", eta) for eta in etas),
            _ours("random", "asha", against="random+asha"),
            *(_ours("random", "asha", eta, against="random+asha") for eta in etas),
            _ours("random", "asha", _GEOMETRIC, against=random_geometric),
            *(_ours("random", "asha", _GEOMETRIC, eta, against=random_geometric) for eta in etas),
        ),
        "arrival": tuple(
            arm
            for workers in _WORKERS
            for arm in (
                _ours("random", "asha", against="random+asha", workers=workers),
                _ours("random", "asha", _GEOMETRIC, against=random_geometric, workers=workers),
                _rival("random+asha*", against=random_geometric, workers=workers),
            )
        ),
        "cosine": (
            tpe,
            tpe_geometric,
            _ours("random", "asha", against="random+asha"),
            *(_ours("random", "asha", rungs, against="random+asha") for rungs in early),
            _ours("random", "asha", _GEOMETRIC, against="random+asha"),
        ),
    }
