from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from tests.decisions.playing import FACTS, space_of
from wrn_search.decisions.rung_epochs import (
    anchor_share_of,
    course_of,
    drops_of,
    geometric_rungs,
    rungs_of,
    schedule_rungs,
)
from wrn_search.schedulers.asha import goes_on
from wrn_search.schedulers.error_of_guessing import at_chance, binomial_tail


@pytest.mark.parametrize(
    ("epochs", "drops", "rungs"),
    [
        (200, (0.3, 0.6, 0.8), (60, 120, 160)),  # the paper's drops
        (9, (0.3, 0.6, 0.8), (3, 5, 7)),
        (2, (0.3, 0.6, 0.8), (1,)),  # 0.6 -> 1, 1.2 -> 1, 1.6 -> 2, which is the last epoch
        (1, (0.3, 0.6, 0.8), ()),
        (10, (0.5, 0.52), (5,)),  # coinciding ones merged
    ],
)
def test_rungs_stand_at_the_first_epoch_of_each_drop_level(epochs, drops, rungs) -> None:
    assert schedule_rungs("step", drops, epochs) == rungs


@pytest.mark.parametrize(
    ("epochs", "rungs"),
    [(216, (4, 12, 36, 108)), (60, (1, 3, 10, 30)), (52, (1, 3, 9, 26)), (5, (1, 2)), (2, (1,)), (1, ())],
)
def test_without_drops_rungs_are_early(epochs, rungs) -> None:
    """1/54, 1/18, 1/6 and 1/2; coinciding ones are one, none is the last epoch."""
    assert schedule_rungs("cosine", (0.3, 0.6, 0.8), epochs) == rungs
    assert schedule_rungs("step", (), epochs) == rungs
    assert schedule_rungs("linear", (0.3, 0.6, 0.8), epochs) == rungs
    assert schedule_rungs("onecycle", (0.3, 0.6, 0.8), epochs) == rungs


@pytest.mark.parametrize(
    ("epochs", "cooldown", "rungs"),
    [
        (60, 0.2, (1, 3, 10, 30)),  # the cooldown begins with epoch 49
        (60, 0.7, (1, 3, 10, 18)),  # epoch 18 is the last one before it
        (60, 0.9, (1, 3, 6)),
        (10, 0.95, (1, 2, 5)),  # all of it is cooldown: a line
        (1, 0.2, ()),
    ],
)
def test_rungs_of_wsd_stand_before_its_cooldown(epochs, cooldown, rungs) -> None:
    assert schedule_rungs("wsd", (0.3, 0.6, 0.8), epochs, cooldown) == rungs


@pytest.mark.parametrize(
    ("training", "rungs"),
    [
        ({"lr_schedule": "cosine"}, (10, 30)),  # but for those at 1 and 3
        ({"lr_schedule": "linear"}, (10, 30)),
        ({"lr_schedule": "wsd"}, (10, 30)),
        ({"lr_drops": [0.05, 0.5]}, (30,)),
    ],
)
@pytest.mark.parametrize("warm_up", [3, {"int": [0, 3]}, {"choice": [3, 1]}])
def test_no_rung_lies_within_a_warm_up(training, rungs, warm_up) -> None:
    """The longest one that a trial of the space can have."""
    training = {"epochs": 60, "warmup_epochs": warm_up} | training
    assert rungs_of(space_of(training=training)) == rungs
    assert min(rungs_of(space_of(training=training, search={"scheduler": "curves"}))) > 3
    assert rungs_of(space_of(training=training, search={"rungs": [1, 5]})) == (1, 5)  # as said


@pytest.mark.parametrize(
    ("training", "drops"),
    [
        ({}, (18, 36, 48)),
        ({"lr_schedule": "cosine"}, ()),
        ({"lr_schedule": "linear"}, ()),
        ({"lr_schedule": "onecycle", "lr_by": "step"}, ()),
        ({"lr_schedule": "wsd"}, (49,)),  # its cooldown is to the curve model what a drop is
        ({"lr_schedule": "wsd", "lr_cooldown": 0.5}, (31,)),
    ],
)
def test_what_the_curve_model_hears_of_the_schedule(training, drops) -> None:
    space = space_of(training={"epochs": 60} | training, search={"scheduler": "curves"})
    assert drops_of(space) == course_of(space, FACTS).drops == drops
    assert set(drops) <= set(rungs_of(space))


@pytest.mark.parametrize(
    ("training", "search", "whom_guesses_end"),
    [
        ({}, {}, True),  # after a drop all that can learn has learned something
        ({"lr_schedule": "cosine"}, {}, False),  # after the first epochs many a good one has not
        ({"lr_drops": []}, {}, False),
        ({"lr_schedule": "wsd"}, {}, False),
        ({}, {"rungs": "geometric"}, False),
    ],
)
def test_an_error_of_guessing_ends_a_trial_only_after_a_drop(training, search, whom_guesses_end) -> None:
    space = space_of(training={"epochs": 20} | training, search=search)
    assert course_of(space, FACTS).rungs_follow_schedule is whom_guesses_end


