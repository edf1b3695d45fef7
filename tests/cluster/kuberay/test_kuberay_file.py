"""`cluster/kuberay.yaml` without Kubernetes: KubeRay's own schema, its rules, and what a search needs of pods."""

from __future__ import annotations

import copy
import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from tests.cluster.kuberay.reduced_schema import FILE, OTHERS, REDUCED, ROOT, documents
from wrn_search.__main__ import COMMANDS

SCHEMAS = json.loads(REDUCED.read_text(encoding="utf-8"))["kinds"]
DOCUMENTS = documents()
CLUSTER, JOB, CLAIM = (DOCUMENTS[kind] for kind in ("RayCluster", "RayJob", "PersistentVolumeClaim"))
HEAD = CLUSTER["spec"]["headGroupSpec"]
(WORKERS,) = CLUSTER["spec"]["workerGroupSpecs"]
TEMPLATES = [HEAD["template"]["spec"], WORKERS["template"]["spec"]]
FREE_KEYS = {
    "rayStartParams",
    "requests",
    "limits",
    "clusterSelector",
    "metadata",
}  # maps with keys of their own


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_kuberay_accepts_the_document(kind: str) -> None:
    jsonschema.validate(DOCUMENTS[kind], SCHEMAS[kind])


def keys_of(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all keys whose names the schema knows."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        if isinstance(key, str):
            yield (*path, key)
        if key not in FREE_KEYS:
            yield from keys_of(value, (*path, key))


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_the_schema_refuses_each_key_misspelt_and_each_value_of_another_kind(kind: str) -> None:
    validator = jsonschema.Draft202012Validator(SCHEMAS[kind])
    for path in keys_of(DOCUMENTS[kind]):
        for spoilt in ("a misspelt key", "a value"):
            document = copy.deepcopy(DOCUMENTS[kind])
            holder = document
            for key in path[:-1]:
                holder = holder[key]
            if spoilt == "a value":
                holder[path[-1]] = 1.5  # nothing in the file is a fraction
            elif len(path) > 1:
                holder[path[-1] + "s"] = holder.pop(path[-1])
            else:
                continue  # Kubernetes itself looks at apiVersion, kind, metadata, spec
            assert not validator.is_valid(document), (spoilt, path)


def test_the_schema_knows_the_names_of_what_the_file_does_not_use() -> None:
    names = SCHEMAS["RayCluster"]["properties"]["spec"][OTHERS].split()
    assert {"autoscalerOptions", "enableInTreeAutoscaling", "gcsFaultToleranceOptions"} <= set(names)


def test_rules_that_kuberay_checks_beside_its_schema() -> None:
    """`ray-operator/controllers/ray/utils/validation.go`: names, versions, counts of workers, the job's selector."""
    for document in DOCUMENTS.values():
        assert re.fullmatch(r"[a-z]([-a-z0-9]{0,45}[a-z0-9])?", document["metadata"]["name"])
    pinned = re.search(r"^ray\[tune\]==(\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert pinned is not None
    assert CLUSTER["spec"]["rayVersion"] == pinned[1]
    assert WORKERS["minReplicas"] == WORKERS["replicas"] == WORKERS["maxReplicas"] > 0
    assert JOB["spec"]["clusterSelector"] == {"ray.io/cluster": CLUSTER["metadata"]["name"]}
    assert "backoffLimit" not in JOB["spec"]
    assert "shutdownAfterJobFinishes" not in JOB["spec"]


def test_every_pod_has_what_a_node_of_a_search_must_have() -> None:
    images = {container["image"] for template in TEMPLATES for container in template["containers"]}
    assert len(images) == 1, "one image: the same versions on every node"
    for template in TEMPLATES:
        (container,) = template["containers"]
        environment = {each["name"]: each["value"] for each in container["env"]}
        mounted = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
        volumes = {each["name"]: each for each in template["volumes"]}
        assert mounted.keys() == volumes.keys()
        assert environment["WRN_SEARCH_RESULTS"].startswith(mounted["shared"] + "/")
        assert volumes["shared"]["persistentVolumeClaim"]["claimName"] == CLAIM["metadata"]["name"]
        assert environment["RAY_memory_monitor_refresh_ms"] == "0"
        assert template["securityContext"]["runAsNonRoot"] is True
        limits, requests = container["resources"]["limits"], container["resources"]["requests"]
        assert limits == requests, "a trial's share of a pod is that of its limits"
    assert CLAIM["spec"]["accessModes"] == ["ReadWriteMany"]
    assert CLUSTER["spec"]["authOptions"] == {"mode": "token"}
    assert HEAD["rayStartParams"]["num-cpus"] == "0"
    assert "nvidia.com/gpu" in WORKERS["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert "nvidia.com/gpu" not in HEAD["template"]["spec"]["containers"][0]["resources"]["limits"]


def test_the_job_runs_a_file_of_the_image_on_a_space_of_the_image() -> None:
    python, script, space, *options = shlex.split(JOB["spec"]["entrypoint"])
    project = re.search(r"\bWRN_SEARCH_HOME=(\S+)", (ROOT / "Dockerfile").read_text())
    assert project is not None
    assert (python, script) == ("python", f"{project[1]}/run_search.py")
    assert (ROOT / "run_search.py").is_file()
    assert (ROOT / space).is_file()
    assert options == ["--address", "auto"]


def test_a_pod_that_will_go_lets_its_trials_go_within_its_grace() -> None:
    pod = WORKERS["template"]["spec"]
    (python, _, package, command, option, seconds) = pod["containers"][0]["lifecycle"]["preStop"]["exec"][
        "command"
    ]
    assert (python, package, command, option) == ("python", "wrn_search", "leave", "--seconds")
    assert 0 < float(seconds) < pod["terminationGracePeriodSeconds"]
    assert command in COMMANDS


def test_the_header_says_what_it_is_what_to_edit_and_the_commands() -> None:
    header = re.match(r"(#[^\n]*\n)+", FILE.read_text())
    assert header is not None
    assert all(f"# {word} " in header[0] for word in ("what it is", "to edit", "needs"))
    assert "NEVER RUN" in header[0]
    assert "search_spaces/cifar_width_depth.yaml" in header[0]
    assert FILE.read_text().count("# EDIT: ") == 5
