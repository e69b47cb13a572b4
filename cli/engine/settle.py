"""Makes the state agree with what a rollback has put into the cluster, so that settings put back show no change.

    python -m cli.engine.settle ENV < document.json      in the project's folder; changes nothing in the cluster

The document is `{"record": …, "tracks": {service: {described, epoch}}}`, where `tracks` has every service with two, as
the rollback left it. For every object of the release record that the state holds, the recorded manifest, on the track
that is described now, becomes the resource's inputs and outputs; the stack's outputs say the same. What the record
cannot hold (secret values, the record object itself) or the state has lost (resources that the bad release removed) is
taken from the newest earlier checkpoint that had it: a self-managed backend keeps many. Workloads that only the bad
release had are stopped in the state as they are in the cluster, so that the next update starts them.
"""

from __future__ import annotations

import copy
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli import protocol
from components.environment import Namespaces
from components.manifest import lasting
from components.names import APP, COMPONENT, RELEASE, WORKLOAD
from components.tracks import (
    COUNTED,
    EPOCH,
    ROUTED,
    STOPPED,
    Tracks,
    from_output,
    in_spec,
    leading,
    letter_of,
    lettered,
)

if TYPE_CHECKING:
    from cli.engine.store.place import Place

JSON = dict[str, Any]

_KEPT_OUTPUTS = ("__fieldManager", "__initialApiVersion")
_SERVER_METADATA = ("uid", "creationTimestamp", "generation", "resourceVersion", "managedFields", "selfLink")
_REFERENCES = ("dependencies", "replaceWith")
_CHECKPOINTS_READ = 60
_CONFIGURATION = frozenset({"kubernetes:core/v1:ConfigMap", "kubernetes:core/v1:Secret"})


@dataclass(frozen=True)
class Wanted:
    """A resource that the state should hold as it was: `manifest` is None where the record has only its name.

    `owned`: keys of its spec that a rollout moves, and that stay as the state has them.
    """

    type: str
    name: str
    id: str
    manifest: JSON | None
    owned: tuple[str, ...] = ()


def settle(
    state: JSON, record: Mapping[str, Any], earlier: Iterable[JSON] = (), tracks: Mapping[str, JSON] | None = None
) -> JSON:
    """A new exported state for the record. `earlier`: deployments of this stack, newest first.

    An empty state is one whose environment was destroyed since: it stays as it is.
    """
    settled = copy.deepcopy(state)
    deployment = settled["deployment"]
    resources = deployment.get("resources") or []
    if not resources:
        return settled
    told = _tell(_stack_of(resources), record, tracks or {})
    _stop(resources, record, told)
    everything = wanted_of(record, from_output(told))
    lost = [wanted for wanted in everything if not _restore(resources, wanted)]
    _take_back(resources, lost, _of_same_key(deployment, earlier))
    deployment["resources"] = _without_left_over(resources, everything)
    _forget_pending(deployment, everything)
    return settled


def wanted_of(record: Mapping[str, Any], tracks: Mapping[str, Tracks]) -> list[Wanted]:
    """Everything that a record says about the state: its objects, the Secrets that they mount, and itself."""
    names: Mapping[str, str] = record.get("pulumi") or {}
    entries = [one for entry in record.get("entries") or () for one in _entries(entry, tracks)]
    objects = [_of_manifest(manifest, names, tracks) for manifest in (*entries, *record["objects"])]
    return [*objects, *_secrets(record["objects"]), *_itself(record)]


def _stack_of(resources: Iterable[JSON]) -> JSON:
    return next((entry for entry in resources if entry["type"] == protocol.STACK), {})


def _tell(stack: JSON, record: Mapping[str, Any], tracks: Mapping[str, JSON]) -> JSON:
    """Has the stack's outputs say what an update would now; gives its output `tracks`."""
    outputs = stack.get("outputs") or {}
    told: JSON = {service: _ended(row) for service, row in (outputs.get("tracks") or {}).items()}
    for service, place in tracks.items():
        told[service] = {"objects": {}, **told.get(service, {}), **place, "two": True}
    if told:
        outputs["tracks"] = told
    if RELEASE in outputs and record.get("name"):
        outputs[RELEASE] = record["name"]
    return told


def _stop(resources: Iterable[JSON], record: Mapping[str, Any], told: JSON) -> None:
    """What the rollback ended has no copies, or is suspended; the stack's outputs say so until an update starts it."""
    stopped = list(_stopped(resources, record, told))
    for row in told.values():
        row.pop("stopped", None)
    for entry in stopped:
        field, value = STOPPED[entry["inputs"]["kind"]]
        outputs = entry.get("outputs") or {}
        for part in (entry["inputs"], outputs, outputs.get("__inputs") or {}):
            part["spec"] = {**(part.get("spec") or {}), field: value}
        if service := _service(entry["inputs"]):
            told[service] = {"objects": {}, **told.get(service, {}), "stopped": True}


