"""Makes the state agree with what a rollback has put into the cluster, so that settings put back show no change.

    python -m cli.engine.settle ENV < record.json      in the project's folder; changes nothing in the cluster

For every object of the release record that the state holds, the recorded manifest becomes the resource's inputs and
outputs. What the record cannot hold (secret values, the record object itself) or the state has lost (resources that the
bad release removed) is taken from the newest earlier checkpoint that had it: a self-managed backend keeps many.
"""

from __future__ import annotations

import copy
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cli.engine.store.place import Place

JSON = dict[str, Any]

_KEPT_OUTPUTS = ("__fieldManager", "__initialApiVersion")
_SERVER_METADATA = ("uid", "creationTimestamp", "generation", "resourceVersion", "managedFields", "selfLink")
_REFERENCES = ("dependencies", "replaceWith")
_CHECKPOINTS_READ = 60
_CONFIGURATION = frozenset({"kubernetes:core/v1:ConfigMap", "kubernetes:core/v1:Secret"})
_HASH = re.compile(r"-[0-9a-f]{10}$")


@dataclass(frozen=True)
class Wanted:
    """A resource that the state should hold as it was: `manifest` is None where the record has only its name."""

    type: str
    name: str
    id: str
    manifest: JSON | None


def settle(state: JSON, record: Mapping[str, Any], earlier: Iterable[JSON] = ()) -> JSON:
    """A new exported state for the record. `earlier`: deployments of this stack, newest first.

    An empty state is one whose environment was destroyed since: it stays as it is.
    """
    settled = copy.deepcopy(state)
    deployment = settled["deployment"]
    resources = deployment.get("resources") or []
    if not resources:
        return settled
    everything = wanted_of(record)
    lost = [wanted for wanted in everything if not _restore(resources, wanted)]
    _take_back(resources, lost, _of_same_key(deployment, earlier))
    deployment["resources"] = _without_left_over(resources, everything)
    _forget_pending(deployment, everything)
    return settled


def wanted_of(record: Mapping[str, Any]) -> list[Wanted]:
    """Everything that a record says about the state: its objects, the Secrets that they mount, and itself."""
    names: Mapping[str, str] = record.get("pulumi") or {}
    objects = [_of_manifest(manifest, names) for manifest in record["objects"]]
    return [*objects, *_secrets(record["objects"]), *_itself(record)]


def type_token(api_version: str, kind: str) -> str:
    """`kubernetes:core/v1:ConfigMap`."""
    return f"kubernetes:{api_version if '/' in api_version else f'core/{api_version}'}:{kind}"


def inputs_of(manifest: JSON) -> JSON:
    """What the program asks for when it wants this object: the manifest without what only a server writes."""
    metadata = {key: value for key, value in manifest["metadata"].items() if key not in _SERVER_METADATA}
    return {key: value for key, value in manifest.items() if key != "status"} | {"metadata": metadata}


def _of_manifest(manifest: JSON, names: Mapping[str, str]) -> Wanted:
    metadata, kind = manifest["metadata"], manifest["kind"]
    place = "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))
    key = "/".join((metadata.get("namespace", ""), kind, metadata["name"]))
    return Wanted(type_token(manifest["apiVersion"], kind), names.get(key, place), place, manifest)


def _secrets(objects: Iterable[JSON]) -> list[Wanted]:
    """The Secrets that pods mount; of those only the names are in a record."""
    places = {
        (manifest["metadata"].get("namespace", ""), name) for manifest in objects for name in _secret_names(manifest)
    }
    return [_of_secret(namespace, name) for namespace, name in sorted(places)]


