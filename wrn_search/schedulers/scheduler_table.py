"""The schedulers of `search.scheduler`, a line each: the space file's names and rules come from here."""

from __future__ import annotations

from wrn_search.schedulers.asha import ASHA
from wrn_search.schedulers.curves_scheduler import CURVES
from wrn_search.schedulers.hyperband import HYPERBAND
from wrn_search.schedulers.median_stopping import MEDIAN
from wrn_search.schedulers.no_early_stopping import NO_EARLY_STOPPING
from wrn_search.schedulers.scheduler import SchedulerKind

SCHEDULERS: dict[str, SchedulerKind] = {
    "none": NO_EARLY_STOPPING,
    "asha": ASHA,
    "hyperband": HYPERBAND,
    "median": MEDIAN,
    "curves": CURVES,
}
