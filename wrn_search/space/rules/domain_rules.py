"""The rules of domains such as `{choice: [...]}` and `{uniform: [low, high]}`, and their JSON Schema."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from wrn_search.errors import nearest
from wrn_search.space.domains import DOMAINS, Choice, Domain, IntRange, LogUniform, Uniform
from wrn_search.space.rules.broken_rule import LeafProblems, Path, broken, got, spelled
from wrn_search.space.rules.condition_rules import parsed_conditions
from wrn_search.space.rules.foreign_domains import ours_instead

WHEN = "when"
_CONDITIONS = {"if", "condition", "conditions", "conditional", "depends_on", "active_if", "given"}


def parse_domain(value: dict[str, Any], check: Callable[[Any], Any]) -> Domain:
    """The domain that a mapping such as `{uniform: [0, 0.5]}` writes, every value of it checked by the leaf's rule.

    Raises:
        LeafProblems: no domain, several at once, an unknown one, or values that break a rule.
    """
    if WHEN in value:
        domain = parse_domain({key: item for key, item in value.items() if key != WHEN}, check)
        return dataclasses.replace(domain, when=parsed_conditions(value[WHEN]))
    kinds = ", ".join(DOMAINS)
    if len(value) > 1 and set(value) <= set(DOMAINS):
        raise broken(f"must be one domain ({kinds}), not several at once, {got(value)}")
    if set(value) & _CONDITIONS:
        rule = "what a domain depends on must stand under when"
        raise broken(f"{rule}, {got(value)}; write {{uniform: [0, 0.5], when: {{widen_factor: {{min: 4}}}}}}")
    unknown = [key for key in value if key not in DOMAINS]
    if unknown:
        rule = f"a domain must be one of {kinds}"
        raise LeafProblems([((key,), f"{rule}, {got(key)}{nearest(str(key), DOMAINS)}") for key in unknown])
    if not value:
        raise broken(f"must be a value or a domain ({kinds}), {got(value)}")
    ((kind, arguments),) = value.items()
    if not isinstance(arguments, list | tuple):
        raise broken(f"must be a list of values, {got(arguments)}", kind)
    return _DOMAIN_PARSERS[kind](kind, list(arguments), check)


def _choice(kind: str, arguments: list[Any], check: Callable[[Any], Any]) -> Choice:
    if not arguments:
        raise broken("must list at least one value, but got []", kind)
    options = _checked_items(kind, arguments, check)
    twice = sorted({str(option) for index, option in enumerate(options) if option in options[:index]})
    if twice:
        raise broken(f"must list every value once, but got {', '.join(twice)} twice", kind)
    return Choice(tuple(options))


def _continuous(
    kind: str, arguments: list[Any], check: Callable[[Any], Any]
) -> Uniform | LogUniform | IntRange:
    if len(arguments) == 3 and (ours := ours_instead({f"q{kind}": arguments}, whole=False)) is not None:
        raise broken(f"must be [low, high], {got(arguments)}; for steps, write {ours}", kind)
    low, high = _ends(kind, arguments, check, ((2, "[low, high]"),))
    if not isinstance(low, float) or not isinstance(high, float):
        if kind == "loguniform":  # the key takes whole numbers
            if low <= 0:
                raise broken(f"0 < low must hold on a log scale, but got low={low}", kind)
            return IntRange(low, high, log=True)
        ours = f"write {{int: [{low}, {high}]}}"
        raise broken(f"is for real numbers, {got({kind: arguments})}; {ours}", kind)
    if kind == "loguniform" and low <= 0:
        raise broken(f"0 < low must hold on a log scale, but got low={low:g}", kind)
    return Uniform(low, high) if kind == "uniform" else LogUniform(low, high)


def _int_range(kind: str, arguments: list[Any], check: Callable[[Any], Any]) -> IntRange:
    for index, item in enumerate(arguments):
        if isinstance(item, bool) or not (
            isinstance(item, int) or (isinstance(item, float) and item.is_integer())
        ):
            raise broken(f"must hold whole numbers, {got(item)}", kind, index)
    ends = _ends(kind, arguments, check, ((2, "[low, high]"), (3, "[low, high, step]")))
    low, high, step = int(ends[0]), int(ends[1]), int(arguments[2]) if len(arguments) == 3 else 1
    if step < 1:
        raise broken(f"step >= 1 must hold, but got step={spelled(step)}", kind)
    if low + step > high:
        ends_text = f"low={low}, high={high}, step={spelled(step)}"
        raise broken(f"low + step <= high must hold, but got {ends_text}", kind)
    return IntRange(low, high - (high - low) % step, step)


_DOMAIN_PARSERS: dict[str, Callable[[str, list[Any], Callable[[Any], Any]], Domain]] = {
    "choice": _choice,
    "uniform": _continuous,
    "loguniform": _continuous,
    "int": _int_range,
}


def _ends(
    kind: str, arguments: list[Any], check: Callable[[Any], Any], forms: tuple[tuple[int, str], ...]
) -> list[Any]:
    """The two checked ends of a range, low < high."""
    if len(arguments) not in [length for length, _ in forms]:
        raise broken(f"must be {' or '.join(form for _, form in forms)}, {got(arguments)}", kind)
    low, high = _checked_items(kind, arguments[:2], check)
    if isinstance(low, str) or isinstance(high, str):
        raise broken(f"is for numbers; use choice here, {got({kind: arguments})}", kind)
    if not low < high:
        raise broken(f"low < high must hold, but got low={low:g}, high={high:g}", kind)
    return [low, high]


def _checked_items(kind: str, arguments: list[Any], check: Callable[[Any], Any]) -> list[Any]:
    """Every item through the leaf's rule; the problems of all of them at once."""
    problems: list[tuple[Path, str]] = []
    items = []
    for index, argument in enumerate(arguments):
        try:
            items.append(check(argument))
        except LeafProblems as error:
            problems += [((kind, index, *path), message) for path, message in error.problems]
    if problems:
        raise LeafProblems(problems)
    return items


def domain_schemas(scalar: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """JSON Schemas of the domains whose values follow `scalar`'s rule."""

    def domain(kind: str, minimum: int, maximum: int | None, items: dict[str, Any]) -> dict[str, Any]:
        array: dict[str, Any] = {"type": "array", "items": items, "minItems": minimum}
        if maximum is not None:
            array["maxItems"] = maximum
        return {
            "type": "object",
            "properties": {kind: array, WHEN: {"type": "object", "minProperties": 1}},
            "required": [kind],
            "additionalProperties": False,
        }

    yield domain("choice", 1, None, scalar)
    if scalar.get("type") == "number":
        yield domain("uniform", 2, 2, scalar)
        yield domain("loguniform", 2, 2, scalar)
    if scalar.get("type") == "integer":
        yield domain("loguniform", 2, 2, scalar)
    if scalar.get("type") in ("number", "integer"):
        yield domain("int", 2, 3, {"type": "integer"})
