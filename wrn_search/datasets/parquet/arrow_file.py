"""An Arrow file of `datasets`, with the reading methods of `pyarrow.parquet.ParquetFile` that are used here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"  # of a stream of record batches


class ArrowFile:
    """A stream of record batches, mapped into memory; it is read once.

    Raises:
        pyarrow.ArrowInvalid: it is none, or cut short.
    """

    def __init__(self, path: Path):
        import pyarrow as pa

        self._mapped = pa.memory_map(str(path))
        self._reader = pa.ipc.open_stream(self._mapped)
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - len(_END)))
            if file.read() != _END:
                raise pa.ArrowInvalid("the stream has no end: is it cut short?")

    def __enter__(self) -> ArrowFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    @property
    def schema_arrow(self) -> Any:
        """The columns and their metadata."""
        return self._reader.schema

    def read(self, columns: Sequence[str]) -> Any:
        """A table of some columns; `image.path` is the field `path` of column `image`, alone in a struct."""
        import pyarrow as pa

        return pa.Table.from_batches([_chosen(batch, columns) for batch in self._reader])

    def iter_batches(self, batch_size: int, columns: Sequence[str]) -> Iterator[Any]:
        """The same in batches of at most so many rows."""
        for batch in self._reader:
            chosen = _chosen(batch, columns)
            for start in range(0, chosen.num_rows, batch_size):
                yield chosen.slice(start, batch_size)


def _chosen(batch: Any, columns: Sequence[str]) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    arrays, names = [], []
    for column in columns:
        name, _, below = (column, "", "") if column in batch.schema.names else column.partition(".")
        array = batch.column(name)
        arrays.append(
            pa.StructArray.from_arrays([pc.struct_field(array, below)], [below]) if below else array
        )
        names.append(name)
    return pa.RecordBatch.from_arrays(arrays, names)
