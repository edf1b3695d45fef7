"""Events as lines: every event comes back equal, everything else is refused by name."""

from __future__ import annotations

import dataclasses
import json
import math
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.results.searches import (
    confirmation_events,
    every_event,
    metrics,
    reported,
    search_started,
    timed,
    trial_config,
)
from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.errors import InputError
from wrn_search.results import events
from wrn_search.results.event_lines import from_line, to_line
from wrn_search.results.events import EVENTS, Failed, Interrupted, Known, Proposed, Reported, SearchEnded
from wrn_search.results.state_from_events import fold


def test_every_event_comes_back_equal_from_one_ascii_line():
    events = [event for _, event in every_event() + confirmation_events()]
    assert {type(event) for event in events} == set(EVENTS.values())
    for seq, event in enumerate(events):
        line = to_line(event, seq, 12.5)
        assert line.isascii()
        assert "\n" not in line
        assert from_line(line) == (seq, 12.5, event)


def test_a_line_has_its_place_first_then_the_fields_with_metrics_flattened():
    values = json.loads(to_line(reported(3, 2), 7, 1.25))
    assert list(values)[:4] == ["seq", "time", "event", "number"]
    assert (values["seq"], values["time"], values["event"], values["number"]) == (7, 1.25, "reported", 3)
    named = {field.name for field in dataclasses.fields(EpochMetrics)}
    not_measured = {"ema_val_error", "inference_ms", "inference_ms_64", "energy_kwh"}
    assert named - values.keys() == not_measured  # and not said, as in older records
    with_it = dataclasses.replace(reported(3, 2), metrics=dataclasses.replace(metrics(2), ema_val_error=12.5))
    assert json.loads(to_line(with_it, 7, 1.25))["ema_val_error"] == 12.5
    assert from_line(to_line(with_it, 7, 1.25))[2] == with_it
    assert values["val_error"] == 30.0


def test_the_config_of_a_proposal_comes_back_as_the_trial_config():
    proposal = next(event for _, event in every_event() if type(event).__name__ == "Proposed")
    _, _, event = from_line(to_line(proposal, 0, 0.0))
    assert trial_config().from_dict(event.config) == trial_config(dropout=0.0)


@settings(deadline=None)
@given(error=st.text(), number=st.integers(0, 10**9), time=st.floats(0, 4e9))
def test_any_text_fits_in_one_line(error, number, time):
    event = Failed(number, error)
    line = to_line(event, 3, time)
    assert "\n" not in line
    assert "\r" not in line
    assert from_line(line) == (3, time, event)


finite = st.floats(allow_nan=False, allow_infinity=False)


@settings(deadline=None)
@given(st.builds(EpochMetrics, st.integers(1, 10**6), *[finite] * 7, st.integers(0, 2**60)))
def test_metrics_come_back_to_the_last_bit(values):
    event = Reported(0, values, "node", "cuda:0")
    assert from_line(to_line(event, 0, 0.0))[2] == event


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_never_written(value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_line(Reported(0, metrics(1, val_loss=value), "node", "cpu"), 0, 0.0)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "must hold one event as JSON, but it is damaged"),
        ('{"seq": 0, "time": 1.5, "event": "comple', "but it is damaged"),
        ('{"seq": 0, "time": NaN, "event": "search_resumed"}', "numbers must be finite, but got NaN"),
        ("[1, 2]", "event: must be one of search_started, .*, but got none"),
        ('{"seq": 0, "time": 1.5}', "event: must be one of search_started, .*, but got none"),
        ('{"seq": 0, "time": 1.5, "event": ["completed"]}', r"but got \['completed'\]"),
        (
            '{"seq": 0, "time": 1.5, "event": "promoted"}',
            "but got 'promoted' .was it written by a newer version",
        ),
        (
            '{"seq": 0, "time": 1.5, "event": "completed", "numer": 3}',
            "completed: .* missing ones: number; unknown ones: numer .was it written by another version",
        ),
        (
            '{"seq": 0, "time": 1.5, "event": "completed", "number": "3"}',
            "completed.number: must be int, but got '3'",
        ),
        (
            '{"seq": 0, "time": true, "event": "search_resumed"}',
            "search_resumed.time: must be float or int, but got True",
        ),
        (
            '{"seq": 0.0, "time": 1, "event": "search_resumed"}',
            "search_resumed.seq: must be int, but got 0.0",
        ),
    ],
)
def test_a_wrong_line_is_refused_with_its_place_and_rule(line, message):
    with pytest.raises(InputError, match=message) as caught:
        from_line(line, "results/x/events.jsonl:3")
    assert str(caught.value).startswith("results/x/events.jsonl:3: ")


