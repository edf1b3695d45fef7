"""Keys that no space file has: the message for a misspelt, a misplaced or a future one."""

from __future__ import annotations

from pydantic import BaseModel

from wrn_search.errors import nearest
from wrn_search.space.rules.broken_rule import Path as KeyPath
from wrn_search.space.space import Space

# What other programs call things -> what to do here.
ELSEWHERE: dict[str, str] = {
    **dict.fromkeys(
        ("gcn", "global_contrast_normalization", "whitening", "zca"),
        "dataset.preprocessing: zca is global contrast normalisation, then ZCA whitening; take the key out",
    ),
    "preset": "write recipe",
    **dict.fromkeys(("optimiser", "opt"), "write training.optimizer"),
    **dict.fromkeys(("betas", "adam_betas"), "write training.beta1 and training.beta2"),
    "lr_power": "a polynomial is not there, but lr_schedule: linear is; take the key out",
    **dict.fromkeys(("lr_scheduler", "lr_policy"), "write training.lr_schedule"),
    **dict.fromkeys(
        ("warmup", "warmup_steps", "lr_warmup", "warm_up_epochs"), "write training.warmup_epochs"
    ),
    **dict.fromkeys(("cooldown", "cooldown_epochs"), "write training.lr_cooldown, a share of the epochs"),
    **dict.fromkeys(
        ("clip_grad_norm", "max_grad_norm", "grad_clip", "clip_grad", "gradient_clip_val"),
        "write training.clip_norm",
    ),
    **dict.fromkeys(("ema_decay", "model_ema", "model_ema_decay"), "write training.ema, the decay a step"),
    **dict.fromkeys(("rho", "sam_rho"), "write training.sam"),
    **dict.fromkeys(
        ("accumulation_steps", "gradient_accumulation_steps", "accumulate_grad_batches", "grad_accum_steps"),
        "write training.gradient_accumulation, with the images of a whole step in batch_size",
    ),
    **dict.fromkeys(("params", "parameters"), "write constraints.num_params"),
    "flops": "write constraints.macs, which are half as many",
    **dict.fromkeys(("lr", "base_lr", "initial_lr"), "write training.learning_rate"),
    **dict.fromkeys(("milestones", "lr_milestones", "lr_steps"), "write training.lr_drops"),
    **dict.fromkeys(("gamma", "lr_decay", "lr_gamma"), "write training.lr_drop_factor"),
    **dict.fromkeys(("num_epochs", "n_epochs", "max_epochs"), "write training.epochs"),
    **dict.fromkeys(("wd", "l2"), "write training.weight_decay"),
    **dict.fromkeys(("width", "widen", "widening_factor", "k"), "write model.widen_factor"),
    **dict.fromkeys(("drop_rate", "dropout_rate", "droprate"), "write model.dropout"),
    **dict.fromkeys(("drop_path", "drop_path_rate", "stoch_depth"), "write model.stochastic_depth"),
    **dict.fromkeys(("smoothing", "label_smooth", "smooth"), "write training.label_smoothing"),
    **dict.fromkeys(("mixup_alpha", "mix_up"), "write training.mixup: 0.2, its alpha"),
    **dict.fromkeys(("cutmix_alpha", "cut_mix"), "write training.cutmix: 1, its alpha"),
    **dict.fromkeys(
        ("cutout_size", "cutout_length", "random_erasing"), "write training.cutout: 16, its side in pixels"
    ),
    **dict.fromkeys(("class_weight", "loss_weights", "weights"), "write training.class_weights"),
    **dict.fromkeys(
        ("randaugment", "rand_augment", "trivialaugment", "trivial_augment", "color_jitter", "colour_jitter"),
        "write dataset.augmentation: trivial, randaugment or color_jitter",
    ),
    **dict.fromkeys(("arch", "architecture"), "write model.network (ResNet-164) or model.family"),
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
