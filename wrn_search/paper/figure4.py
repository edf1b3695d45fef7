"""Figure 4 of the paper: milliseconds of forward and backward of 32 images, by the names of our networks."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

SETUP = "Titan X, cuDNN 5"
BATCH_SIZE = 32
# The axis of the figure says 1004, a depth that its bottleneck blocks do not have; the text says 1001.
_MISPRINT = {"1004": "1001"}


@cache
def figure4_milliseconds() -> dict[str, float]:
    """Thin networks, then wide ones, in the order of the figure."""
    text = files("wrn_search.paper").joinpath("figure4_minibatch_time.csv").read_text(encoding="utf-8")
    found = {}
    for row in csv.DictReader(text.splitlines()):
        depth = _MISPRINT.get(row["depth"], row["depth"])
        name = f"ResNet-{depth}" if row["family"] == "thin" else f"WRN-{depth}-{row['k']}"
        found[name] = float(row["time_ms_fwd_bwd_batch32_titanx_cudnn5"])
    return found
