"""One event as one line of the record: its JSON, its checksum, and the checks at the door.

A line is `{"seq": 4, "time": 1732349123.25, "event": "reported", ..., "crc": "1f0c93ab"}`: its place in the record
from 0, Unix seconds, the event's name in `EVENTS`, its own fields (an `EpochMetrics` is flattened into them), and the
CRC-32 of the line as it would be without this last key. Records of before the checksum stay readable.

A record may come from a stranger: what names a file or enters a training is checked here.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import MISSING, fields
from typing import Any, NoReturn, get_type_hints

from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.errors import InputError
from wrn_search.results.events import EVENTS, Event, Reported
from wrn_search.space.rules.broken_rule import spelled
from wrn_search.space.trial_config import LEAVES, config_problem, leaf_problem, with_later_leaves

_NAMES = {kind: name for name, kind in EVENTS.items()}
_ENVELOPE = ("seq", "time", "event")
_SEAL = re.compile(r',"crc":"([0-9a-f]{8})"}')
_SEAL_LENGTH = len(',"crc":"12345678"}')
_LARGEST = 2**63 - 1  # Parquet's
_INFINITE = (float("inf"), float("-inf"))  # JSON may write them as 1e999
_YEAR_9999 = 253_370_764_800  # Unix seconds
# The id of a trial is also the name of its checkpoint.
_TRIAL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
# What numbers can be, by the names of fields; a field of one event alone is named with it.
_PERCENT, _EPOCHS, _COUNT, _SHARE = (0, 100), (1, 100_000), (0, _LARGEST), (0, 1)
_RANGES: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("chance_error", "test_error"), _PERCENT),
    **dict.fromkeys(("max_epochs", "epoch", "epochs", "rung"), _EPOCHS),
    **dict.fromkeys(("number", "configuration", "repeat", "num_params", "macs", "threads", "images"), _COUNT),
    **dict.fromkeys(("memory_bytes", "configurations", "top", "repeats"), _COUNT),
    "gpu_fraction": _SHARE,
    "known.max_epochs": (0, 100_000),  # 0 where an older version did not record it
}
# JSON does not keep 1.0 apart from 1, and `bool` is no number here: so types are compared, not instances.
_JSON_TYPES: dict[Any, tuple[type, ...]] = {
    int: (int,),
    float: (float, int),
    float | None: (float, int, type(None)),
    str: (str,),
    bool: (bool,),
}


def to_line(event: Event, seq: int, time: float) -> str:
    """The event as one line of JSON, in ASCII and without its newline.

    Raises:
        ValueError: a number is not finite; a record never holds NaN.
    """
    envelope = {"seq": seq, "time": time, "event": _NAMES[type(event)]}
    if isinstance(event, Reported):
        own = {"number": event.number, **vars(event.metrics), "node": event.node, "device": event.device}
        for name in _LATER_METRICS:  # what is not measured is not said, as before
            if own[name] is None:
                del own[name]
        if event.ended_ago:
            own["ended_ago"] = event.ended_ago
    else:
        own = vars(event)
    text = _encode({**envelope, **own})
    return f'{text[:-1]},"crc":"{_crc(text)}"}}'


def from_line(line: str, where: str = "") -> tuple[int, float, Event]:
    """(seq, time, event) of a line that `to_line` wrote; `where` is its FILE:LINE for the errors.

    Raises:
        InputError: the line is damaged, no JSON, or not an event of this version.
    """
    line = line.removesuffix("\n")
    if (seal := _SEAL.fullmatch(line[-_SEAL_LENGTH:])) is not None:
        line = line[:-_SEAL_LENGTH] + "}"
        if (crc := _crc(line)) != seal[1]:
            text = "a line must have the checksum that it was written with, but it is damaged"
            raise InputError.of("crc", f"{text}: {seal[1]} is written there, its content has {crc}", where)
    try:
        values = _decode(line)
    except (ValueError, RecursionError) as error:
        raise InputError.of(
            "", f"a line must hold one event as JSON, but it is damaged: {error}", where
        ) from None
    kind = _check_event(values, where)
    seq, time, _ = (values.pop(key) for key in _ENVELOPE)
    if kind is Reported:
        number, node, device = (values.pop(key) for key in ("number", "node", "device"))
        ended_ago = values.pop("ended_ago", 0.0)
        return seq, time, Reported(number, EpochMetrics(**values), node, device, ended_ago)
    for leaves in ("config", "leaves"):  # of a trial, as an older version may have written them
        if leaves in values:
            values[leaves] = with_later_leaves(values[leaves])
    return seq, time, kind(**values)


def _fields(kind: type[Event]) -> dict[str, tuple[type, ...]]:
    """Field name -> the types that JSON may give for it, of a whole line."""
    hints = {"seq": int, "time": float, "event": str} | get_type_hints(kind)
    if hints.pop("metrics", None):
        hints |= get_type_hints(EpochMetrics)
    return {name: _JSON_TYPES.get(hint, (dict,)) for name, hint in hints.items()}


_FIELDS = {name: _fields(kind) for name, kind in EVENTS.items()}
_LATER_METRICS = [each.name for each in fields(EpochMetrics) if each.default is not MISSING]
# Fields that came later have a default, so that older records stay readable.
_REQUIRED = {
    name: _FIELDS[name].keys()
    - {
        each.name
        for each in fields(kind)
        if each.default is not MISSING or each.default_factory is not MISSING
    }
    - set(_LATER_METRICS)
    for name, kind in EVENTS.items()
}


def _check_event(values: Any, where: str) -> type[Event]:
    """The class of the event in a parsed line.

    Raises:
        InputError: naming what is no field, no event or no value of this version.
    """
    name = values.get("event") if isinstance(values, dict) else None
    if not isinstance(name, str) or name not in EVENTS:
        got = "none" if name is None else f"{name!r} (was it written by a newer version?)"
        raise InputError.of("event", f"must be one of {', '.join(EVENTS)}, but got {got}", where)
    known = _FIELDS[name]
    if not _REQUIRED[name] <= values.keys() <= known.keys():
        missing = ", ".join(sorted(_REQUIRED[name] - values.keys())) or "none"
        unknown = ", ".join(sorted(values.keys() - known.keys())) or "none"
        text = (
            f"must have this version's fields, but got missing ones: {missing}; unknown ones: {unknown} "
            "(was it written by another version?)"
        )
        raise InputError.of(name, text, where)
    for key, value in values.items():
        if type(value) not in known[key]:
            expected = " or ".join(kind.__name__ for kind in known[key])
            raise InputError.of(f"{name}.{key}", f"must be {expected}, but got {value!r}", where)
        too_large = abs(value) > _LARGEST if type(value) is int else value in _INFINITE
        if too_large:
            raise InputError.of(
                f"{name}.{key}", f"must be a finite number of 64 bits, but got {value!r}", where
            )
    if EVENTS[name] is not Reported:  # the many; what they say is checked by the fold
        _check_numbers(name, values, where)
    _check_content(name, values, where)
    return EVENTS[name]


def _check_numbers(name: str, values: dict[str, Any], where: str) -> None:
    """Numbers must be what they can be by their names.

    Raises:
        InputError: one is not.
    """
    for key, value in values.items():
        low, high = _RANGES.get(f"{name}.{key}", _RANGES.get(key, (-_LARGEST, _LARGEST)))
        if key in _RANGES and value is not None and not low <= value <= high:
            raise InputError.of(f"{name}.{key}", f"must be {low} to {high}, but got {value!r}", where)
        if isinstance(value, dict) and (odd := _odd_number(value)) is not None:
            text = f"must hold finite numbers of 64 bits, but got {odd!r}"
            raise InputError.of(f"{name}.{key}", text, where)


def _check_content(name: str, values: dict[str, Any], where: str) -> None:
    """What would name a file, or be trained, must be what this program would have written.

    Raises:
        InputError: it is not.
    """
    if not 0 <= values["time"] < _YEAR_9999:
        raise InputError.of(f"{name}.time", f"must be Unix seconds, but got {values['time']!r}", where)
    if "trial_id" in values and not _TRIAL_ID.fullmatch(values["trial_id"]):
        text = f"must be letters, digits, '_' and '-', but got {values['trial_id']!r}"
        raise InputError.of(f"{name}.trial_id", text, where)
    if name == "proposed" and (problem := config_problem(values["config"])) is not None:
        raise InputError.of("proposed.config", problem, where)
    for leaves in ("hparams", "leaves"):
        told = values.get(leaves, {})
        if leaves == "hparams":  # null is one that does not apply
            told = {key: value for key, value in told.items() if value is not None or key not in LEAVES}
        if (problem := _leaves_problem(told)) is not None:
            raise InputError.of(f"{name}.{leaves}", problem, where)
    if name == "tested" and not _is_by_class(values.get("by_class", {}), values["images"]):
        text = "must hold the images of each class and how many of them got a wrong answer"
        raise InputError.of("tested.by_class", f"{text}, but got {spelled(values['by_class'])}", where)
    if name == "known" and not _is_curve(values["curve"]):
        text = (
            f"must hold errors in percent by epochs of 1 to {_EPOCHS[1]}, but got {spelled(values['curve'])}"
        )
        raise InputError.of("known.curve", text, where)


def _leaves_problem(leaves: dict[str, Any]) -> str | None:
    """Why values are none of a trial's leaves; None if they are."""
    for name, value in leaves.items():
        if name not in LEAVES:
            return f"must be leaves of a trial's config, but got {spelled(name)}"
        if (problem := leaf_problem(name, value)) is not None:
            return problem
    return None