def test_whole_numbers_are_taken_where_a_float_is_due():
    values = json.loads(to_line(Reported(0, metrics(1), "node", "cpu"), 0, 1.0)) | {"val_error": 60}
    line = _unsealed(values)
    assert from_line(line)[2] == Reported(0, metrics(1), "node", "cpu")


def _unsealed(values: dict) -> str:
    """A line as it was written before there were checksums."""
    return json.dumps({key: value for key, value in values.items() if key != "crc"})


def test_lines_of_before_the_checksum_stay_readable():
    for seq, (_, event) in enumerate(every_event()):
        assert from_line(_unsealed(json.loads(to_line(event, seq, 1.0)))) == (seq, 1.0, event)


def test_a_checksum_is_the_crc_32_of_the_line_without_it():
    line = to_line(Failed(1, "killed: \u00e9"), 5, 1.25)
    values = json.loads(line)
    bare = json.dumps({key: values[key] for key in list(values)[:-1]}, separators=(",", ":"))
    assert list(values)[-1] == "crc"
    assert values["crc"] == f"{zlib.crc32(bare.encode()):08x}"


@given(data=st.data())
def test_one_changed_byte_anywhere_is_seen(data):
    """Flipped bits in a number, a name, a bracket or in the checksum itself."""
    line = to_line(reported(3, 2), 7, 1.25).encode()
    place = data.draw(st.integers(0, len(line) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != line[place]))
    damaged = line[:place] + bytes([other]) + line[place + 1 :]
    with pytest.raises(InputError):
        from_line(damaged.decode("ascii", "backslashreplace"))


def _proposal(**changes) -> dict:
    proposal = next(event for _, event in every_event() if type(event).__name__ == "Proposed")
    values = json.loads(to_line(proposal, 0, 1.0))
    return values | {"config": values["config"] | changes.pop("config", {})} | changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"trial_id": "../../etc/passwd"},
            "proposed.trial_id: must be letters, digits, '_' and '-', but got '../",
        ),
        ({"trial_id": ""}, "proposed.trial_id: must be letters"),
        (
            {"number": 2**63},
            "proposed.number: must be a finite number of 64 bits, but got 9223372036854775808",
        ),
        ({"time": 1e300}, "proposed.time: must be Unix seconds, but got 1e.300"),
        ({"config": {"depth": "16"}}, "proposed.config: depth must be int, but got '16'"),
        (
            {"config": {"depth": 17}},
            "proposed.config: must describe a network, but got: depth must be 6.N . 4",
        ),
        ({"config": {"block": "B(9)"}}, "proposed.config: block must be"),
        (
            {"config": {"batch_size": -5}},
            "proposed.config: batch_size must be a whole number from 2 to 65536",
        ),
        (
            {"config": {"dropout": 7}},
            "proposed.config: dropout must be a number at least 0 and below 1, but got 7",
        ),
        (
            {"config": {"init": "bogus"}},
            "proposed.config: init must be one of fan_in, fan_out, but got 'bogus'",
        ),
        ({"config": {"learning_rate": 1e9}}, "proposed.config: learning_rate must be a number above 0"),
        ({"config": {"epochs": 10**9}}, "proposed.config: epochs must be a whole number from 1 to 100000"),
        (
            {"config": {"precision": "auto"}},
            "proposed.config: precision must be one of fp32, tf32, bf16, fp16, but got 'auto'",
        ),
        (
            {"config": {"lr_drops": [0.5, 7]}},
            "proposed.config: lr_drops must be a number above 0 and below 1",
        ),
        (
            {"config": {"seed": -1}},
            "proposed.config: seed must be a whole number of 0 to 2147483647, but got -1",
        ),
        ({"config": {"seed": 10**30}}, "proposed.config: must hold finite numbers of 64 bits, but got 1000"),
        (
            {"config": {"dataset": {"name": "digits", "train_images": 10**30}}},
            "proposed.config: must hold finite numbers of 64 bits, but got 1000",
        ),
        ({"hparams": {"depth": -1}}, "proposed.hparams: depth must be a whole number from 1"),
        ({"hparams": {"depth": {"choice": [10]}}}, "proposed.hparams: depth must be a value, but got {"),
        ({"hparams": {"x": 1}}, "proposed.hparams: must be leaves of a trial's config, but got 'x'"),
        ({"number": -1}, "proposed.number: must be 0 to 9223372036854775807, but got -1"),
        ({"macs": -1}, "proposed.macs: must be 0 to"),
        (
            {"config": {"more": 1}},
            "proposed.config: must have the fields .*, but these are missing or unknown: more",
        ),
        ({"config": {"lr_drops": 3}}, "proposed.config: lr_drops must be a list of numbers, but got 3"),
        ({"config": {"dataset": {"name": "/etc"}}}, "proposed.config: dataset must be that of a search"),
        ({"config": {"dataset": None}}, "proposed.config: dataset must be that of a search"),
    ],
)
def test_what_a_stranger_writes_names_no_file_and_trains_nothing_odd(changes, message):
    with pytest.raises(InputError, match=message):
        from_line(_unsealed(_proposal(**changes)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"curve": {}}, "known.curve: must hold errors in percent by epochs of 1 to 100000, but got {}"),
        ({"curve": {"x": 5.0}}, "known.curve: must hold"),
        ({"curve": {"0": 5.0}}, "known.curve: must hold"),
        ({"curve": {"999999": 5.0}}, "known.curve: must hold"),
        ({"curve": {"4": "5"}}, "known.curve: must hold"),
        ({"curve": {"4": True}}, "known.curve: must hold"),
        ({"curve": {"4": -5.0}}, "known.curve: must hold"),
        ({"leaves": {"depth": "16"}}, "known.leaves: depth must be a whole number"),
        ({"leaves": {"colour": 1}}, "known.leaves: must be leaves of a trial's config, but got 'colour'"),
        ({"max_epochs": -1}, "known.max_epochs: must be 0 to 100000, but got -1"),
    ],
)
def test_what_a_stranger_knows_is_knowledge_of_a_search(changes, message):
    known = next(event for _, event in every_event() if isinstance(event, Known))
    with pytest.raises(InputError, match=message):
        from_line(_unsealed(json.loads(to_line(known, 0, 1.0)) | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epoch": 0}, "reported.epoch: must be 1 to 100000, but got 0"),
        ({"epoch": 10**9}, "reported.epoch: must be 1 to 100000"),
        ({"val_error": 101}, r"reported.val_error: must be 0 to 100, but got 101 .trial 0"),
        ({"seconds": -86395.0}, "reported.seconds: must be at least 0"),
        ({"memory_bytes": -1}, "reported.memory_bytes: must be at least 0"),
    ],
)
def test_what_a_stranger_reports_can_have_been_measured(changes, message):
    event = from_line(_unsealed(json.loads(to_line(reported(0, 1), 0, 1.0)) | changes))[2]
    proposal = next(event for _, event in every_event() if isinstance(event, Proposed))
    with pytest.raises(InputError, match=message):
        fold(timed(search_started(), proposal, event))


