"""KubeRay's schema of what `cluster/kuberay.yaml` says, made small enough to lie in a repository.

KubeRay ships the schema of its kinds (CustomResourceDefinitions, Apache-2.0) as 1.4 MB of YAML each. Kept is all that
the file uses, as it is but for descriptions; of what it does not use, the names. From the project's folder, with a
checkout of https://github.com/ray-project/kuberay at the tag:

    python -m tests.cluster.kuberay.reduced_schema KUBERAY v1.7.0
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "cluster" / "kuberay.yaml"
REDUCED = Path(__file__).with_name("reduced_schema.json")
CRDS = "ray-operator/config/crd/bases"
# Of a node of a schema: what says which values are right. Rules in Kubernetes' own language (CEL) are left out.
_KEPT = (
    "type",
    "enum",
    "pattern",
    "required",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "format",
    "anyOf",
)
_ANY_KEY = "x-kubernetes-preserve-unknown-fields"
OTHERS = "x-other-names"  # of an object: properties that there are, too, and whose schema is not kept


def documents(file: Path = FILE) -> dict[str, dict[str, Any]]:
    """The file's documents by kind."""
    return {document["kind"]: document for document in yaml.safe_load_all(file.read_text(encoding="utf-8"))}


def reduced(schema: dict[str, Any], values: list[Any]) -> dict[str, Any]:
    """A node of a schema for the values that stand there."""
    kept = {key: schema[key] for key in _KEPT if key in schema}
    objects = [value for value in values if isinstance(value, dict)]
    if "properties" in schema:
        properties = schema["properties"]
        used = {key for value in objects for key in value if key in properties}
        kept["properties"] = {
            key: reduced(properties[key], [value[key] for value in objects if key in value])
            for key in sorted(used)
        }
        if others := sorted(properties.keys() - used):
            kept[OTHERS] = " ".join(others)
        kept["additionalProperties"] = bool(schema.get(_ANY_KEY, False))
    elif isinstance(schema.get("additionalProperties"), dict):
        inner = [item for value in objects for item in value.values()]
        kept["additionalProperties"] = reduced(schema["additionalProperties"], inner)
    if "items" in schema:
        kept["items"] = reduced(
            schema["items"], [item for value in values if isinstance(value, list) for item in value]
        )
    return kept


def _schema_of(crd: Path, version: str) -> dict[str, Any]:
    document = yaml.load(
        crd.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    )
    (found,) = [each for each in document["spec"]["versions"] if each["name"] == version]
    schema: dict[str, Any] = found["schema"]["openAPIV3Schema"]
    return schema


def main(kuberay: Path, tag: str) -> None:
    """Writes the file beside this one."""
    kinds = {}
    for kind, document in documents().items():
        group, _, version = document["apiVersion"].partition("/")
        if group == "ray.io":
            crd = kuberay / CRDS / f"ray.io_{kind.lower()}s.yaml"
            kinds[kind] = reduced(_schema_of(crd, version), [document])
    origin = {
        "source": f"https://github.com/ray-project/kuberay, {CRDS}, tag {tag}",
        "license": "Apache-2.0, https://www.apache.org/licenses/LICENSE-2.0",
        "changes": "reduced by tests/cluster/kuberay/reduced_schema.py to what cluster/kuberay.yaml uses",
    }
    REDUCED.write_text(json.dumps({**origin, "kinds": kinds}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
