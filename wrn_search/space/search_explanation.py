"""What a search would do, told before anything runs: pure arithmetic over a space."""

from __future__ import annotations

import itertools
from typing import Any

from wrn_search.datasets.dataset import DatasetFacts
from wrn_search.networks.architecture import Architecture, block_name
from wrn_search.networks.parameters_and_macs import macs, num_params
from wrn_search.schedulers.hyperband import brackets_of
from wrn_search.schedulers.scheduler_table import SCHEDULERS
from wrn_search.searchers.anchors import anchor_share, anchors_of
from wrn_search.searchers.draws_around_a_prior import around_prior
from wrn_search.searchers.samplers.unit_axes import without_order
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.domains import Domain, LogUniform, Scalar, Uniform, finite_values
from wrn_search.space.rules.budget_rules import shown
from wrn_search.space.space import Space
from wrn_search.wording import budget_text, plural

# Above this many networks the smallest and largest are taken from the ends of each domain.
_MAX_NETWORKS = 20_000
_MOST_NAMES = 1000  # of listed networks that are told
_MOST_SHOWN = 12


def explanation(space: Space, rungs: tuple[int, ...], facts: DatasetFacts | None = None) -> dict[str, Any]:
    """What the search would do, as plain values for `check --json`.

    Args:
        space: the search.
        rungs: its rungs in epochs (`rungs_of`).
        facts: of its images, where a look at the files told more than the data set's name.
    """
    smallest, largest = network_range(space)
    facts = facts or space.dataset.facts
    rows = space.trials * space.search.repeats
    if space.size is not None:
        rows = min(rows, space.size * space.search.repeats)
    budget = space.search.budget or {}
    most_epochs = min(rows * space.training.epochs, int(budget.get("epochs", rows * space.training.epochs)))
    by_budget = (
        bool(budget) and space.search.trials is None and (space.size is None or space.size > space.trials)
    )
    return {
        "name": space.name,
        "description": space.description,
        "dataset": space.dataset.model_dump(),
        "hyperparameters": {name: domain.to_document() for name, domain in space.hyperparameters.items()},
        "constraints": {
            k: v for k, v in space.constraints.model_dump().items() if v is not None and k != "predicted"
        },
        "configurations_in_space": space.size,
        "networks": {"smallest": _network(facts, smallest), "largest": _network(facts, largest)}
        | (
            {}
            if space.networks is None
            else {
                "count": len(space.networks),
                "names": [e.name for e in itertools.islice(space.networks, _MOST_NAMES)],
            }
        ),
        "searcher": space.search.searcher,
        "drawn_alone": without_order(space.axes.domains)
        if SEARCHERS[space.search.searcher].needs_order
        else [],
        "scheduler": space.search.scheduler,
        "rungs": list(rungs),
        "promote": bool(rungs) and space.waits_at_rungs,
        "reduction_factor": space.search.reduction_factor,
        "brackets": _brackets(space, rungs),
        "one_passes": _one_passes(space, rungs),
        "min_samples": space.search.min_samples,
        "points": len(space.search.points),
        "prior": space.search.prior,
        "around_prior": around_prior(space.searched.prior, space.trials_at_least),
        "anchors": anchors_of(
            anchor_share(
                space.search.anchors,
                space.search.anchor_epochs,
                rungs,
                space.search.reduction_factor,
                space.training.epochs,
            ),
            max(0, space.trials - len(space.search.points)),
        ),
        "stop_when": space.search.stop_when,
        "trials": space.trials,
        "repeats": space.search.repeats,
        "rows": rows,
        "max_epochs": space.training.epochs,
        "most_epochs": most_epochs,
        "budget": space.search.budget,
        "trials_by_budget": by_budget,  # how many there will be is not known: `trials` are the most
    }