def _secret_names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("secretName"), str):
            yield value["secretName"]
        for entry in value.values():
            yield from _secret_names(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _secret_names(entry)


def _of_secret(namespace: str, name: str) -> Wanted:
    return Wanted(type_token("v1", "Secret"), f"{namespace}/{_HASH.sub('', name)}", f"{namespace}/{name}", None)


def _itself(record: Mapping[str, Any]) -> Iterator[Wanted]:
    if record.get("name"):
        namespace = f"turnout-{record['environment']}"
        yield Wanted(type_token("v1", "ConfigMap"), f"{namespace}/release.0", f"{namespace}/{record['name']}", None)


def _restore(resources: list[JSON], wanted: Wanted) -> bool:
    """Whether the state holds the resource as it is wanted now."""
    found = _find(resources, wanted)
    if found is None:
        return False
    if wanted.manifest is None:
        return bool(found.get("id") == wanted.id)
    inputs = inputs_of(wanted.manifest)
    outputs = found.get("outputs") or {}
    if found.get("inputs") != inputs or outputs.get("__inputs") != inputs or found.pop("initErrors", None):
        found.pop("initErrors", None)
        found["outputs"] = _outputs(outputs, inputs)
        found["inputs"] = inputs
        found["id"] = wanted.id
    return True


def _find(resources: Iterable[JSON], wanted: Wanted) -> JSON | None:
    suffix = f"{wanted.type}::{wanted.name}"
    live = (entry for entry in resources if not entry.get("delete"))
    return next((entry for entry in live if entry["urn"].endswith(suffix) and entry["type"] == wanted.type), None)


def _outputs(before: JSON, inputs: JSON) -> JSON:
    old = before.get("metadata") or {}
    server = {key: old[key] for key in _SERVER_METADATA if key in old}
    kept = {key: before[key] for key in (*_KEPT_OUTPUTS, "status") if key in before}
    outputs = copy.deepcopy(inputs)
    outputs["metadata"] = {**server, **outputs["metadata"]}
    return {**outputs, **kept, "__inputs": copy.deepcopy(inputs)}


def _of_same_key(deployment: JSON, earlier: Iterable[JSON]) -> Iterator[JSON]:
    """The earlier deployments whose secrets this one's key opens."""
    own = deployment.get("secrets_providers")
    return (entry for entry in earlier if entry.get("secrets_providers") == own)


def _take_back(resources: list[JSON], lost: Sequence[Wanted], earlier: Iterable[JSON]) -> None:
    """Copy what is lost from the newest deployment that had it, with whatever it stands on."""
    missing = list(lost)
    for deployment in earlier:
        if not missing:
            return
        past = deployment.get("resources") or []
        missing = [wanted for wanted in missing if not _copy(resources, past, wanted)]


def _copy(resources: list[JSON], past: Sequence[JSON], wanted: Wanted) -> bool:
    donor = _find(past, wanted)
    if donor is None or donor.get("id") != wanted.id:
        return False
    if (present := _find(resources, wanted)) is not None:
        for part in ("id", "inputs", "outputs"):
            present[part] = copy.deepcopy(donor[part])
    else:
        _add(resources, {entry["urn"]: entry for entry in past if not entry.get("delete")}, donor)
    return True


def _add(resources: list[JSON], past: Mapping[str, JSON], donor: JSON) -> None:
    """Append a resource after everything that it refers to; references that lead nowhere are dropped."""
    present = {entry["urn"] for entry in resources}
    for urn in (donor.get("parent", ""), *donor.get("dependencies", ())):
        if urn and urn not in present and urn in past:
            _add(resources, past, past[urn])
            present = {entry["urn"] for entry in resources}
    resources.append(_with_known_references(donor, present))


def _with_known_references(donor: JSON, present: set[str]) -> JSON:
    entry = copy.deepcopy(donor)
    for key in _REFERENCES:
        if key in entry:
            entry[key] = [urn for urn in entry[key] if urn in present]
    by_property = entry.get("propertyDependencies") or {}
    if by_property:
        entry["propertyDependencies"] = {
            key: [urn for urn in urns if urn in present] for key, urns in by_property.items()
        }
    return entry


def _without_left_over(resources: list[JSON], everything: Sequence[Wanted]) -> list[JSON]:
    """Without the configuration that only the bad release had, which stays in the cluster whoever drops it."""
    known = {(wanted.type, wanted.name) for wanted in everything}
    restored = [entry for entry in resources if (entry["type"], _name(entry)) in known]
    workloads = {entry.get("parent") for entry in restored if entry["type"] not in _CONFIGURATION}
    dropped = {
        entry["urn"]
        for entry in resources
        if entry["type"] in _CONFIGURATION
        and entry.get("retainOnDelete")
        and entry.get("parent") in workloads
        and (entry["type"], _name(entry)) not in known
    }
    kept = [entry for entry in resources if entry["urn"] not in dropped]
    return [_with_known_references(entry, {other["urn"] for other in kept}) for entry in kept] if dropped else resources


def _forget_pending(deployment: JSON, everything: Sequence[Wanted]) -> None:
    """An operation that was cut off on what is restored now is over."""
    known = {(wanted.type, wanted.name) for wanted in everything}
    pending = deployment.get("pending_operations") or []
    left = [entry for entry in pending if (entry["resource"]["type"], _name(entry["resource"])) not in known]
    if left != pending:
        deployment["pending_operations"] = left


def _name(entry: JSON) -> str:
    return str(entry["urn"].rsplit("::", 1)[-1])


def checkpoints(where: Place) -> Iterator[JSON]:
    """The deployments in a self-managed backend's history, newest first; unreadable ones are passed over."""
    return (dict(deployment) for deployment in where.history(_CHECKPOINTS_READ) if deployment)


def main(environment: str, root: Path, record: JSON) -> None:
    """Export, settle, import. Raises TurnoutError when the state cannot be reached.

    Operations that a killed run left pending come first: an import would drop them, whatever became of them.
    """
    from cli.engine import environ, pending
    from cli.engine.run import Engine
    from cli.engine.store import place as places
    from cli.progress import Silent

    engine = Engine(root, environment, Silent())
    state = engine.export_state()
    if found := pending.of_deployment(state.get("deployment") or {}):
        raise pending.error(environment, found)
    where = places.self_managed(root, environment, environ.variables(root, dict(os.environ)))
    settled = settle(state, record, checkpoints(where) if where else ())
    if settled != state:
        engine.import_state(settled)


def _run() -> int:
    from cli.errors import TurnoutError

    try:
        main(sys.argv[1], Path.cwd(), json.load(sys.stdin))
    except TurnoutError as error:
        sys.stderr.write(f"{error.what}{f' ({error.why.splitlines()[-1]})' if error.why else ''}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(_run())
