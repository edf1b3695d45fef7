"""A search as an Optuna study, in SQLite or a journal, which optuna-dashboard opens."""

from __future__ import annotations

import datetime
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wrn_search.analysis.hyperparameter_importance import distribution_of_values
from wrn_search.analysis.hyperparameter_slices import native
from wrn_search.analysis.input_tables.joined_tables import Material, varying
from wrn_search.errors import InputError
from wrn_search.results.atomic_files import check_new_file, written_once
from wrn_search.searchers.optuna_distributions import distribution_of
from wrn_search.shell_commands import shell_line
from wrn_search.space.every_space_of_a_search import ever_searched

if TYPE_CHECKING:
    import pandas as pd
    from optuna.distributions import BaseDistribution
    from optuna.storages import BaseStorage, RDBStorage
    from optuna.trial import FrozenTrial

OPTION = "--optuna-storage"
SQLITE = (".db", ".sqlite", ".sqlite3")
JOURNAL = (".log", ".journal", ".jsonl")
_ATTRIBUTES = (
    "name",
    "network",
    "status",
    "seed",
    "repeat",
    "num_params",
    "macs",
    "train_seconds",
    "device",
    "error",
)


def check_storage(path: Path) -> None:
    """Raises InputError if the name does not say which storage is meant, or the file is there."""
    if path.suffix.lower() not in SQLITE + JOURNAL:
        rule = f"must end with {', '.join(SQLITE)} (SQLite) or {', '.join(JOURNAL)} (journal)"
        raise InputError.of(OPTION, f"{rule}, but got '{path}'")
    check_new_file(path, OPTION)


def dashboard_command(path: Path) -> str:
    """What shows the studies in a browser; the program comes with `pip install optuna-dashboard`."""
    sqlite = path.suffix.lower() in SQLITE
    return shell_line("optuna-dashboard", f"sqlite:///{path}" if sqlite else path)


def write_optuna_storage(material: Material, path: Path) -> list[str]:
    """Writes every search as a study of one new storage; returns the studies' names.

    Rule 2: stopped trials are PRUNED with what was seen on the way, diverged ones COMPLETE with the error of chance,
    failed ones FAIL, those that have not ended RUNNING. SQLite takes Optuna a millisecond or two for each epoch of each
    trial; a journal is a hundred times faster.

    Raises:
        InputError: see `check_storage`, or the file cannot be written.
    """
    import optuna

    check_storage(path)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    names = _study_names(material)
    curves = _curves(material)
    with written_once(path, OPTION) as temporary:
        sqlite = path.suffix.lower() in SQLITE
        storage = _memory() if sqlite else _journal(temporary)
        for place, name in enumerate(names):
            study = optuna.create_study(storage=storage, study_name=name, direction="minimize")
            study.add_trials(_trials(material, place, curves))
        if sqlite:
            _save(storage, temporary)
    return names


def _memory() -> RDBStorage:
    """A database in memory: a file would be brought to the disk for every trial."""
    from optuna.storages import RDBStorage

    return RDBStorage("sqlite://")


def _save(storage: RDBStorage, path: Path) -> None:
    """Copies a database from memory into a file."""
    target = sqlite3.connect(path)
    try:
        storage.engine.raw_connection().driver_connection.backup(target)
    finally:
        target.close()
        storage.remove_session()
        storage.engine.dispose()


def _journal(path: Path) -> BaseStorage:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return JournalStorage(JournalFileBackend(str(path)))


def _study_names(material: Material) -> list[str]:
    """The searches' names, numbered where two directories hold the same."""
    names: list[str] = []
    for place in range(len(material.sources)):
        rows = material.trials[material.trials["source"] == place]
        name = str(rows["search"].iloc[0]) if len(rows) else material.sources[place].directory.path.name
        names.append(name if name not in names else f"{name} ({place})")
    return names


def _curves(material: Material) -> dict[int, dict[int, float]]:
    """Trial -> epoch -> validation error."""
    curves: dict[int, dict[int, float]] = {}
    columns = material.epochs[["trial", "epoch", "val_error"]].itertuples(index=False, name=None)
    for trial, epoch, error in columns:
        if error == error:
            curves.setdefault(int(trial), {})[int(epoch)] = float(error)
    return curves


def _trials(material: Material, source: int, curves: dict[int, dict[int, float]]) -> list[FrozenTrial]:
    rows = material.trials[material.trials["source"] == source]
    distributions = _distributions(material, source, rows)
    chance = material.dataset.chance_error
    return [
        _trial(row, int(place), distributions, chance, curves.get(int(place), {}))
        for place, row in rows.iterrows()
    ]


def _trial(
    row: pd.Series,
    place: int,
    distributions: dict[str, BaseDistribution],
    chance: float | None,
    curve: dict[int, float],
) -> FrozenTrial:
    from optuna.trial import TrialState, create_trial

    state, value = TrialState.RUNNING, None
    match row["status"]:
        case "completed":
            state, value = TrialState.COMPLETE, float(row["val_error"])
        case "diverged" if chance is not None:
            state, value = TrialState.COMPLETE, chance
        case "stopped":
            state = TrialState.PRUNED
        case "failed" | "diverged":
            state = TrialState.FAIL
    known = {name: distribution for name, distribution in distributions.items() if row[name] == row[name]}
    trial = create_trial(
        state=state,
        value=value,
        params={name: native(row[name]) for name in known},
        distributions=known,
        intermediate_values=curve,
        user_attrs={name: native(row[name]) for name in _ATTRIBUTES if _is_known(row[name])},
    )
    trial.datetime_start = _local(row["started_at"]) or trial.datetime_start
    trial.datetime_complete = _local(row["finished_at"]) if state.is_finished() else None
    return trial


def _distributions(material: Material, source: int, rows: pd.DataFrame) -> dict[str, BaseDistribution]:
    """Of each hyperparameter that the search ever searched: the space's, wide enough for all that was tried."""
    made = material.sources[source]
    if made.space is not None:
        names = [name for name in material.hyperparameters if name in {*made.domains, *varying(rows)}]
        tried = {name: [native(value) for value in rows[name].dropna()] for name in names}
        domains = ever_searched(made.space.hyperparameters, made.replaced, tried)
        return {name: distribution_of(domain) for name, domain in domains.items()}
    return {
        name: distribution_of_values(material, rows, name)
        for name in material.hyperparameters
        if rows[name].notna().any()
    }


def _is_known(value: Any) -> bool:
    return value is not None and bool(value == value)


def _local(moment: Any) -> datetime.datetime | None:
    """Optuna keeps times of the local clock, without a zone."""
    if not _is_known(moment):
        return None
    local: datetime.datetime = moment.to_pydatetime().astimezone().replace(tzinfo=None)
    return local
