"""Material: the tables of all results directories as one, checked once; the statistics trust it.

`trials` has the columns of the schema and those that `_with_names` and `_with_configurations` add; its index is the
place of each trial in `Findings.trials`. `epochs` has `trial`, that place, instead of names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wrn_search.analysis.input_tables.comparability import dataset_of, incomparable
from wrn_search.analysis.input_tables.shared_values import Dataset
from wrn_search.analysis.input_tables.source_directories import Source, read_source
from wrn_search.errors import InputError, Problem
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.network_names import exact_name
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.table_columns import PRODUCTS
from wrn_search.results.table_reader import read_tables
from wrn_search.results.tensorboard.run_names import short_name
from wrn_search.results.trial_state import FINAL, STATUSES
from wrn_search.space.section_keys import default_of
from wrn_search.space.sections.optimiser_keys import OPTIMISERS
from wrn_search.space.trial_config import HOW_COMPUTED, LEAVES

if TYPE_CHECKING:
    import pandas as pd

_NEEDED = (
    *("search", "trial_id", "number", "status", "depth", "widen_factor", "block", "dropout", "weight_decay"),
    *("epochs", "dataset", "repeat", "num_params", "macs", "epochs_done"),
)
KEY = tuple(leaf for leaf in LEAVES if leaf not in HOW_COMPUTED)


@dataclass(frozen=True)
class Material:
    """What all statistics are taken from."""

    sources: tuple[Source, ...]
    trials: pd.DataFrame  # index 0, 1, ...; `source` is a place in `sources`
    epochs: pd.DataFrame  # `trial`, then the schema's columns; by trial and epoch
    dataset: Dataset
    max_epochs: int
    hyperparameters: tuple[str, ...]  # searched in any source, in the order of the space

    @property
    def products(self) -> tuple[str, ...]:
        """Columns that are products of two hyperparameters which were both searched: axes beside them, none anew."""
        searched = set(self.hyperparameters)
        return tuple(name for name, factors in PRODUCTS.items() if searched >= set(factors))

    @property
    def completed(self) -> pd.DataFrame:
        """Trials with an error at full epochs."""
        return self.trials[self.trials["status"] == "completed"]

    @property
    def ended(self) -> pd.DataFrame:
        """Trials that will not go on."""
        return self.trials[self.trials["status"].isin(FINAL)]


def material_of(directories: Sequence[Path | str], *, may_be_tested: bool = False) -> Material:
    """Reads results directories.

    Args:
        directories: of searches over the same images.
        may_be_tested: also lists of networks that were tested and not validated (`protocol: test_each`).

    Raises:
        InputError: no directory, an unreadable one, tables that are not ours, no trial at all, or searches whose errors
            cannot be compared.
    """
    read_tables_problems: list[Problem] = []
    tables = []
    paths = [Path(directory) for directory in directories]
    if not paths or len({ResultsDirectory(path).place for path in paths}) < len(paths):
        read_tables(*paths)  # says which is missing or named twice
    for path in paths:
        try:
            trials, epochs = read_tables(path)
            tables.append((_with_defaults(trials, path), epochs))
            _check_columns(tables[-1][0], path, may_be_tested)
        except InputError as error:
            read_tables_problems += error.problems
    if read_tables_problems:
        raise InputError(read_tables_problems)
    if not sum(trials.num_rows for trials, _ in tables):
        text = "at least one trial must be on record, but there is none yet"
        raise InputError([Problem("", text, str(path)) for path in paths])
    stops = ["stopped" in trials["status"].to_pylist() for trials, _ in tables]
    sources = tuple(read_source(path, has_stopped=each) for path, each in zip(paths, stops, strict=True))
    trials = _joined_trials([trials for trials, _ in tables], sources)
    if problems := incomparable(trials, sources):
        raise InputError(problems)
    return Material(
        sources=sources,
        trials=trials,
        epochs=_joined_epochs(tables),
        dataset=dataset_of(trials, sources),
        max_epochs=int(trials["epochs"].max()),
        hyperparameters=_hyperparameters(trials, sources),
    )


def _with_defaults(trials: pa.Table, path: Path) -> pa.Table:
    """Where a searched key does not apply to a trial, which the table tells by null, what it was trained with.

    And a column `left_out` of the names of those keys.
    """
    lacking = [name for name in LEAVES if trials[name].null_count]
    domains = read_source(path).domains if lacking else {}
    left_out: list[list[str]] = [[] for _ in range(trials.num_rows)]
    for name in lacking:
        if name in domains and domains[name].when:
            place = trials.schema.get_field_index(name)
            for row in np.flatnonzero(trials[name].is_null().to_numpy()):
                left_out[row].append(name)
            filled = trials[name]
            for optimizer in OPTIMISERS:  # whose own rates are the defaults with them
                usual = pa.scalar(default_of(name, optimizer), filled.type)
                own = pc.and_(filled.is_null(), pc.equal(trials["optimizer"], optimizer))
                filled = pc.if_else(own, usual, filled)
            trials = trials.set_column(place, trials.schema.field(place), filled)
    return trials.append_column("left_out", pa.array(left_out, pa.list_(pa.string())))


def _check_columns(trials: pa.Table, path: Path, may_be_tested: bool) -> None:
    """Raises InputError where a column that every trial has lacks values, or holds what no search writes."""
    problems = [
        Problem("", f"column {name} must hold a value for every trial, but {count} are missing", str(path))
        for name in _NEEDED
        if (count := trials[name].null_count)
    ]
    unknown = sorted(set(trials["status"].drop_null().to_pylist()) - STATUSES)
    if unknown:
        text = f"status must be one of {', '.join(sorted(STATUSES))}, but got {unknown[0]!r}"
        problems.append(Problem("", text, str(path)))
    full = trials.filter(pc.fill_null(pc.equal(trials["status"], "completed"), False))
    is_tested = may_be_tested and len(full) > 0 and not full["test_error"].null_count
    errors = full["test_error" if is_tested else "val_error"]
    bad = (
        errors.null_count + pc.sum(pc.invert(pc.is_finite(errors)).cast(pa.int64())).as_py()
        if len(full)
        else 0
    )
    if bad:
        text = f"{'test' if is_tested else 'val'}_error of a completed trial must be a number, but {bad} are none"
        problems.append(Problem("", text, str(path)))
    tested = len(trials) - trials["test_error"].null_count
    if tested and not is_tested:
        text = f"a search reads no test split, but {tested} trials have a test error: name the search that they confirm"
        problems = [Problem("", text, str(path))]
    if problems:
        raise InputError(problems)


def _joined_trials(tables: list[pa.Table], sources: tuple[Source, ...]) -> pd.DataFrame:
    import pandas as pd

    frames = []
    for place, table in enumerate(tables):
        frame = table.to_pandas().sort_values("number", kind="stable")
        products = {name: frame[one] * frame[other] for name, (one, other) in PRODUCTS.items()}
        frames.append(frame.assign(source=place, adaptive=sources[place].adaptive is not False, **products))
    trials = pd.concat([frame for frame in frames if len(frame)], ignore_index=True)
    return _with_configurations(_with_names(trials, sources))


def _with_names(trials: pd.DataFrame, sources: Sequence[Source]) -> pd.DataFrame:
    """Adds `network` and `name`."""
    networks: list[Architecture] = []
    names = []
    columns = list(dict.fromkeys(["number", "repeat", "source", "left_out", *LEAVES]))
    for values in trials[columns].itertuples(index=False):
        row = values._asdict()
        try:
            network = Architecture.of(row["depth"], row["widen_factor"], row["block"], row["family"])
            networks.append(network)
            searched = [each for each in sources[row["source"]].searched or () if each not in row["left_out"]]
            names.append(short_name(row["number"], row, row["repeat"], searched=searched))
        except ValueError as error:
            text = f"trial {row['number']}: {error}"
            raise InputError.of("", f"must be a table of networks, but got {text}") from None
    return trials.assign(network=_names_of(networks), name=names)


def _names_of(networks: Sequence[Architecture]) -> list[str]:
    """Their names; of two networks that share one, such as WRN-34-2 (also for ImageNet), the exact ones."""
    different = dict.fromkeys(networks)
    shared = Counter(network.name for network in different)
    named = {each: each.name if shared[each.name] == 1 else exact_name(each) for each in different}
    return [named[network] for network in networks]


def _with_configurations(trials: pd.DataFrame) -> pd.DataFrame:
    """Adds `configuration`: trials that differ only in their seed share it.

    A trial of an adaptive search is never one with trials of another search: it was chosen because of its result, and
    fresh seeds of the same configuration were not.
    """
    keys: dict[tuple[object, ...], int] = {}
    own = np.where(trials["adaptive"], trials["source"], -1)
    columns = [trials[leaf] for leaf in KEY]
    rows = zip(own, *columns, strict=True)
    numbers = [keys.setdefault(tuple(keyed(value) for value in row), len(keys)) for row in rows]
    return trials.assign(configuration=numbers)


def keyed(value: object) -> object:
    """A value that can be compared and be a key: a list as a tuple, and NaN, which is not equal to itself, as text."""
    if isinstance(value, list | np.ndarray):
        return tuple(value)
    return "missing" if value is None or (isinstance(value, float) and value != value) else value


def _joined_epochs(tables: list[tuple[pa.Table, pa.Table]]) -> pd.DataFrame:
    """All epochs with the place of their trial, by trial and epoch; rows of trials that are not there are left out."""
    import pandas as pd

    frames, first = [], 0
    for trials, epochs in tables:
        order = np.argsort(trials["number"].to_numpy(), kind="stable")
        ids = trials["trial_id"].take(pa.array(order))
        place = pc.index_in(epochs["trial_id"], value_set=ids.combine_chunks())
        kept = epochs.drop_columns(["search", "trial_id", "reported_at"]).append_column("trial", place)
        frame = kept.filter(pc.is_valid(place)).to_pandas()
        frames.append(frame.assign(trial=frame["trial"].astype(np.int64) + first))
        first += trials.num_rows
    joined = pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)
    return joined.sort_values(["trial", "epoch"], kind="stable", ignore_index=True)


def varying(trials: pd.DataFrame) -> list[str]:
    """Leaves in which these trials differ."""
    names = (name for name in KEY if name not in ("lr_drops", "epochs", "precision"))
    return [name for name in names if trials[name].nunique(dropna=True) > 1]


def _hyperparameters(trials: pd.DataFrame, sources: tuple[Source, ...]) -> tuple[str, ...]:
    """Leaves that were searched in any session, and those that vary: between searches, or between sessions of one."""
    names = dict.fromkeys(name for source in sources for name in source.searched or ())
    names |= dict.fromkeys(varying(trials))
    if "deepening_factor" in names:
        names.pop("block", None)  # one follows from the other
    elif "block" in names:
        names.pop("deepening_factor", None)
    return tuple(names)
