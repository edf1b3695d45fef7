"""A record of an event file: length, checksum of the length, data, checksum of the data (TensorFlow's TFRecord).

TensorBoard's own writer takes the checksum byte by byte in Python: a fifth of what a short trial's run cost.
"""

from __future__ import annotations

import struct
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import CRC_TABLE

_CHUNK = 512  # bytes at once
_ONES = 0xFFFFFFFF


def framed(data: bytes) -> bytes:
    """The record that holds these bytes."""
    return _framed_length(len(data)) + data + struct.pack("<I", masked_crc32c(data))


@lru_cache(maxsize=1024)
def _framed_length(length: int) -> bytes:
    header = struct.pack("<Q", length)
    return header + struct.pack("<I", masked_crc32c(header))


def masked_crc32c(data: bytes) -> int:
    """CRC-32C, masked as TensorFlow does, so that checksums of checksums stay good ones."""
    crc = _crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & _ONES


def _crc32c(data: bytes) -> int:
    """A checksum is linear: that of some bytes is the exclusive or of what each does at its distance from the end.

    And what a byte does is what its two halves do: their table stays in the processor's first caches.
    """
    state = _ONES
    for first in range(0, len(data), _CHUNK):
        part = np.frombuffer(data[first : first + _CHUNK], np.uint8)
        if len(part) < 4:
            for byte in part.tolist():
                state = CRC_TABLE[(state ^ byte) & 255] ^ (state >> 8)
        else:
            part = part.copy()
            part[:4] ^= np.frombuffer(state.to_bytes(4, "little"), np.uint8)
            table, (low, high) = _by_distance(), _places(len(part))
            state = int(np.bitwise_xor.reduce(table.take(low + (part & 15)) ^ table.take(high + (part >> 4))))
    return state ^ _ONES


@lru_cache(maxsize=_CHUNK + 1)
def _places(length: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(length,) each: where in the table the rows of the lower and upper half of each byte of so many begin."""
    distances = np.arange(length - 1, -1, -1)
    return 32 * distances, 32 * distances + 16


@lru_cache(maxsize=1)
def _by_distance() -> NDArray[np.uint32]:
    """(_CHUNK * 32,): for each distance from the end in bytes what each lower half does there, and each upper half."""
    one = np.array(CRC_TABLE, np.uint32)
    table = np.empty((_CHUNK, 256), np.uint32)
    table[0] = one
    for distance in range(1, _CHUNK):
        table[distance] = one[table[distance - 1] & 255] ^ (table[distance - 1] >> 8)
    return np.concatenate((table[:, :16], table[:, ::16]), axis=1).ravel()
