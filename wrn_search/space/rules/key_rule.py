"""The rule of one key of the space file, checked once, in words that an error and `--schema` can print.

Pydantic walks the sections; a `Leaf` in an annotation does the checking, so that every message has one form:
the rule that must hold, then what came.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticCustomError, core_schema

from wrn_search.space.domains import DOMAINS, is_domain
from wrn_search.space.rules.broken_rule import LeafProblems, broken, got
from wrn_search.space.rules.domain_rules import domain_schemas, parse_domain
from wrn_search.space.rules.foreign_domains import ours_instead

LEAF_ERROR = "leaf"
_OFF = ("off", "none", "null", "no", "false", "disabled", "~")


def off_at(value: str, leaf: Leaf) -> Leaf:
    """The leaf of a key that does nothing at that value: also for a person who writes null, off, none or false."""
    return dataclasses.replace(leaf, off=value)


def _means_off(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, str) and value.lower() in _OFF)


@dataclass(frozen=True)
class Leaf:
    """The rule of one key.

    `check` turns a plain YAML value into the leaf's type or raises `LeafProblems`; `schema` is its JSON Schema.
    """

    check: Callable[[Any], Any]
    schema: dict[str, Any]
    searchable: bool = False
    nullable: bool = False
    instead: str = ""  # what to do for a domain, where this key takes none
    off: str = ""  # the value that switches off what the key does, where one does

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        def to_document(value: Any) -> Any:
            return value.to_document() if is_domain(value) else value

        return core_schema.no_info_plain_validator_function(
            self.validate, serialization=core_schema.plain_serializer_function_ser_schema(to_document)
        )

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        options = [self.schema]
        if self.searchable:
            options += domain_schemas(self.schema)
        if self.nullable:
            options.append({"type": "null"})
        return options[0] if len(options) == 1 else {"anyOf": options}

    def validate(self, value: Any) -> Any:
        """The checked value; pydantic collects the errors of all leaves."""
        try:
            return self._checked(value)
        except LeafProblems as error:
            raise PydanticCustomError(LEAF_ERROR, "broken rule", {"problems": error.problems}) from None

    def _checked(self, value: Any) -> Any:
        if value is None and self.nullable:
            return None
        if is_domain(value):
            value = value.to_document()
        if isinstance(value, dict):
            if not self.searchable:
                if set(value) & set(DOMAINS):
                    raise broken(f"must be a single value, not a domain, {got(value)}{self.instead}")
            else:
                return self._domain(value)
        try:
            return self.value(value)
        except LeafProblems as error:
            if (ours := self._ours(value)) is None:
                raise
            instead = f"; to search it, write {ours}" if self.searchable else self.instead
            text = error.problems[0][1] + instead
            raise LeafProblems([(error.problems[0][0], text)]) from None

    def value(self, value: Any) -> Any:
        """One value; what means off to people and not here is told with what does."""
        try:
            return self.check(value)
        except LeafProblems as error:
            if not self.off or not _means_off(value):
                raise
            first, *others = error.problems
            told = (first[0], f"{first[1]}; write {self.off}, which is off")
            raise LeafProblems([told, *others]) from None

    def _domain(self, value: dict[str, Any]) -> Any:
        """A domain; that of another program is told with ours beside it."""
        if set(value) & set(DOMAINS) or (ours := self._ours(value)) is None:
            return parse_domain(value, self.value)
        raise broken(f"a domain must be one of {', '.join(DOMAINS)}, {got(value)}; write {ours}")

    def _ours(self, value: Any) -> str | None:
        """What to write for a domain in another program's spelling."""
        if isinstance(value, list | tuple) and "array" in str(self.schema):  # a list is a value
            return None
        domain_is_due = self.searchable or (self.instead and "array" not in str(self.schema))
        return ours_instead(value, self.schema.get("type") == "integer") if domain_is_due else None