@pytest.mark.parametrize(
    ("training", "search", "brackets"),
    [
        ({}, {}, 1),  # after a drop no rung is too early
        ({"lr_schedule": "cosine"}, {}, 2),
        ({"lr_drops": []}, {}, 2),
        ({"lr_schedule": "wsd"}, {}, 2),
        ({"lr_schedule": "cosine"}, {"rungs": [1, 3]}, 1),
        ({"lr_schedule": "cosine"}, {"brackets": 3}, 3),
    ],
)
def test_where_rungs_begin_early_some_trials_pass_over_the_first(training, search, brackets) -> None:
    space = space_of(training={"epochs": 20} | training, search=search)
    assert course_of(space, FACTS).brackets == brackets


def test_anchors_cost_no_more_than_their_share_of_the_epochs() -> None:
    """Whatever the rungs: what they cost beyond others, as a share of all that the search is planned to cost."""
    for rungs in ("schedule", [1, 3], [1, 3, 9], [10]):
        for share in (0.05, 0.1, 0.3):
            search = {"rungs": rungs, "anchors": 0.1, "anchor_epochs": share}
            space = space_of(training={"epochs": 20}, search=search)
            others, left = (
                0.0,
                1.0,
            )  # mean epochs of a trial that is no anchor, and the share of them that is left
            for before, after in pairwise((0, *rungs_of(space), 20)):
                others, left = others + left * (after - before), left / 3
            of_all = anchor_share_of(space)
            beyond = of_all * (20 - others)
            cost = beyond / (others + beyond)
            assert cost <= share + 1e-12
            assert of_all == 0.1 or cost == pytest.approx(share)


def test_where_nothing_stops_there_are_no_anchors() -> None:
    assert anchor_share_of(space_of(search={"scheduler": "none", "anchors": 0.5})) == 0
    assert anchor_share_of(space_of(training={"epochs": 1}, search={"anchors": 0.5})) == 0


@pytest.mark.parametrize(
    ("grace", "factor", "epochs", "rungs"),
    [
        (1, 3, 243, (1, 3, 9, 27, 81)),  # a floating logarithm gives one rung more or less here
        (3, 3, 60, (3, 9, 27)),
        (1, 2, 8, (1, 2, 4)),
        (5, 3, 5, ()),
    ],
)
def test_geometric_rungs_are_integers_below_the_last_epoch(grace, factor, epochs, rungs) -> None:
    assert geometric_rungs(grace, factor, epochs) == rungs


def test_rungs_of_a_space_follow_its_scheduler() -> None:
    training = {"epochs": 20}
    assert rungs_of(space_of(training=training, search={"scheduler": "none"})) == ()
    assert rungs_of(space_of(training=training, search={"scheduler": "asha"})) == (6, 12, 16)
    assert rungs_of(space_of(training=training, search={"rungs": [4, 15]})) == (4, 15)
    assert rungs_of(space_of(training=training, search={"rungs": "geometric", "grace_period": 2})) == (
        2,
        6,
        18,
    )


@pytest.mark.parametrize(
    ("value", "values", "expected"),
    [
        (5.0, [5.0], True),  # the first at a rung goes on
        (5.0, [4.0, 5.0], False),
        (4.0, [5.0, 4.0], True),
        (4.0, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], False),
        (2.0, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], True),  # two of six
        (3.0, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], False),
        (1.0, [1.0, 1.0, 1.0], True),  # ties share their fate
    ],
)
def test_one_in_three_goes_on(value, values, expected) -> None:
    assert goes_on(sum(other < value for other in values), len(values), reduction_factor=3) is expected


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=60, unique=True), st.integers(2, 5))
def test_of_distinct_values_exactly_one_in_eta_goes_on_but_at_least_one(values, factor) -> None:
    on = [value for value in values if goes_on(sum(other < value for other in values), len(values), factor)]
    assert len(on) == max(1, len(values) // factor)
    assert max(on) <= min(set(values) - set(on), default=10_001)


@given(st.integers(1, 400), st.integers(0, 100))
def test_the_binomial_tail_is_that_of_scipy(images, percent) -> None:
    wrong = range(images * percent // 100 + 1)
    expected = binom.cdf(wrong, images, percent / 100)
    tails = [binomial_tail(each, images, percent / 100) for each in wrong]
    assert tails == pytest.approx(expected, rel=1e-9, abs=1e-200)  # below, it is scipy that is inexact


def test_chance_ends_where_guessing_would_be_as_good_in_one_of_44_cases() -> None:
    told = binom.ppf(0.02275, 300, 0.9) - 1  # the most wrong answers that are less likely
    assert not at_chance(100 * told / 300, 90.0, 300)
    assert at_chance(100 * (told + 1) / 300, 90.0, 300)
    assert at_chance(95.0, 90.0, 300)


@pytest.mark.parametrize(("chance", "images"), [(5.0, 60), (0.0, 60), (50.0, 5), (10.0, 35)])
def test_where_even_no_error_could_be_luck_nothing_is_stopped(chance, images) -> None:
    assert (1 - chance / 100) ** images > 0.02275  # what guessing reaches
    assert not any(at_chance(100 * wrong / images, chance, images) for wrong in range(images + 1))
