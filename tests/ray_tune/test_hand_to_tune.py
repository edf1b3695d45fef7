"""What Tune does on its own when it is handed a search; whole searches are in test_search_end_to_end."""

from __future__ import annotations

import pytest

from tests.cli.commands import modules_of


@pytest.mark.slow  # with a whole Ray; the quick tests together must take less than ten minutes
def test_the_trackers_that_ray_knows_of_are_not_imported_to_count_callbacks() -> None:
    """They took a second of each start, where they are installed."""
    search = "import sys; sys.argv[1:] = ['2', 'random']; from benchmarks.driver_cpu import main; main()"
    rays = {f"ray.air.integrations.{name}" for name in ("comet", "mlflow", "wandb")}
    assert modules_of(search, *rays, "mlflow", "wandb", "ray.tune.tuner") == {"ray.tune.tuner"}
