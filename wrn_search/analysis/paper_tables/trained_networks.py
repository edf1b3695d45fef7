"""What was trained of the networks that the paper has: errors and seconds of each one's trainings.

A network with one dropout is one entry. Of several configurations of it, as an adaptive search has, the one with the
fewest differences from the paper's recipe stands for it: by recipe, as the lowest error of many would be lucky.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from wrn_search.analysis.confirmation import confirm_of
from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.analysis.paper_tables.paper_comparison import RECIPES, recipe_differences
from wrn_search.paper.published_tables import Published

if TYPE_CHECKING:
    import pandas as pd

ErrorKind = Literal["test", "validation"]
Key = tuple[str, float]  # (network, dropout)


@dataclass(frozen=True)
class Trained:
    """One network with one dropout.

    Attributes:
        network, dropout, family: which.
        batch_size: images of a step.
        trial: the place of one of its trials in the material.
        trials: on record; of them `ended` reached their end, `diverged` did not learn and count with the error of
            chance; `of_network` have any configuration of the network.
        validation, test: errors at the end, percent, one a training.
        seconds: of an epoch, one a training, all on one kind of device.
    """

    network: str
    dropout: float
    family: str
    batch_size: int
    trial: int
    num_params: int
    trials: int
    ended: int
    diverged: int
    of_network: int
    validation: tuple[float, ...]
    test: tuple[float, ...]
    seconds: tuple[float, ...]

    def errors(self, kind: ErrorKind) -> tuple[float, ...]:
        """Of one kind, percent."""
        return self.test if kind == "test" else self.validation

    @property
    def best_kind(self) -> ErrorKind:
        """Test errors where there are any."""
        return "test" if self.test else "validation"


def trained_of(material: Material, dataset: str, seconds: Mapping[int, float]) -> dict[Key, Trained]:
    """Every network with every dropout of the material.

    Args:
        material: of one or several searches over the same images.
        dataset: whose recipe of the paper theirs is held against.
        seconds: of an epoch, by the place of a trial.
    """
    rows, chance = material.trials, material.dataset.chance_error
    tested = _tested(material)
    timed = _timed(material, seconds)
    found: dict[Key, Trained] = {}
    for entry, group in rows.groupby(["network", "dropout"], sort=False):
        network, dropout = str(entry[0]), float(entry[1])
        configuration = _nearest(group, material, dataset)
        own = group[group["configuration"] == configuration]
        full = own[own["status"] == "completed"]
        diverged = int((own["status"] == "diverged").sum())
        lost = () if chance is None else (chance,) * diverged
        known = full["test_error"].dropna()
        validation = full["val_error"].dropna() if known.empty else full["val_error"].iloc[:0]
        test = tuple(map(float, known)) + (lost if len(known) else ()) or tested.get(int(configuration), ())
        found[network, dropout] = Trained(
            network=network,
            dropout=dropout,
            family=_family(own),
            batch_size=int(own["batch_size"].iloc[0]),
            trial=int((full if len(full) else own).index[0]),
            num_params=int(own["num_params"].iloc[0]),
            trials=len(own),
            ended=len(full),
            diverged=diverged,
            of_network=int((rows["network"] == network).sum()),
            validation=tuple(map(float, validation)) + (lost if known.empty else ()),
            test=test,
            seconds=tuple(seconds[place] for place in own.index if place in timed),
        )
    return found


def _nearest(group: pd.DataFrame, material: Material, dataset: str) -> int:
    """The configuration with the fewest differences from the recipe; of equal ones the first that has an end."""
    numbers = list(dict.fromkeys(map(int, group["configuration"])))
    if len(numbers) == 1 or dataset not in RECIPES:
        return numbers[0]
    anything = Published(dataset, "table 0", "", None, 0.0, "", "meanstd")

    def order(number: int) -> tuple[int, bool, int]:
        own = group[group["configuration"] == number]
        count = len(recipe_differences(anything, own.iloc[0], material, 1))
        return count, not (own["status"] == "completed").any(), number

    return min(numbers, key=order)


def _family(rows: pd.DataFrame) -> str:
    """`wrn` in tables that do not tell."""
    told = rows["family"].iloc[0] if "family" in rows else None
    return told if isinstance(told, str) else "wrn"


def _tested(material: Material) -> dict[int, tuple[float, ...]]:
    """Configuration -> test errors of the finalists that `confirm` retrained."""
    confirm, _ = confirm_of(material)
    return {
        int(material.trials["configuration"][finalist.trial]): finalist.test_errors
        for finalist in (confirm.finalists if confirm else ())
        if finalist.trial is not None and finalist.test_errors
    }


def _timed(material: Material, seconds: Mapping[int, float]) -> set[int]:
    """Trials on the kind of device that most of them had, with as many threads: times of others cannot be compared."""
    columns = ["device", "threads", "gpu_fraction", "batch_size"]
    rows = material.trials.loc[sorted(seconds), columns]
    kinds = {int(place): str(tuple(row)) for place, *row in rows.itertuples()}
    if not kinds:
        return set()
    commonest, _ = Counter(kinds.values()).most_common(1)[0]
    return {place for place, kind in kinds.items() if kind == commonest}


def kind_of_all(trained: Sequence[Trained]) -> ErrorKind:
    """Test errors where all have them, else validation errors: like is held against like."""
    return "test" if trained and all(each.test for each in trained) else "validation"
