"""Keys that no space file has: the message for a misspelt, a misplaced or a future one."""

from __future__ import annotations

from pydantic import BaseModel

from wrn_search.errors import nearest
from wrn_search.space.rules.broken_rule import Path as KeyPath
from wrn_search.space.space import Space

# What other programs call things -> what to do here.
ELSEWHERE: dict[str, str] = {
    "nesterov": "momentum here is always Nesterov's; take the key out",
    "optimizer": "the optimiser is SGD with Nesterov momentum, as in the paper; take the key out",
    "lr_power": "lr_schedule is step or cosine, a polynomial is not there; take the key out",
    **dict.fromkeys(("params", "parameters"), "write constraints.num_params"),
    "flops": "write constraints.macs, which are half as many",
    **dict.fromkeys(("lr", "base_lr", "initial_lr"), "write training.learning_rate"),
    **dict.fromkeys(("milestones", "lr_milestones", "lr_steps"), "write training.lr_drops"),
    **dict.fromkeys(("gamma", "lr_decay", "lr_gamma"), "write training.lr_drop_factor"),
    **dict.fromkeys(("num_epochs", "n_epochs", "max_epochs"), "write training.epochs"),
    **dict.fromkeys(("wd", "l2"), "write training.weight_decay"),
    **dict.fromkeys(("width", "widen", "widening_factor", "k"), "write model.widen_factor"),
    **dict.fromkeys(("drop_rate", "dropout_rate", "droprate"), "write model.dropout"),
    **dict.fromkeys(("n_trials", "num_samples", "max_trials"), "write search.trials"),
}
SECTIONS: dict[str, type[BaseModel]] = {
    name: field.annotation
    for name, field in Space.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
}


def unknown_key(path: KeyPath) -> str:
    section: type[BaseModel] = SECTIONS[str(path[0])] if len(path) > 1 else Space
    name = str(path[-1])
    if name in ELSEWHERE:
        return f"unknown key: {ELSEWHERE[name]}"
    homes = [home for home, model in SECTIONS.items() if name in model.model_fields and model is not section]
    if name in Space.model_fields and section is not Space:
        return "unknown key here; it belongs to the top level of the file"
    if homes:
        return f"unknown key here; it belongs under {homes[0]}"
    return (
        f"unknown key, must be one of {', '.join(section.model_fields)}{nearest(name, section.model_fields)}"
    )
