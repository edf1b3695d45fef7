"""`docs/space-file.md`, written from the definitions: `python -m tests.space_file_page > docs/space-file.md`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.space.dataset_section import OWN_DEFAULTS
from wrn_search.space.domains import DOMAINS
from wrn_search.space.misspelt_keys import SECTIONS
from wrn_search.space.rules.broken_rule import spelled
from wrn_search.space.rules.key_rule import Leaf
from wrn_search.space.space import Space

_HEAD = """\
# The space file

Every key with its rule, its default and its meaning. This page is written from the definitions by
`python -m tests.space_file_page > docs/space-file.md`, and a test holds it to them;
`python -m wrn_search check --schema` prints the same for editors and programs. No key has to be given.
`--set SECTION.KEY=VALUE` replaces one, VALUE is YAML.
"""
_DOMAINS = """\
## Domains

Where the rule says "or a domain", the key can be searched: instead of a value write

| domain | values |
|---|---|
"""
_AFTER_DOMAINS = """
A domain may have a condition: `{uniform: [0, 0.5], when: {widen_factor: {min: 4}}}` is searched where the widening
factor is at least 4 ([spaces.md](spaces.md)).

Keys that take none are the same for all trials of a search, as only equal trainings are compared: run a search for
each value and name all results to one `report`. `1e-3` is a number, `on` and `off` are names, merge keys
(`<<: *anchor`) are taken; tags are refused. A path may begin with `~` and hold `$VARIABLE`.
"""


def page() -> str:
    """The whole page."""
    parts = [_HEAD, "## Top level\n", _table(_leaves(Space))]
    for name, section in SECTIONS.items():
        parts += [f"## `{name}`\n", f"{_first_line(section)}\n", _table(_leaves(section))]
        if name == "dataset":
            parts += [_defaults_of_data_sets()]
    rows = [f"| `{{{name}: ...}}` | {_first_line(domain)} |\n" for name, domain in DOMAINS.items()]
    parts += [_DOMAINS + "".join(rows) + _AFTER_DOMAINS]
    return "\n".join(parts)


def _leaves(section: Any) -> Iterator[tuple[str, FieldInfo, Leaf]]:
    """(key, its field, its rule) of a section, in order."""
    for name, field in section.model_fields.items():
        leaf = next((part for part in field.metadata if isinstance(part, Leaf)), None)
        if leaf is not None:
            yield name, field, leaf
        else:
            assert name in SECTIONS, name


def _table(leaves: Iterator[tuple[str, FieldInfo, Leaf]]) -> str:
    lines = ["| key | rule | default | meaning |", "|---|---|---|---|"]
    for name, field, leaf in leaves:
        assert field.description, f"{name} has no description"
        cells = [f"`{name}`", rule_of(leaf), _default(name, field), _prose(field.description)]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _prose(text: str) -> str:
    """Markdown that shows the text as it is."""
    return text.replace("<", "&lt;").replace("*", "\\*")


def rule_of(leaf: Leaf) -> str:
    """A key's rule in words, from its JSON Schema."""
    also = (", or a domain" if leaf.searchable else "") + (", or null" if leaf.nullable else "")
    return _words(leaf.schema) + also


def _words(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return ", or ".join(map(_words, schema["anyOf"]))
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    match schema.get("type"):
        case "integer" if "maximum" in schema:
            return f"whole number from {schema['minimum']:,} to {schema['maximum']:,}"
        case "integer":
            return f"whole number from {schema['minimum']:,}"
        case "number":
            low = (
                f"above {schema['exclusiveMinimum']:g}"
                if "exclusiveMinimum" in schema
                else f"from {schema['minimum']:g}"
            )
            high = (
                f"below {schema['exclusiveMaximum']:g}"
                if "exclusiveMaximum" in schema
                else f"to {schema['maximum']:g}"
            )
            return f"number {low} {high}"
        case "boolean":
            return "true or false"
        case "object" if "properties" not in schema:
            return f"mapping: {schema['description']}"
        case "object" if len(schema["properties"]) <= 4:
            return f"mapping of {', '.join(schema['properties'])}"
        case "object" if "confidence" in schema["properties"]:
            return (
                "mapping of keys that can be searched to values, and `confidence` (`low`, `medium`, `high`)"
            )
        case "object":
            return "mapping of keys that can be searched to values"
        case "array":
            return f"list: {_words(schema['items'])}"
        case "string":
            return "text" + (f" that matches `{schema['pattern']}`" if "pattern" in schema else "")
        case kind:
            raise AssertionError(f"no words for {kind}: {schema}")


def _default(name: str, field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "the file's name"
    return f"`{spelled(field.default)}`" if field.default != "" else "none"


def _defaults_of_data_sets() -> str:
    """Where a default depends on the data set, those of each."""
    keys = OWN_DEFAULTS
    lines = [
        f"Defaults that depend on `name`:\n\n| name | {' | '.join(f'`{key}`' for key in keys)} |",
        f"|{'---|' * (1 + len(keys))}",
    ]
    lines += [
        f"| `{name}` | " + " | ".join(spelled(getattr(kind.facts, key)).strip("'") for key in keys) + " |"
        for name, kind in DATASETS.items()
    ]
    return "\n".join(lines) + "\n"


def _first_line(thing: Any) -> str:
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


if __name__ == "__main__":
    print(page(), end="")