def _is_curve(curve: dict[str, Any]) -> bool:
    """Whether it is epoch -> validation error in percent, with one epoch at least."""
    epochs = [int(epoch) for epoch in curve if re.fullmatch(r"[1-9][0-9]{0,5}", epoch)]
    errors = [error for error in curve.values() if type(error) in (int, float) and 0 <= error <= 100]
    whole = len(epochs) == len(errors) == len(curve) > 0
    return whole and max(epochs) <= _EPOCHS[1]


def _is_by_class(by_class: dict[str, Any], images: int) -> bool:
    """Whether it is nothing, or (classes,) `images` and how many of them are `wrong`."""
    if not by_class:
        return True
    lists = [by_class.get(name) for name in ("images", "wrong")]
    if len(by_class) != 2 or not all(
        isinstance(each, list) and all(type(count) is int for count in each) for each in lists
    ):
        return False
    of_class, wrong = by_class["images"], by_class["wrong"]
    pairs = zip(of_class, wrong, strict=False)
    return len(of_class) == len(wrong) and sum(of_class) == images and all(0 <= w <= n for n, w in pairs)


def _odd_number(value: Any) -> Any:
    """The first number within a value that JSON or Parquet cannot hold; None without one."""
    if isinstance(value, dict | list):
        within = value.values() if isinstance(value, dict) else value
        return next((odd for each in within if (odd := _odd_number(each)) is not None), None)
    too_large = abs(value) > _LARGEST if type(value) is int else value in _INFINITE
    return value if too_large else None


def _crc(text: str) -> str:
    """CRC-32 of a line in eight hexadecimal digits."""
    return f"{zlib.crc32(text.encode('ascii', 'backslashreplace')):08x}"


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"numbers must be finite, but got {constant}")


# Built once: json.dumps and json.loads with options build a new coder at every call.
_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
_decode = json.JSONDecoder(parse_constant=_refuse_constant).decode