def test_an_infinite_number_is_refused_however_it_is_spelt():
    line = _unsealed(json.loads(to_line(reported(0, 1), 0, 1.0))).replace(
        '"val_loss": ', '"val_loss": 1e999, "x": '
    )
    with pytest.raises(InputError):
        from_line(line)
    line = _unsealed(json.loads(to_line(Failed(1, "x"), 0, 1.0))).replace('"time": 1.0', '"time": 1e999')
    with pytest.raises(InputError, match="must be a finite number of 64 bits, but got inf"):
        from_line(line)


def test_events_are_told_apart_by_their_class():
    assert Interrupted(1, "x") != Failed(1, "x")
    assert SearchEnded("finished") == SearchEnded("finished")


@pytest.mark.parametrize(
    "by_class",
    [
        {"images": [3, 7]},
        {"images": [3, 7], "wrong": [0]},
        {"images": [3, 7], "wrong": [4, 0]},
        {"images": [3, 7], "wrong": [-1, 0]},
        {"images": [3, 6], "wrong": [0, 0]},
        {"images": [3, 7], "wrong": [0, 0.5]},
        {"images": 10, "wrong": 0},
        {"images": [3, 7], "wrong": [0, 0], "names": ["a", "b"]},
    ],
)
def test_what_a_stranger_counted_by_class_can_have_been_counted(by_class):
    line = json.loads(to_line(events.Tested(0, 0.1, 10.0, 10, {"images": [3, 7], "wrong": [0, 1]}), 0, 1.0))
    assert from_line(_unsealed(line))[2].by_class["wrong"] == [0, 1]
    with pytest.raises(InputError, match=r"tested\.by_class: must hold the images of each class"):
        from_line(_unsealed(line | {"by_class": by_class}))


def test_a_test_of_an_older_version_was_not_counted_by_class():
    line = json.loads(to_line(events.Tested(0, 0.1, 10.0, 10), 0, 1.0))
    del line["by_class"]
    assert from_line(_unsealed(line))[2] == events.Tested(0, 0.1, 10.0, 10)