def network_range(space: Space) -> tuple[Architecture, Architecture]:
    """The networks of the space with the fewest and the most parameters."""
    model = space.model
    if space.networks is not None:
        return min(space.axes.extremes, key=num_params), max(space.axes.extremes, key=num_params)
    if model.deepening_factor is not None:
        blocks: list[Scalar] = [
            block_name((3,) * int(n)) for n in finite_values(model.deepening_factor) or ()
        ]
    else:
        blocks = list(finite_values(model.block or "B(3,3)") or ())
    depths, widths = _values(model.depth), _values(model.widen_factor)
    if len(depths) * len(widths) * len(blocks) > _MAX_NETWORKS:
        depths, widths = [min(depths), max(depths)], [min(widths), max(widths)]
    networks = [
        Architecture.of(int(depth), float(width), str(block))
        for depth, width, block in itertools.product(depths, widths, blocks)
    ]
    return min(networks, key=num_params), max(networks, key=num_params)


def text_of(told: dict[str, Any]) -> str:
    """The explanation for a reader."""
    size = told["configurations_in_space"]
    lines = [told["name"]]
    if told["description"]:
        lines += [f"  {line}" for line in told["description"].strip().splitlines()]
    lines += ["", f"data          {_dataset_text(told['dataset'])}", "searched"]
    lines += [f"  {name:<20}{_domain_text(domain)}" for name, domain in told["hyperparameters"].items()]
    lines += [] if told["hyperparameters"] else ["  nothing: every value is fixed"]
    if limits := [
        shown(k, v) if isinstance(v, dict) else f"{k}: {v}" for k, v in told["constraints"].items()
    ]:
        lines += [f"constraints   {', '.join(limits)}"]
    if names := told["networks"].get("names"):
        count = told["networks"]["count"]
        more = f" and {count - _MOST_SHOWN} more" if count > _MOST_SHOWN else ""
        lines += [f"networks      {plural(count, 'network')}: {', '.join(names[:_MOST_SHOWN])}{more}"]
    many = "a continuous space" if size is None else plural(size, "configuration")
    lines += [f"space         {many}, networks from {_network_text(told['networks']['smallest'])}"]
    lines += [f"              to {_network_text(told['networks']['largest'])}"]
    seeds = f", {told['repeats']} seeds each" if told["repeats"] > 1 else ""
    configurations = plural(told["trials"], "configuration")
    if told["trials_by_budget"]:
        configurations = "as many configurations as the budget pays for"
    lines += [f"searcher      {told['searcher']}, {configurations}{seeds}"]
    if told["drawn_alone"]:
        lines += [
            f"              draws {', '.join(told['drawn_alone'])} at random: labels have no order to follow"
        ]
    if told["points"]:
        first = min(told["points"], told["trials"])
        lines += [
            f"points        {plural(first, 'configuration')} of search.points first, in the order of the file"
        ]
    if told["prior"]:
        believed = ", ".join(f"{name} {value}" for name, value in told["prior"].items())
        lines += [f"prior         {plural(told['around_prior'], 'configuration')} drawn around {believed}"]
    if size is not None and size < told["trials"]:
        lines += [f"              the space has only {size}: the search ends when they have been tried"]
    lines += [f"scheduler     {_scheduler_text(told)}"]
    if told["rungs"]:
        many = (
            f"{told['anchors']} of {plural(told['trials'], 'configuration')}" if told["anchors"] else "none"
        )
        if told["trials_by_budget"] and told["anchors"]:
            many = f"{100 * told['anchors'] / told['trials']:.0f} % of the configurations"
        lines += [f"anchors       {many}: drawn at random before any result and never stopped"]
    if told["stop_when"]:
        lines += ["stops         when depth against width, the winner and the smallest as good are decided"]
    over = "all trials" if told["trials_by_budget"] else plural(told["rows"], "trial")
    at_most = f", {plural(told['most_epochs'], 'epoch')} over {over} at most"
    open_ended = told["trials_by_budget"] and "epochs" not in told["budget"]
    lines += [f"training      {plural(told['max_epochs'], 'epoch')}{'' if open_ended else at_most}"]
    if told["budget"]:
        lines += [f"budget        {budget_text(told['budget'])}"]
    return "\n".join(lines)


def _values(value: Scalar | Domain) -> list[Scalar]:
    values = finite_values(value)
    if values is None:
        assert isinstance(value, Uniform | LogUniform)
        return [value.low, value.high]
    return list(values)


