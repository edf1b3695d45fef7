"""Space files for tests: what the reader says of a text, and random valid spaces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.errors import InputError
from wrn_search.networks.architecture import block_name, depth_step
from wrn_search.schedulers.scheduler_table import SCHEDULERS
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.space import Space
from wrn_search.space.space_file import space_from_text

SPACES = Path(__file__).parent.parent.parent / "search_spaces"


def space(text: str = "", *overrides: str) -> Space:
    """The space of a text, as if it stood in `s.yaml`."""
    return space_from_text(text or "name: s\n", "s.yaml", overrides)


def complaints(text: str, *overrides: str) -> list[str]:
    """Every line that the reader prints for a text in `s.yaml`; fails if the text is fine."""
    with pytest.raises(InputError) as caught:
        space(text, *overrides)
    return [str(problem) for problem in caught.value.problems]


def _searched(draw: st.DrawFn, low: float, high: float) -> Any:
    """A real number of [low, high] or a domain of them."""
    ends = sorted(draw(st.lists(st.floats(low, high), min_size=2, max_size=2, unique=True)))
    options: list[Any] = [
        draw(st.floats(low, high)),
        {"choice": draw(st.lists(st.floats(low, high), min_size=1, max_size=4, unique=True))},
        {"uniform": ends},
    ]
    if ends[0] > 0:
        options.append({"loguniform": ends})
    return draw(st.sampled_from(options))


@st.composite
def model_sections(draw: st.DrawFn) -> dict[str, Any]:
    """A random `model` section in which every depth exists for its one block."""
    kernels = draw(st.lists(st.sampled_from([1, 3, 5]), min_size=2, max_size=4).map(tuple))
    step = depth_step(kernels)
    depths = st.integers(1, 30).map(lambda blocks: 4 + step * blocks)
    section: dict[str, Any] = {
        "depth": draw(
            st.one_of(
                depths,
                st.lists(depths, min_size=1, max_size=4, unique=True).map(lambda found: {"choice": found}),
                st.integers(2, 9).map(lambda blocks: {"int": [4 + step, 4 + step * blocks, step]}),
            )
        ),
        "widen_factor": _searched(draw, 1 / 16, 100),
        "dropout": _searched(draw, 0, 0.99),
        "init": draw(st.sampled_from(["fan_in", "fan_out", {"choice": ["fan_out", "fan_in"]}])),
    }
    if set(kernels) == {3} and draw(st.booleans()):
        return section | {"deepening_factor": len(kernels)}
    return section | {"block": block_name(kernels)}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A random valid space file, as `yaml.safe_load` would return it."""
    training = {
        "epochs": draw(st.integers(30, 500)),
        "batch_size": draw(st.sampled_from([2, 64, {"choice": [32, 64]}, {"int": [16, 256, 16]}])),
        "learning_rate": _searched(draw, 1e-6, 100),
        "momentum": _searched(draw, 0, 0.999),
        "weight_decay": _searched(draw, 0, 10),
        "lr_schedule": draw(st.sampled_from(["step", "cosine"])),
        "compile": draw(st.sampled_from(["auto", "on", "off"])),
    }
    if training["lr_schedule"] == "step":
        training["lr_drops"] = sorted(draw(st.lists(st.floats(0.01, 0.99), max_size=4, unique=True)))
    search = {
        "searcher": draw(
            st.sampled_from([name for name, kind in SEARCHERS.items() if not kind.needs_finite_space])
        ),
        "scheduler": draw(st.sampled_from(sorted(SCHEDULERS))),
        "rungs": draw(st.sampled_from(["schedule", "geometric", [3, 9, 27]])),
        "trials": draw(st.none() | st.integers(1, 1_000_000)),
        "max_hours": draw(st.none() | st.floats(0.01, 1000)),
        "seed": draw(st.integers(0, 2**31 - 1)),
    }
    everything = {
        "name": draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True)),
        "description": draw(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30)),
        "dataset": {"name": draw(st.sampled_from(sorted(DATASETS)))},
        "model": draw(model_sections()),
        "training": training,
        "objectives": ["val_error"],
        "search": search,
        "resources": {"gpus_per_trial": draw(st.sampled_from(["auto", 0, 0.25, "1/8"])), "concurrent": 2},
    }
    if search["searcher"] == "cmaes":  # labels alone would leave it nothing to learn of
        everything["model"] |= {"init": "fan_in"}
    left_out = draw(st.sets(st.sampled_from(sorted(everything.keys() - {"name"}))))
    return {key: value for key, value in everything.items() if key not in left_out}
