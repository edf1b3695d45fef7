"""Short names of trials, the same in TensorBoard, on the progress line and in the summary."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from wrn_search.networks.architecture import Architecture
from wrn_search.results.trial_state import TrialState
from wrn_search.space.section_keys import default_of
from wrn_search.space.trial_config import LEAVES

# What the name says of further hyperparameters: a short word before the value, none where the value speaks for itself.
_WORDS = {
    "learning_rate": "lr",
    "batch_size": "bs",
    "momentum": "m",
    "init": "",
    "weight_decay_on": "on-",
    "lr_schedule": "",
    "lr_drop_factor": "drop",
    "bn_weight": "bn-",
    "linear_init": "linear-",
    "momentum_at_drops": "m-",
    "last_batch": "last-",
    "stochastic_depth": "sd",
    "label_smoothing": "ls",
    "class_weights": "weights-",
    "optimizer": "",
    "nesterov": "nesterov-",
    "beta1": "b1-",
    "beta2": "b2-",
    "lr_by": "lr-by-",
    "warmup_epochs": "warm",
    "clip_norm": "clip",
    "gradient_accumulation": "micro",
}
_ALWAYS = ("family", "depth", "widen_factor", "deepening_factor", "block", "dropout", "weight_decay")
_MOST = 16  # characters of a value
_LONGEST = 200  # of a name, less its repeat


def short_name(
    number: int, config: Mapping[str, Any], repeat: int = 0, *, searched: Iterable[str] = ()
) -> str:
    """`007_WRN-16-4_p0.30_wd5e-4`, then every other searched value, and `_r1` for a second seed: `..._lr0.12_bs64_r1`.

    Safe as a file's name and of bounded length. What does not apply to the trial is not in its name.

    Args:
        number: of the trial.
        config: the leaves of its `TrialConfig`, or null (NaN of a table) for what does not apply.
        repeat: of its configuration, from 0.
        searched: the hyperparameters, or those of the trial with their values, null for what does not apply.
    """
    architecture = Architecture.of(
        config["depth"], config["widen_factor"], config["block"], config.get("family")
    )
    # B(3,1,3) becomes B313: kernel sizes have one digit.
    network = _safe(architecture.name)
    optimiser = config.get("optimizer")
    dropout, decay = (_trained_with(name, config[name], optimiser) for name in ("dropout", "weight_decay"))
    parts = [f"{number:03d}_{network}_p{dropout:.2f}_wd{_short_number(decay)}"]
    values = searched if isinstance(searched, Mapping) else {name: config.get(name) for name in searched}
    told = {name for name, value in values.items() if value is not None and value == value}
    further = [name for name in LEAVES if name in told and name not in _ALWAYS]
    parts += [f"{_WORDS.get(name, name)}{_short_value(config[name])}" for name in further]
    name = "_".join(parts)
    if len(name) > _LONGEST:  # what is cut off still tells names apart
        name = f"{name[: _LONGEST - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return f"{name}_r{repeat}" if repeat else name


def earlier_names(trial: TrialState) -> tuple[str, ...]:
    """Of versions that named no further values, and of those that named what does not apply, too."""
    searched = tuple(trial.hparams)
    return (
        short_name(trial.number, trial.config, trial.repeat),
        short_name(trial.number, trial.config, trial.repeat, searched=searched),
    )


def _trained_with(name: str, value: Any, optimizer: Any) -> float:
    """The value, or the default where none applies."""
    return float(default_of(name, optimizer)) if value is None or value != value else float(value)


def _short_value(value: Any) -> str:
    text = f"{value:.3g}" if isinstance(value, float) else str(value)
    return _safe(text)[:_MOST]


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "", text)


def _short_number(value: float) -> str:
    """`5e-4` for 0.0005, with two digits where the second is not 0."""
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
