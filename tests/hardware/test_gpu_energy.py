"""Energy by NVML's counters: a library of the same calls, compiled here, stands for that of a driver."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from wrn_search.hardware.arithmetic_on_offer import arithmetic_here
from wrn_search.hardware.detected_cores_and_gpus import has_nvidia_driver
from wrn_search.hardware.gpu_energy import GpuEnergy, NoEnergyCounter, energy_missing_here

Driver = Callable[..., str]

# As in nvml.h: a handle is a pointer, 0 is success, the energy is in millijoules.
LIBRARY = """
#include <string.h>
static int gpus[3] = {0, 1, 2};
static unsigned long long used = 3600000000ULL;  /* millijoules: 1 kWh */
int nvmlInit_v2(void) { return INIT; }
int nvmlDeviceGetCount_v2(unsigned int *count) { *count = COUNT; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **gpu) { *gpu = &gpus[index]; return 0; }
int nvmlDeviceGetHandleByUUID(const char *uuid, void **gpu) {
    if (strncmp(uuid, "GPU-", 4) != 0 || uuid[4] < '0' || uuid[4] > '2') return 6;
    *gpu = &gpus[uuid[4] - '0'];
    return 0;
}
int nvmlDeviceGetMigMode(void *gpu, unsigned int *now, unsigned int *later) { *now = *later = MIG; return MIG ? 0 : 3; }
int nvmlDeviceGetTotalEnergyConsumption(void *gpu, unsigned long long *energy) {
    used += 1800000000ULL;
    *energy = used * (1 + *(int *)gpu);
    return COUNTER;
}
const char *nvmlErrorString(int code) { return code == 3 ? "Not Supported" : "Not Found"; }
"""


@pytest.fixture
def driver(tmp_path: Path) -> Driver:
    """Makes the library of a driver with so many GPUs."""
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler")

    def make(count: int = 2, init: int = 0, mig: int = 0, counter: int = 0) -> str:
        source, made = tmp_path / "nvml.c", tmp_path / f"libnvml-{count}{init}{mig}{counter}.so"
        source.write_text(LIBRARY)
        told = {"COUNT": count, "INIT": init, "MIG": mig, "COUNTER": counter}
        defined = [f"-D{name}={value}" for name, value in told.items()]
        subprocess.run(["cc", "-shared", "-fPIC", *defined, "-o", made, source], check=True)
        return str(made)

    return make


def test_kilowatt_hours_are_those_of_the_named_gpus(driver: Driver) -> None:
    one = GpuEnergy(["GPU-0aa"], library=driver())
    before = one.kwh()
    assert one.kwh() - before == pytest.approx(0.5)
    two = GpuEnergy(["GPU-0aa", "GPU-1bb"], library=driver())
    before = two.kwh()
    # Each reading is half a kilowatt-hour later; the second GPU's counter goes twice as fast.
    assert two.kwh() - before == pytest.approx(1.0 + 2 * 1.0)


def test_a_machine_with_counters_lacks_nothing(driver: Driver) -> None:
    assert energy_missing_here(driver(3)) is None


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"count": 0}, "NVIDIA's driver names no GPU"),
        ({"init": 9}, "nvmlInit_v2 says: Not Found"),
        ({"mig": 1}, "a GPU is divided (MIG), and its counter is of the whole"),
        ({"counter": 3}, "nvmlDeviceGetTotalEnergyConsumption says: Not Supported"),
    ],
)
def test_what_is_missing_is_named(driver: Driver, told: dict[str, int], why: str) -> None:
    assert energy_missing_here(driver(**told)) == why


def test_a_gpu_that_is_not_there_is_refused(driver: Driver) -> None:
    with pytest.raises(NoEnergyCounter, match="nvmlDeviceGetHandleByUUID says: Not Found"):
        GpuEnergy(["GPU-7"], library=driver())


def test_without_a_driver_the_library_is_named() -> None:
    with pytest.raises(
        NoEnergyCounter, match=r"there is no libnvidia-none\.so, which comes with NVIDIA's driver"
    ):
        GpuEnergy(library="libnvidia-none.so")


@pytest.mark.skipif(has_nvidia_driver(), reason="of a machine without NVIDIA's driver")
def test_a_machine_without_gpus_says_so_when_it_is_asked() -> None:
    assert arithmetic_here().energy_missing == "there is no driver of NVIDIA's"
