"""`check SPACE`: validates a space file and explains what the search would do; `--schema` prints its JSON Schema.

A data folder of the user's own must be there and hold images (else exit status 2); downloads need not.
"""

from __future__ import annotations

import argparse
import json

from wrn_search.cli.exit_status import a_path, show
from wrn_search.datasets.dataset import DatasetFacts
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.datasets.stratified_split import size_problems
from wrn_search.decisions.rung_epochs import rungs_of
from wrn_search.errors import InputError
from wrn_search.forecast.forecast_here import forecast_here
from wrn_search.space.data_folders import place_of
from wrn_search.space.lattice_listing import lattice_rows, lattice_text
from wrn_search.space.network_budgets import check_images
from wrn_search.space.search_explanation import explanation, text_of
from wrn_search.space.space import Space
from wrn_search.space.space_file import read_space
from wrn_search.user_paths import results_root

EXAMPLE = "python -m wrn_search check search_spaces/cifar_width_depth.yaml --set training.epochs=30"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `check`."""
    parser.add_argument("space", metavar="SPACE", type=a_path, nargs="?", help="the space file (YAML)")
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="as in run_search.py",
    )
    parser.add_argument("--schema", action="store_true", help="print the JSON Schema of space files")
    parser.add_argument(
        "--lattice", action="store_true", help="list the networks that constraints or model.network leave"
    )
    parser.add_argument("--json", action="store_true", help="print the explanation as JSON")


def run(options: argparse.Namespace) -> int:
    """The command."""
    if options.schema:
        if options.space is not None or options.overrides or options.lattice:
            raise InputError.of(
                "--schema", "must stand without SPACE, --set and --lattice: it is the same for all of them"
            )
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | Space.model_json_schema()
        show(json.dumps(schema, indent=2))
        return 0
    if options.space is None:
        raise InputError.of("SPACE", "a space file must be named (or --schema), but got none")
    space = read_space(options.space, options.overrides)
    facts, problem = _look(space)
    check_images(space, facts.num_classes, facts.image_shape)
    told = explanation(space, rungs_of(space), facts)
    if options.lattice:
        told |= {"lattice": lattice_rows(space, facts)} if options.json else {}
    expected = forecast_here(space, facts, results_root()) if problem is None else None
    if options.json:
        show(json.dumps(told | {"forecast": expected.to_dict() if expected else None}, indent=2))
    else:
        lattice = [lattice_text(space, facts)] if options.lattice else []
        show("\n".join([text_of(told), *(expected.lines() if expected else []), *lattice]))
    if problem is not None:
        raise problem
    return 0


def _look(space: Space) -> tuple[DatasetFacts, InputError | None]:
    """What the user's own files tell, or why they cannot be read; other data sets are known by their names."""
    kind, facts = DATASETS[space.dataset.name], space.dataset.facts
    if kind.user_files is None:
        return facts, None
    try:
        presence = kind.presence(place_of(space.dataset))
        told, dataset = facts.told_by(presence), space.dataset
        problems = size_problems(
            presence.images or 0, presence.classes or 0, dataset.validation, dataset.train_images
        )
        return told, InputError(problems) if problems else None
    except InputError as error:
        return facts, error
    except OSError as error:
        return facts, InputError.of("dataset.root", f"must be a folder that can be read, but got: {error}")
