"""The rows that trackers show: (trial, epoch, metric, value) each."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

Row: TypeAlias = tuple[int, int, str, float]
_BLOCK, _HEADER = 32768, 7  # bytes of a LevelDB log, and of what stands before each of its parts


def mlflow_rows(uri: str, *, only_latest: bool = False) -> Iterator[Row]:
    """Every metric of every trial's run on an MLflow server, as often as it stands there.

    Args:
        uri: of the server.
        only_latest: of each run only the last epoch of the validation error, for one request in all.
    """
    from mlflow.tracking import MlflowClient

    client = MlflowClient(uri)
    experiments = [each.experiment_id for each in client.search_experiments()]
    page = None
    while True:
        runs = client.search_runs(experiments, "tags.`wrn_search.kind` = 'trial'", page_token=page)
        for run in runs:
            number = int(run.data.tags["wrn_search.number"])
            if only_latest:
                for metric in run.data._metric_objs:
                    if metric.key == "val_error":
                        yield number, metric.step, metric.key, metric.value
                continue
            for name in run.data.metrics:
                for each in client.get_metric_history(run.info.run_id, name):
                    yield number, each.step, name, each.value
        page = runs.token
        if not page:
            return


def wandb_rows(results: Path) -> Iterator[Row]:
    """Every metric of every trial's offline run below `wandb/`."""
    for path in sorted(results.glob("wandb/offline-run-*/run-*.wandb")):
        number = path.stem.rpartition("-")[2]
        if len(number) == 5 and number.isdecimal():
            for values in wandb_history(path):
                for name, value in values.items():
                    if not name.startswith("_") and name != "epoch":
                        yield int(number), int(values["_step"]), name, value


def wandb_history(path: Path) -> Iterator[dict[str, float]]:
    """What was logged to an offline run, a dict a step."""
    from wandb.proto.wandb_internal_pb2 import Record

    for data in _log_records(path.read_bytes()):
        record = Record()
        record.ParseFromString(data)
        if record.WhichOneof("record_type") == "history":
            yield {
                (item.key or ".".join(item.nested_key)): json.loads(item.value_json)
                for item in record.history.item
            }


def _log_records(log: bytes) -> Iterator[bytes]:
    """The records of a LevelDB log (its file format, `log_format.md`), behind wandb's own seven bytes."""
    whole, place = b"", 7
    while place + _HEADER <= len(log):
        if _BLOCK - place % _BLOCK < _HEADER:
            place += _BLOCK - place % _BLOCK
            continue
        _, length, kind = struct.unpack_from("<IHB", log, place)
        whole += log[place + _HEADER : place + _HEADER + length]
        place += _HEADER + length
        if kind in (1, 4):  # full, last
            yield whole
            whole = b""
        elif kind == 0:
            return