def _stopped(resources: Iterable[JSON], record: Mapping[str, Any], told: JSON) -> Iterator[JSON]:
    """Workloads of the app that the record does not have. Copies of a service with two tracks are the rollout's."""
    kept = {(one["kind"], _place(one)) for one in record["objects"]}
    for entry in resources:
        inputs = entry.get("inputs") or {}
        if entry.get("delete") or inputs.get("kind") not in STOPPED or not entry["type"].startswith("kubernetes:"):
            continue
        is_apps = (inputs["metadata"].get("labels") or {}).get(COMPONENT) == APP
        is_kept = (inputs["kind"], _place(inputs)) in kept or told.get(_service(inputs), {}).get("two")
        if is_apps and not is_kept:
            yield entry


def type_token(api_version: str, kind: str) -> str:
    """`kubernetes:core/v1:ConfigMap`."""
    return f"kubernetes:{api_version if '/' in api_version else f'core/{api_version}'}:{kind}"


def inputs_of(manifest: JSON) -> JSON:
    """What the program asks for when it wants this object: the manifest without what only a server writes."""
    metadata = {key: value for key, value in manifest["metadata"].items() if key not in _SERVER_METADATA}
    return {key: value for key, value in manifest.items() if key != "status"} | {"metadata": metadata}


def _ended(row: JSON) -> JSON:
    """No rollout is under way any more."""
    return {key: value for key, value in row.items() if key != "trying"}


def _of_manifest(recorded: JSON, names: Mapping[str, str], tracks: Mapping[str, Tracks]) -> Wanted:
    manifest, owned = _on_its_track(recorded, tracks)
    metadata, kind = manifest["metadata"], manifest["kind"]
    place = _place(manifest)
    key = "/".join((metadata.get("namespace", ""), kind, metadata["name"]))
    return Wanted(type_token(manifest["apiVersion"], kind), names.get(key, place), place, manifest, owned)


def _place(manifest: JSON) -> str:
    metadata = manifest["metadata"]
    return "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))


def _service(manifest: JSON) -> str:
    return str((manifest["metadata"].get("labels") or {}).get(WORKLOAD, ""))


def _on_its_track(recorded: JSON, tracks: Mapping[str, Tracks]) -> tuple[JSON, tuple[str, ...]]:
    """A recorded object as the program declares it now, and which keys of its spec are a rollout's."""
    if recorded["kind"] in ROUTED:
        return recorded, in_spec(ROUTED[recorded["kind"]])
    service = tracks.get(_service(recorded))
    if service is None or letter_of(recorded) is None:
        return recorded, ()
    manifest = lettered(recorded, service.described)
    if manifest["kind"] == "Deployment" and (service.two or service.epoch):
        metadata = manifest["metadata"]
        annotations = {**metadata.get("annotations", {}), EPOCH: str(service.epoch)}
        manifest = {**manifest, "metadata": {**metadata, "annotations": annotations}}
    return manifest, in_spec(COUNTED.get(manifest["kind"], ())) if service.two else ()


def _entries(recorded: JSON, tracks: Mapping[str, Tracks]) -> list[JSON]:
    """A recorded Service or HTTPRoute, and with two tracks the Services of each alone."""
    service = tracks.get(_service(recorded))
    if service is None or recorded["kind"] != "Service":
        return [recorded]
    return leading(recorded, service.described, two=service.two)


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
    return Wanted(type_token("v1", "Secret"), f"{namespace}/{lasting(name)}", f"{namespace}/{name}", None)


def _itself(record: Mapping[str, Any]) -> Iterator[Wanted]:
    if record.get("name"):
        namespace = Namespaces.of(record["environment"]).control
        yield Wanted(type_token("v1", "ConfigMap"), f"{namespace}/release.0", f"{namespace}/{record['name']}", None)


def _restore(resources: list[JSON], wanted: Wanted) -> bool:
    """Whether the state holds the resource as it is wanted now."""
    found = _find(resources, wanted)
    if found is None:
        return False
    if wanted.manifest is None:
        return bool(found.get("id") == wanted.id)
    inputs = _keeping(inputs_of(wanted.manifest), wanted.owned, found.get("inputs") or {})
    outputs = found.get("outputs") or {}
    if found.get("inputs") != inputs or outputs.get("__inputs") != inputs or found.pop("initErrors", None):
        found.pop("initErrors", None)
        found["outputs"] = _outputs(outputs, inputs)
        found["inputs"] = inputs
        found["id"] = wanted.id
    return True


def _keeping(inputs: JSON, owned: Iterable[str], before: JSON) -> JSON:
    """The inputs with what a rollout moves as it was before, or not there as before."""
    spec, old = dict(inputs.get("spec") or {}), before.get("spec") or {}
    for key in owned:
        spec.pop(key, None)
        spec |= {key: old[key]} if key in old else {}
    return {**inputs, "spec": spec} if owned else inputs


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


def main(environment: str, root: Path, record: JSON, tracks: Mapping[str, JSON]) -> None:
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
    settled = settle(state, record, checkpoints(where) if where else (), tracks)
    if settled != state:
        engine.import_state(settled)


def _run() -> int:
    from cli.errors import TurnoutError

    try:
        document = json.load(sys.stdin)
        main(sys.argv[1], Path.cwd(), document.get("record", document), document.get("tracks") or {})
    except TurnoutError as error:
        sys.stderr.write(f"{error.what}{f' ({error.why.splitlines()[-1]})' if error.why else ''}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(_run())
