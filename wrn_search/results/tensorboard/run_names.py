"""Short names of trials, the same in TensorBoard, on the progress line and in the summary."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from wrn_search.networks.architecture import Architecture


def short_name(number: int, config: Mapping[str, Any], repeat: int = 0) -> str:
    """`007_WRN-16-4_p0.30_wd5e-4`, and `_r1` behind it for a second seed; safe as a file's name.

    `config` holds the leaves of the trial's `TrialConfig`.
    """
    architecture = Architecture.of(config["depth"], config["widen_factor"], config["block"])
    # B(3,1,3) becomes B313: kernel sizes have one digit.
    network = re.sub(r"[^A-Za-z0-9._-]", "", architecture.name)
    seed = f"_r{repeat}" if repeat else ""
    return f"{number:03d}_{network}_p{config['dropout']:.2f}_wd{_short_number(config['weight_decay'])}{seed}"


def _short_number(value: float) -> str:
    """`5e-4` for 0.0005, with two digits where the second is not 0."""
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
