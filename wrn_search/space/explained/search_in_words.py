"""What a search would do, in words: the values of `search_explanation.py` for a reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from wrn_search.objectives.objective_table import INFERENCE_IMAGES
from wrn_search.schedulers.scheduler_table import SCHEDULERS
from wrn_search.space.domains import Scalar
from wrn_search.space.explained.class_balance import class_lines
from wrn_search.space.explained.explained_images import dataset_text, recipe_lines
from wrn_search.space.rules.budget_rules import shown
from wrn_search.wording import budget_text, plural

_MOST_SHOWN = 12  # networks
_INDENT = " " * 14  # of the columns


def text_of(told: dict[str, Any]) -> str:
    """The explanation for a reader."""
    lines = [told["name"]]
    if told["description"]:
        lines += [f"  {line}" for line in told["description"].strip().splitlines()]
    lines += ["", *_of_data_and_space(told), *_of_searcher(told), *_of_scheduler(told), *_of_training(told)]
    return "\n".join(lines)


def _of_data_and_space(told: dict[str, Any]) -> Iterator[str]:
    yield f"data          {dataset_text(told['dataset'], told['validation_images'])}"
    yield from (f"{label:<14}{line}" for label, line in class_lines(told["classes"]) if told["classes"])
    if (copy := told.get("prepared")) is not None:
        yield f"prepared      {copy['text']}"
    if told["protocol"] == "test_each":
        yield "protocol      test_each: none validates; each is tested once, at its end, and that is counted"
    yield from recipe_lines(told)
    yield "searched"
    wide = max(20, 1 + max(map(len, told["hyperparameters"]), default=0))
    yield from (f"  {name:<{wide}}{_domain_text(domain)}" for name, domain in told["hyperparameters"].items())
    if not told["hyperparameters"]:
        yield "  nothing: every value is fixed"
    if told["shared_rates"]:
        yield f"warning       learning_rate {told['shared_rates']}"
    limits = [shown(k, v) if isinstance(v, dict) else f"{k}: {v}" for k, v in told["constraints"].items()]
    if limits:
        yield f"constraints   {', '.join(limits)}"
    if names := told["networks"].get("names"):
        count = told["networks"]["count"]
        more = f" and {count - _MOST_SHOWN} more" if count > _MOST_SHOWN else ""
        yield f"networks      {plural(count, 'network')}: {', '.join(names[:_MOST_SHOWN])}{more}"
    size = told["configurations_in_space"]
    many = "a continuous space" if size is None else plural(size, "configuration")
    smallest, largest = (_network_text(told["networks"][end]) for end in ("smallest", "largest"))
    if smallest == largest:
        yield f"space         {many}, all of {smallest}"
        return
    yield f"space         {many}, networks from {smallest}"
    yield f"              to {largest}"


def _of_measured(objectives: Sequence[str]) -> Iterator[str]:
    """How objectives are measured that a training alone does not tell."""
    passes = {name: images for name, images in INFERENCE_IMAGES.items() if name in objectives}
    if passes:
        images = " and ".join(map(str, passes.values()))
        of = f"{images} image{'' if images == '1' else 's'}"
        when = "before a trial's first epoch, while no other trial trains on its device"
        yield f"{_INDENT}{', '.join(passes)}: forward passes of {of} {when}"
    if "energy_kwh" in objectives:
        yield f"{_INDENT}energy_kwh: of a full training, by the counters of its GPUs (NVML)"


def _of_searcher(told: dict[str, Any]) -> Iterator[str]:
    if len(told["objectives"]) > 1:
        ranks = "compared by non-dominated rank, then by crowding distance"
        yield f"objectives    {', '.join(told['objectives'])}: {ranks}"
        yield from _of_measured(told["objectives"])
    seeds = f", {told['repeats']} seeds each" if told["repeats"] > 1 else ""
    configurations = plural(told["trials"], "configuration")
    if told["trials_by_budget"]:
        configurations = "as many configurations as the budget pays for"
    yield f"searcher      {told['searcher']}, {configurations}{seeds}"
    if told["drawn_alone"]:
        yield f"              draws {', '.join(told['drawn_alone'])} at random: labels have no order to follow"
    if told["points"]:
        first = min(told["points"], told["trials"])
        yield f"points        {plural(first, 'configuration')} of search.points first, in the order of the file"
    if told["prior"]:
        believed = ", ".join(f"{name} {value}" for name, value in told["prior"].items())
        yield f"prior         {plural(told['around_prior'], 'configuration')} drawn around {believed}"
    size = told["configurations_in_space"]
    if size is not None and size < told["trials"]:
        yield f"              the space has only {size}: the search ends when they have been tried"


def _of_scheduler(told: dict[str, Any]) -> Iterator[str]:
    yield f"scheduler     {_scheduler_text(told)}"
    if told["rungs"]:
        many = (
            f"{told['anchors']} of {plural(told['trials'], 'configuration')}" if told["anchors"] else "none"
        )
        if told["trials_by_budget"] and told["anchors"]:
            many = f"{100 * told['anchors'] / told['trials']:.0f} % of the configurations"
        yield f"anchors       {many}: drawn at random before any result and never stopped"
    if told["stop_when"]:
        yield "stops         when depth against width, the winner and the smallest as good are decided"


def _of_training(told: dict[str, Any]) -> Iterator[str]:
    over = "all trials" if told["trials_by_budget"] else plural(told["rows"], "trial")
    at_most = f", {plural(told['most_epochs'], 'epoch')} over {over} at most"
    open_ended = told["trials_by_budget"] and "epochs" not in told["budget"]
    yield f"training      {plural(told['max_epochs'], 'epoch')}{'' if open_ended else at_most}"
    if told["budget"]:
        yield f"budget        {budget_text(told['budget'])}"


def _network_text(network: dict[str, Any]) -> str:
    if network["num_params"] is None:
        return f"{network['name']}"
    return f"{network['name']} ({network['num_params']:,} parameters, {network['macs']:,} multiply-adds an image)"


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
    if told["scheduler"] == "median" and len(told["objectives"]) > 1:
        return (
            f"median, after epochs {rungs} those end for which more than half of those that were there before lie on "
            f"better fronts, once there are {told['min_samples']}"
        )
    if told["scheduler"] == "median":
        return (
            f"median, after epochs {rungs} those end whose lowest error is above the median of the averages of those "
            f"that were there before, once there are {told['min_samples']}"
        )
    others = "wait there, and go on once enough others were worse" if told["promote"] else "end there"
    if told["scheduler"] == "asha" and told["promote"] and len(told["objectives"]) == 1:
        others += ", or places are seen not to last"
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
