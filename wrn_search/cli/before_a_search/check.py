"""`check SPACE`: validates a space file and explains what the search would do; `--schema` prints its JSON Schema.

A data folder of the user's own must be there and hold images (else exit status 2); downloads need not.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from wrn_search.cli.exit_status import a_path, show
from wrn_search.datasets.dataset import DatasetFacts
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.decisions.rung_epochs import rungs_of
from wrn_search.errors import InputError
from wrn_search.forecast.forecast_here import forecast_here
from wrn_search.images.checks_of_settings import check_batches, facts_told
from wrn_search.images.on_disk.size_on_disk import check_room, size_on_disk
from wrn_search.space.data_folders import place_of
from wrn_search.space.explained.search_in_words import text_of
from wrn_search.space.explained.weights_in_words import weights_in_words
from wrn_search.space.lattice_listing import lattice_rows, lattice_text
from wrn_search.space.network_budgets import check_images
from wrn_search.space.rules.across_keys.rules_of_augmentation import check_training_of_images
from wrn_search.space.rules.starting_file import RANDOM
from wrn_search.space.search_explanation import explanation
from wrn_search.space.space import Space
from wrn_search.space.space_file import filled_in, read_space
from wrn_search.user_paths import results_root, space_file_at

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
    options.space = space_file_at(options.space)
    space = read_space(options.space, options.overrides)
    facts, problem = _look(space)
    check_images(space, facts.num_classes, facts.image_shape)
    check_training_of_images(space, facts.num_classes, facts.image_shape)
    if problem is None:
        check_batches(space, space.dataset.trained_on(facts))
    weights = _weights(space, facts)
    told = explanation(space, rungs_of(space), facts) | ({"init_from": weights} if weights else {})
    size = size_on_disk(space.dataset, facts) if problem is None else None
    if size is not None:
        told["prepared"] = {"bytes": size.to_write, "free_bytes": size.free, "folder": str(size.folder)}
        told["prepared"]["text"] = size.text
    told["filled"] = filled_in(options.space, options.overrides)
    if options.lattice:
        told |= {"lattice": lattice_rows(space, facts)} if options.json else {}
    expected = forecast_here(space, facts, results_root()) if problem is None else None
    if options.json:
        show(json.dumps(told | {"forecast": expected.to_dict() if expected else None}, indent=2))
    else:
        lattice = [lattice_text(space, facts)] if options.lattice else []
        begins = weights_in_words(weights) if weights else []
        show("\n".join([text_of(told), *begins, *(expected.lines() if expected else []), *lattice]))
    if problem is not None:
        raise problem
    if size is not None:
        check_room(size)
    return 0


def _weights(space: Space, facts: DatasetFacts) -> dict[str, Any]:
    """What the file of `model.init_from` is, which fits all networks; empty where weights are random.

    Raises:
        InputError: there is none, or it does not fit.
    """
    if space.model.init_from == RANDOM:
        return {}
    from wrn_search.pretrained.starting_weights import starting_weights
    from wrn_search.pretrained.weights_of_a_space import about_weights, check_fits  # torch: seconds

    start = starting_weights(space.model.init_from)
    check_fits(space, start, facts)
    return about_weights(start, space, facts)


def _look(space: Space) -> tuple[DatasetFacts, InputError | None]:
    """What the user's own files tell, or why they cannot be read; other data sets are known by their names."""
    kind, facts = DATASETS[space.dataset.name], space.dataset.facts
    if kind.user_files is None:
        return facts, None
    try:
        presence = kind.presence(place_of(space.dataset))
        if space.tests_each:
            from wrn_search.session.kind_of_run import look_for_tested_images

            look_for_tested_images(space)
        facts = facts.told_by(presence)
        return facts_told(space.dataset, presence), None
    except InputError as error:
        return facts, error
    except OSError as error:
        return facts, InputError.of("dataset.root", f"must be a folder that can be read, but got: {error}")
