"""The planted results are results: every reader takes them, and they say what was planted."""

import numpy as np

from tests.analysis.planted import Plan, plant, power_law
from wrn_search.results.table_reader import read_results
from wrn_search.space.space_file import read_space


def test_planted_results_read_as_a_search(tmp_path):
    path = plant(tmp_path / "planted", Plan(noise=0.0, ends={3: ("failed", "boom"), 5: ("running", None)}))
    trials, epochs = read_results(path)
    assert read_space(path / "resolved.yaml").size == len(trials) == 16
    assert trials["status"].value_counts().to_dict() == {"completed": 14, "failed": 1, "running": 1}
    assert len(epochs) == trials["epochs_done"].sum()
    done = trials[trials["status"] == "completed"]
    expected = [power_law({}, weights) for weights in done["num_params"]]
    np.testing.assert_allclose(done["val_error"], expected)
    last = epochs.groupby("trial_id")["val_error"].last()
    np.testing.assert_allclose(done["val_error"], last[done["trial_id"]])
