"""The energy that GPUs have used, by the counters that they keep themselves (NVML, NVIDIA's management library).

By ctypes, as the library comes with the driver: no package is needed.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

NVML = "libnvidia-ml.so.1"
_SUCCESS = 0
_MIG_ON = 1
_JOULES_OF_A_KWH = 3.6e6


class NoEnergyCounter(RuntimeError):
    """The energy cannot be measured; its text says what is missing."""


class GpuEnergy:
    """The counters of some GPUs, those of a whole GPU each: milliwatt-seconds since its driver was loaded.

    Args:
        uuids: of the GPUs, such as GPU-3f2a...; None: all of this machine, also those hidden from this process.
        library: NVML's.

    Raises:
        NoEnergyCounter: there is no driver, a GPU is not there, is divided (MIG), or has no counter (before Volta).
    """

    def __init__(self, uuids: Sequence[str] | None = None, library: str = NVML):
        try:
            self._nvml = ctypes.CDLL(library)
        except OSError:
            raise NoEnergyCounter(f"there is no {library}, which comes with NVIDIA's driver") from None
        self._call("nvmlInit_v2")
        self._gpus = self._all() if uuids is None else [self._by_uuid(uuid) for uuid in uuids]
        if not self._gpus:
            raise NoEnergyCounter("NVIDIA's driver names no GPU")
        for gpu in self._gpus:
            self._refuse_divided(gpu)
        self.kwh()

    def kwh(self) -> float:
        """Kilowatt-hours so far, of all the GPUs together; only differences mean something.

        Raises:
            NoEnergyCounter: one has no counter.
        """
        total = 0
        for gpu in self._gpus:
            millijoules = ctypes.c_ulonglong()
            self._call("nvmlDeviceGetTotalEnergyConsumption", gpu, ctypes.byref(millijoules))
            total += millijoules.value
        return total / 1000 / _JOULES_OF_A_KWH

    def _all(self) -> list[ctypes.c_void_p]:
        count = ctypes.c_uint()
        self._call("nvmlDeviceGetCount_v2", ctypes.byref(count))
        found = []
        for index in range(count.value):
            gpu = ctypes.c_void_p()
            self._call("nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(gpu))
            found.append(gpu)
        return found

    def _by_uuid(self, uuid: str) -> ctypes.c_void_p:
        gpu = ctypes.c_void_p()
        self._call("nvmlDeviceGetHandleByUUID", uuid.encode("ascii"), ctypes.byref(gpu))
        return gpu

    def _refuse_divided(self, gpu: ctypes.c_void_p) -> None:
        """The counter is of the whole GPU. One that cannot be divided answers with an error here, and is whole."""
        now, later = ctypes.c_uint(), ctypes.c_uint()
        function = getattr(self._nvml, "nvmlDeviceGetMigMode", None)
        is_told = function is not None and function(gpu, ctypes.byref(now), ctypes.byref(later)) == _SUCCESS
        if is_told and now.value == _MIG_ON:
            raise NoEnergyCounter("a GPU is divided (MIG), and its counter is of the whole")

    def _call(self, name: str, *arguments: object) -> None:
        function = getattr(self._nvml, name, None)
        if function is None:
            raise NoEnergyCounter(f"NVIDIA's driver has no {name}")
        if (code := function(*arguments)) != _SUCCESS:
            text = self._nvml.nvmlErrorString
            text.restype = ctypes.c_char_p
            raise NoEnergyCounter(f"{name} says: {text(code).decode(errors='replace')}")


def energy_missing_here(library: str = NVML) -> str | None:
    """What keeps the energy of this machine's GPUs from being measured; None when nothing does."""
    try:
        GpuEnergy(library=library)
    except NoEnergyCounter as error:
        return str(error)
    return None


def energy_problem_text(node: str, missing: str) -> str:
    """What is wrong with a node whose GPUs do not tell their energy."""
    return f"energy_kwh needs the energy counters of the GPUs (NVML), but on {node}: {missing}"