def _network(facts: DatasetFacts, architecture: Architecture) -> dict[str, Any]:
    if facts.num_classes is None or facts.image_shape is None:  # only the files can tell
        return {"name": architecture.name, "num_params": None, "macs": None}
    height, width, channels = facts.image_shape
    return {
        "name": architecture.name,
        "num_params": num_params(architecture, facts.num_classes, channels),
        "macs": macs(architecture, facts.num_classes, channels, (height, width)),
    }


def _network_text(network: dict[str, Any]) -> str:
    if network["num_params"] is None:
        return f"{network['name']}"
    return f"{network['name']} ({network['num_params']:,} parameters, {network['macs']:,} multiply-adds an image)"


def _dataset_text(dataset: dict[str, Any]) -> str:
    root = f" in {dataset['root']}" if dataset["root"] else ""
    train = (
        f"{dataset['train_images']} training images"
        if dataset["train_images"]
        else "all other training images"
    )
    return (
        f"{dataset['name']}{root}: {dataset['validation']} validation images, {train}, "
        f"{dataset['preprocessing']}, augmentation {dataset['augmentation']}"
    )


def _domain_text(document: dict[str, Any]) -> str:
    when = document.get("when", {})
    text = _values_text({kind: arguments for kind, arguments in document.items() if kind != "when"})
    return text + (f", where {' and '.join(_condition_text(*each) for each in when.items())}" if when else "")


def _condition_text(key: str, wanted: Any) -> str:
    """`widen_factor is at least 4`."""
    if isinstance(wanted, list):
        return f"{key} is {' or '.join(map(str, wanted))}"
    ends = {"min": "at least", "max": "at most"}
    return f"{key} is {' and '.join(f'{ends[end]} {value:g}' for end, value in wanted.items())}"


def _values_text(document: dict[str, list[Scalar]]) -> str:
    ((kind, arguments),) = document.items()
    shown = [f"{value:g}" if isinstance(value, float) else str(value) for value in arguments]
    match kind:
        case "choice":
            return "one of " + ", ".join(shown)
        case "int":
            return f"{shown[0]} to {shown[1]} by {shown[2]}"
        case "loguniform":
            return f"{shown[0]} to {shown[1]}, uniform in the logarithm"
        case _:
            return f"{shown[0]} to {shown[1]}"


def _scheduler_text(told: dict[str, Any]) -> str:
    if told["scheduler"] == "none":
        return "none: every trial runs to its last epoch"
    if not told["rungs"]:
        return f"{told['scheduler']}, but no rung lies below the last epoch: every trial runs to its end"
    rungs = ", ".join(map(str, told["rungs"]))
    if SCHEDULERS[told["scheduler"]].by_curves:
        return (
            f"{told['scheduler']}, trials wait after epochs {rungs}; the best use of the next epochs goes on"
        )
    if told["scheduler"] == "median":
        return (
            f"median, after epochs {rungs} those end whose lowest error is above the median of the averages of those "
            f"that were there before, once there are {told['min_samples']}"
        )
    others = "wait there, and go on once enough others were worse" if told["promote"] else "end there"
    text = f"trials are compared after epochs {rungs}; those that do not go on {others}"
    if told["brackets"]:
        starts = ", ".join(
            f"{100 * each['share']:.0f} % from {each['rungs'][0]}"
            for each in told["brackets"]
            if each["rungs"]
        )
        free = sum(each["share"] for each in told["brackets"] if not each["rungs"])
        text += f"; in {plural(len(told['brackets']), 'bracket')}, {starts} on"
        text += f", {100 * free:.0f} % never" if free else ""
    if told["one_passes"]:
        text += f"; one in {told['one_passes']} passes over the first"
    return f"{told['scheduler']}, {text}"


def _brackets(space: Space, rungs: tuple[int, ...]) -> list[dict[str, Any]]:
    """Of scheduler hyperband."""
    if not rungs or space.search.scheduler != "hyperband":
        return []
    found = brackets_of(rungs, space.search.reduction_factor, space.search.brackets)
    return [{"rungs": list(each.rungs), "share": each.share} for each in found]


def _one_passes(space: Space, rungs: tuple[int, ...]) -> int | None:
    """Of so many configurations of scheduler asha one passes over a first rung at least."""
    if space.search.scheduler != "asha" or len(rungs) < 2 or (space.brackets or 1) < 2:
        return None
    return space.search.reduction_factor + 1
