"""Records of event files against TensorBoard's own writer, byte by byte."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.summary.writer.record_writer import RecordWriter

from wrn_search.results.tensorboard.record_framing import framed


def _theirs(data: bytes) -> bytes:
    file = io.BytesIO()
    RecordWriter(file).write(data)
    return file.getvalue()


@given(st.binary(max_size=40))
def test_short_records_are_tensorboards(data) -> None:
    assert framed(data) == _theirs(data)


@pytest.mark.parametrize("length", [508, 511, 512, 513, 515, 516, 1023, 1024, 1027, 5000])
def test_records_of_more_than_a_chunk_are_tensorboards(length) -> None:
    data = bytes(position * 37 % 251 for position in range(length))
    assert framed(data) == _theirs(data)
