"""The rule of one key of the space file, checked once, in words that an error and `--schema` can print.

Pydantic walks the sections; a `Leaf` in an annotation does the checking, so that every message has one form:
the rule that must hold, then what came.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticCustomError, core_schema

from wrn_search.space.domains import DOMAINS, is_domain
from wrn_search.space.rules.broken_rule import LeafProblems, broken, got
from wrn_search.space.rules.domain_rules import domain_schemas, parse_domain

LEAF_ERROR = "leaf"


@dataclass(frozen=True)
class Leaf:
    """The rule of one key.

    `check` turns a plain YAML value into the leaf's type or raises `LeafProblems`; `schema` is its JSON Schema.
    """

    check: Callable[[Any], Any]
    schema: dict[str, Any]
    searchable: bool = False
    nullable: bool = False

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
                    raise broken("must be a single value, not a domain, " + got(value))
            else:
                return parse_domain(value, self.check)
        return self.check(value)
