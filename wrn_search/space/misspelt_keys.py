"""Keys that no space file has: the message for a misspelt, a misplaced or a future one."""

from __future__ import annotations

from pydantic import BaseModel

from wrn_search.errors import nearest
from wrn_search.space.rules.broken_rule import Path as KeyPath
from wrn_search.space.space import Space

# Keys of the design that a later version brings: refused by name until then.
NOT_YET: dict[KeyPath, str] = {
    ("model", "num_params"): "exact parameter budgets are",
}
SECTIONS: dict[str, type[BaseModel]] = {
    name: field.annotation
    for name, field in Space.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
}


def unknown_key(path: KeyPath) -> str:
    if path in NOT_YET:
        return f"{NOT_YET[path]} not supported yet; take the key out"
    section: type[BaseModel] = SECTIONS[str(path[0])] if len(path) > 1 else Space
    name = str(path[-1])
    homes = [home for home, model in SECTIONS.items() if name in model.model_fields and model is not section]
    if name in Space.model_fields and section is not Space:
        return "unknown key here; it belongs to the top level of the file"
    if homes:
        return f"unknown key here; it belongs under {homes[0]}"
    return (
        f"unknown key, must be one of {', '.join(section.model_fields)}{nearest(name, section.model_fields)}"
    )
