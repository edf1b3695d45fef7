import subprocess
import sys

from wrn_search.seeds import derived_seed


def test_seeds_are_fixed_for_ever_and_in_every_process() -> None:
    program = "from wrn_search.seeds import derived_seed; print(derived_seed(0, 'trial', 3, 1))"
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert int(printed) == derived_seed(0, "trial", 3, 1) == 400_174_075


def test_purposes_numbers_and_search_seeds_give_different_seeds_in_range() -> None:
    seeds = [
        derived_seed(s, p, i, j) for s in (0, 1) for p in ("a", "b") for i in range(20) for j in range(20)
    ]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**31 for seed in seeds)
