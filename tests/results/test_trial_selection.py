"""Ranking at full epochs, and finding one trial by every name it has."""

from __future__ import annotations

import pytest

from tests.results.searches import (
    MAX_EPOCHS,
    every_event,
    proposed,
    record_of,
    reported,
    search_started,
    timed,
)
from wrn_search.cli.search_summary import summary_of
from wrn_search.errors import InputError
from wrn_search.results.events import Chosen, Completed, Diverged, Stopped
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.results.trial_selection import (
    find_trial,
    name_of,
    ranked_configurations,
    read_state,
    standings,
)


def state_of(*final_errors: float | str, configurations: tuple[int, ...] | None = None) -> SearchState:
    """Trials that completed with these errors, or ended otherwise."""
    configurations = configurations or tuple(range(len(final_errors)))
    events = [search_started()]
    for number, error in enumerate(final_errors):
        repeat = configurations[:number].count(configurations[number])
        events.append(proposed(number, configuration=configurations[number], repeat=repeat))
        if error == "diverged":
            events.append(Diverged(number, 1, "nan"))
        elif error == "stopped":
            events += [reported(number, 1, val_error=0.0), Stopped(number, 1, "rung")]
        else:
            events += [reported(number, epoch, val_error=99.0) for epoch in range(1, MAX_EPOCHS)]
            events += [reported(number, MAX_EPOCHS, val_error=error), Completed(number)]
    return fold(timed(*events))


def test_only_full_epochs_rank_and_ties_go_to_the_earlier() -> None:
    state = state_of(5.0, "stopped", 3.0, "diverged", 3.0, 4.0)
    assert [standing.number for standing in standings(state)] == [2, 4, 5, 0]
    assert state.trials[2] is summary_of(state).best is find_trial(state, "best")


@pytest.mark.parametrize(
    ("errors", "configurations", "best"),
    [
        ((1.0, 9.0, 8.0, 3.0, 2.0, 4.0), (0, 0, 0, 1, 1, 1), 3),  # medians 8 and 3; the luckiest seed is 0
        ((9.0, 1.0, 3.0, 2.0), (0, 0, 1, 1), 3),  # of two seeds the lower one
        ((6.0, 2.0, 3.0, 1.0), (0, 0, 0, 0), 1),  # the lower middle one of four
        ((0.5, 3.0, 3.0, 2.0), (0, 1, 1, 1), 1),  # one seed only is not known to be better
        ((2.0, "diverged", 4.0, 5.0, 5.0, 5.0), (0, 0, 0, 1, 1, 1), 2),  # 2, 4 and that of guessing
        ((2.0, "diverged", "diverged", 95.0, 95.0, 95.0), (0, 0, 0, 1, 1, 1), 4),  # two completed come first
        ((1.0, "stopped", 3.0, 3.0), (0, 0, 1, 1), 2),  # which of these was stopped was luck
    ],
)
def test_the_best_is_at_the_median_of_the_best_configuration(errors, configurations, best) -> None:
    state = state_of(*errors, configurations=configurations)
    assert find_trial(state, "best").number == best
    assert summary_of(state).best is state.trials[best]


def test_an_unfinished_configuration_comes_after_those_that_are_whole() -> None:
    events = [search_started()]
    for number, error in enumerate((4.0, 4.0, 1.0, 1.0)):
        events.append(proposed(number, configuration=number // 2, repeat=number % 2))
        events += [reported(number, MAX_EPOCHS, val_error=error), Completed(number)]
    events.append(proposed(4, configuration=1, repeat=2))
    assert find_trial(fold(timed(*events)), "best").number == 0
    assert find_trial(fold(timed(*events[:-1])), "best").number == 2


def test_configurations_rank_by_the_median_of_their_seeds_where_divergence_counts_as_chance() -> None:
    """Medians 4, (2 + 90) / 2 = 46; the third and the fourth never got to the end, but for one lucky seed."""
    errors = (3.0, 5.0, 2.0, "diverged", 1.0, "stopped", "stopped", "diverged")
    state = state_of(*errors, configurations=(0, 0, 1, 1, 2, 2, 3, 3))
    ranked = ranked_configurations(state)
    assert [[trial.number for trial in trials] for trials in ranked] == [[0, 1], [2, 3]]


def test_a_configuration_whose_repeats_have_not_all_ended_comes_after_those_that_are_whole() -> None:
    state = state_of(3.0, 5.0, 1.0, configurations=(0, 0, 1))
    ranked = ranked_configurations(state)
    assert [[trial.number for trial in trials] for trials in ranked] == [[0, 1], [2]]


def test_a_trial_is_found_by_number_key_and_short_name() -> None:
    state = fold(every_event())
    trial = state.trials[3]
    for which in ("3", trial.trial_id, name_of(trial)):
        assert find_trial(state, which) is trial


@pytest.mark.parametrize("which", ["9", "-1", "", "003_WRN-16-4_p0.31_wd5e-4", "03"])
def test_a_name_that_means_no_trial_is_told(which: str) -> None:
    with pytest.raises(InputError, match=r"--trial: must be best, a trial's number \(0 to 5\)"):
        find_trial(fold(every_event()), which)


def test_best_needs_a_trial_at_full_epochs() -> None:
    with pytest.raises(InputError, match=r"best needs a trial .* last epoch \(4\), but none of 2 was"):
        find_trial(state_of("stopped", "diverged"), "best")


def test_a_state_is_read_from_a_directory_or_its_absence_told(tmp_path) -> None:
    directory = ResultsDirectory(tmp_path)
    with pytest.raises(InputError, match="must be the record of a search, but there is none"):
        read_state(directory)
    directory.events.touch()
    with pytest.raises(InputError, match="holds no event yet"):
        read_state(directory)
    directory.events.unlink()
    record_of(directory.events, every_event()).close()
    assert read_state(directory).search == "small"
    with pytest.raises(InputError, match="must be a results directory, but there is no such directory"):
        read_state(ResultsDirectory(tmp_path / "no"))


def test_a_confirmation_has_nothing_to_rank_by(tmp_path) -> None:
    directory = ResultsDirectory(tmp_path)
    record_of(directory.events, timed(search_started(), Chosen("0123", "top", 3, 5, 4, 9, {}))).close()
    with pytest.raises(InputError, match="is that of a confirmation; name the search above it"):
        read_state(directory)
