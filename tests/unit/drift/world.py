"""Objects as a state and an API server have them, for the comparison's tests."""

from __future__ import annotations

import copy
import json
from typing import Any

from cli import protocol
from cli.drift import comparing
from cli.drift.declared import Declared, of_deployment
from cli.drift.model import Drifted

JSON = dict[str, Any]

_STACK = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"
_APP = "urn:pulumi:dev::shop::turnout:app:App::app"
EARLY, LATE = "2026-11-01T10:00:00Z", "2026-11-02T11:00:00Z"


def deployment(**spec: Any) -> JSON:
    container = {
        "name": "web",
        "image": "shop:1",
        "args": ["serve"],
        "env": [{"name": "MODE", "value": "fast"}, {"name": "LEVEL", "value": "info"}],
        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "1"}},
    }
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web-a", "namespace": "dev", "labels": {"app": "web"}},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template, **spec},
    }


def entry(manifest: JSON, **more: Any) -> JSON:
    """A resource of a state."""
    metadata = manifest["metadata"]
    name = "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))
    group = manifest["apiVersion"] if "/" in manifest["apiVersion"] else f"core/{manifest['apiVersion']}"
    type_ = f"kubernetes:{group}:{manifest['kind']}"
    return {
        "urn": f"urn:pulumi:dev::shop::turnout:app:App${type_}::{name}",
        "type": type_,
        "custom": True,
        "id": name,
        "parent": _APP,
        "inputs": manifest,
        "outputs": {**live_of(manifest), "__inputs": manifest},
        **more,
    }


def declared(manifest: JSON, **more: Any) -> Declared:
    stack = {"urn": _STACK, "type": "pulumi:pulumi:Stack"}
    app = {"urn": _APP, "type": "turnout:app:App", "parent": _STACK}
    [found] = of_deployment({"resources": [stack, app, entry(manifest, **more)]})
    return found


def live_of(manifest: JSON, manager: str = "pulumi-kubernetes", operation: str = "Update") -> JSON:
    """The object as the API server has it right after it was made, with defaults of its own."""
    live = copy.deepcopy(manifest)
    live["metadata"] |= {"uid": "u-1", "resourceVersion": "7", "creationTimestamp": EARLY}
    if live["kind"] == "Deployment":
        live["spec"]["progressDeadlineSeconds"] = 600
    shape = {key: value for key, value in live.items() if key not in ("apiVersion", "kind")}
    shape["metadata"] = {key: value for key, value in live["metadata"].items() if key in ("labels", "annotations")}
    live["metadata"]["managedFields"] = [owner(manager, tree(shape), at=EARLY, operation=operation)]
    live["status"] = {"observedGeneration": 1}
    return live


def owner(manager: str, fields: JSON, *, at: str = LATE, operation: str = "Update", sub: str = "") -> JSON:
    made = {"manager": manager, "operation": operation, "time": at, "fieldsV1": fields}
    return made | ({"subresource": sub} if sub else {})


_KEYS = {"containers": ("name",), "env": ("name",), "ports": ("containerPort", "protocol")}
_WHOLE = ("selector", "matchLabels")


def tree(value: Any, key: str = "") -> JSON:
    """The FieldsV1 tree of somebody who set all of it."""
    if isinstance(value, dict) and value and key not in _WHOLE:
        return {f"f:{name}": tree(item, name) for name, item in value.items()} | ({".": {}} if key else {})
    if isinstance(value, list) and key in _KEYS:
        rows = {json.dumps({name: item[name] for name in _KEYS[key]}): tree(item, "item") for item in value}
        return {f"k:{keys}": below for keys, below in rows.items()} | {".": {}}
    return {}


def at(*steps: str, leaf: JSON | None = None) -> JSON:
    """A tree with one field: `at("spec", "replicas")`; a step that begins with `{` is an item's keys."""
    below: JSON = leaf or {}
    for step in reversed(steps):
        below = {f"k:{step}" if step.startswith("{") else f"f:{step}": below}
    return below


CONTAINER = ("spec", "template", "spec", "containers", '{"name":"web"}')


def edited(live: JSON, change: Any, *entries: JSON, forget: tuple[str, ...] = ()) -> JSON:
    """The object after somebody's edit. `forget`: a place that its first owner has lost by that."""
    new = copy.deepcopy(live)
    change(new)
    fields = new["metadata"]["managedFields"]
    if forget:
        _lose(fields[0]["fieldsV1"], forget)
    fields.extend(entries)
    new["metadata"]["resourceVersion"] = "8"
    return new


def _lose(fields: JSON, path: tuple[str, ...]) -> None:
    for step in path[:-1]:
        fields = fields[_in(fields, step)]
    del fields[_in(fields, path[-1])]


def _in(fields: JSON, step: str) -> str:
    if not step.startswith("{"):
        return f"f:{step}"
    return next(key for key in fields if key.startswith("k:") and json.loads(key[2:]) == json.loads(step))


def sealed(text: str) -> JSON:
    return {protocol.SIGNATURE: protocol.SECRET, "ciphertext": text}


def plain(value: Any) -> JSON:
    return {protocol.SIGNATURE: protocol.SECRET, "plaintext": json.dumps(value)}


def drifted(one: Declared, live: JSON | None, **more: Any) -> Drifted | None:
    return comparing.compare(one, live, **more)


def fields(found: Drifted | None) -> dict[str, tuple[str, Any, Any, str]]:
    """Path → what, declared, live, by whom."""
    assert found
    return {
        one.path: (one.what.value, one.declared, one.live, ",".join(author.manager for author in one.by))
        for one in found.fields
    }


def beside(found: Drifted | None) -> dict[str, str]:
    assert found
    return {one.path: ",".join(author.manager for author in one.by) for one in found.beside}
