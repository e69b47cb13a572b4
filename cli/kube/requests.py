"""Requests to an API server as data, built without any connection."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from cli.kube.kinds import Kind

Object = dict[str, Any]
"""A Kubernetes object as JSON has it."""

PATCHES = {
    "apply": "application/apply-patch+yaml",
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}
HEADS = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""What a list is asked for as, where nothing but metadata is wanted of it."""
PatchType = Literal["apply", "merge", "json", "strategic"]
Propagation = Literal["Foreground", "Background", "Orphan"]


@dataclass(frozen=True)
class Request:
    """One HTTP request. `repeatable`: sending it twice does what sending it once does."""

    method: str
    path: str
    action: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = "application/json"
    accept: str = "application/json"
    repeatable: bool = True

    def headers(self) -> dict[str, str]:
        headers = {"Accept": self.accept}
        return headers if self.body is None else {**headers, "Content-Type": self.content_type}


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_whole(self) -> bool:
        """Whether the body is a JSON object from its beginning to its end."""
        try:
            return isinstance(self._parsed, dict)
        except ValueError:
            return False

    def json(self) -> Any:
        """The body's value. Raises ValueError."""
        return self._parsed

    @cached_property
    def _parsed(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Write:
    """How a write is done: under which field manager, only tried, and taking fields from other managers or not."""

    manager: str
    dry_run: bool = False
    force: bool = False
    strict: bool = False

    def params(self, *, apply: bool = False) -> dict[str, str]:
        params = {"fieldManager": self.manager}
        if self.dry_run:
            params["dryRun"] = "All"
        if apply and self.force:
            params["force"] = "true"
        params["fieldValidation"] = "Strict" if self.strict else "Warn"
        return params


def named(kind: Kind, namespace: str | None, name: str) -> str:
    """`Deployment dev/api-a`, as errors and actions call an object."""
    return f"{kind.kind} {namespace}/{name}" if kind.namespaced and namespace else f"{kind.kind} {name}"


def discover(path: str) -> Request:
    return Request("GET", path, f"ask which kinds {path} has")


def get(kind: Kind, namespace: str | None, name: str) -> Request:
    return Request("GET", kind.path(namespace, name), f"get {named(kind, namespace, name)}")


def list_(
    kind: Kind,
    namespace: str | None,
    *,
    labels: str | None = None,
    fields: str | None = None,
    limit: int = 500,
    token: str | None = None,
) -> Request:
    params = _given(labelSelector=labels, fieldSelector=fields, limit=str(limit), **{"continue": token})
    return Request("GET", kind.path(namespace), f"list {kind.plural}{_in(namespace)}", params)


def watch(
    kind: Kind,
    namespace: str | None,
    *,
    resource_version: str | None = None,
    labels: str | None = None,
    fields: str | None = None,
    seconds: int = 290,
) -> Request:
    params = _given(
        watch="true",
        allowWatchBookmarks="true",
        timeoutSeconds=str(seconds),
        resourceVersion=resource_version,
        labelSelector=labels,
        fieldSelector=fields,
    )
    return Request("GET", kind.path(namespace), f"watch {kind.plural}{_in(namespace)}", params)


def create(kind: Kind, manifest: Object, write: Write) -> Request:
    namespace, name = place(manifest)
    action = f"create {named(kind, namespace, name)}"
    return Request("POST", kind.path(namespace), action, write.params(), _json(manifest), repeatable=write.dry_run)


def replace(kind: Kind, manifest: Object, write: Write, subresource: str | None = None) -> Request:
    """A PUT: only succeeds while the object still has the manifest's resourceVersion, where it names one."""
    namespace, name = place(manifest)
    path = kind.path(namespace, name, subresource)
    action = f"replace {named(kind, namespace, name)}"
    repeatable = write.dry_run or is_guarded(manifest)
    return Request("PUT", path, action, write.params(), _json(manifest), repeatable=repeatable)


def apply(kind: Kind, manifest: Object, write: Write) -> Request:
    """A server-side apply."""
    namespace, name = place(manifest)
    action = f"apply {named(kind, namespace, name)}"
    return Request(
        "PATCH", kind.path(namespace, name), action, write.params(apply=True), _json(manifest), PATCHES["apply"]
    )


def patch(
    kind: Kind,
    namespace: str | None,
    name: str,
    body: Object | list[Object],
    write: Write,
    *,
    how: PatchType = "merge",
    subresource: str | None = None,
) -> Request:
    path = kind.path(namespace, name, subresource)
    action = f"patch {named(kind, namespace, name)}"
    params = write.params(apply=how == "apply")
    guarded = isinstance(body, list) and bool(body) and body[0].get("op") == "test"
    repeatable = how in ("apply", "merge") or guarded
    return Request("PATCH", path, action, params, _json(body), PATCHES[how], repeatable=repeatable)


def delete(
    kind: Kind,
    namespace: str | None,
    name: str,
    *,
    propagation: Propagation = "Background",
    uid: str | None = None,
    resource_version: str | None = None,
    dry_run: bool = False,
) -> Request:
    options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
    if preconditions := _given(uid=uid, resourceVersion=resource_version):
        options["preconditions"] = preconditions
    if dry_run:
        options["dryRun"] = ["All"]
    return Request("DELETE", kind.path(namespace, name), f"delete {named(kind, namespace, name)}", body=_json(options))


def logs(
    namespace: str,
    pod: str,
    *,
    container: str | None = None,
    tail: int | None = None,
    previous: bool = False,
    since_seconds: int | None = None,
    follow: bool = False,
    timestamps: bool = False,
) -> Request:
    params = _given(
        container=container,
        tailLines=_text(tail),
        previous="true" if previous else None,
        sinceSeconds=_text(since_seconds),
        follow="true" if follow else None,
        timestamps="true" if timestamps else None,
    )
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
    return Request("GET", path, f"read the log of pod {namespace}/{pod}", params, accept="*/*")


def proxy(
    namespace: str, service: str, port: int | str, path: str = "/", params: Mapping[str, str] | None = None
) -> Request:
    """A GET to a Service, through the API server."""
    target = _proxied(namespace, service, port, path)
    return Request("GET", target, f"ask service {namespace}/{service} for {path}", dict(params or {}), accept="*/*")


def proxy_post(namespace: str, service: str, port: int | str, path: str, document: Any) -> Request:
    """A POST of a JSON document to a Service, through the API server."""
    target, action = _proxied(namespace, service, port, path), f"send to service {namespace}/{service}: {path}"
    return Request("POST", target, action, body=_json(document), accept="*/*", repeatable=False)


def is_guarded(body: Object) -> bool:
    """Whether a write names the state (or the very object) that it is meant for, so that it fails on any other."""
    metadata = body.get("metadata") or {}
    return bool(metadata.get("resourceVersion") or metadata.get("uid"))


def place(manifest: Object) -> tuple[str | None, str]:
    """(namespace, name) of an object."""
    metadata = manifest["metadata"]
    return metadata.get("namespace"), metadata["name"]


def warnings(headers: Iterable[str]) -> list[str]:
    """The texts of Warning headers: `299 - "unknown field \\"spec.x\\""`."""
    found = [re.findall(r'\d{3} \S+ "((?:[^"\\]|\\.)*)"', header) for header in headers]
    return [text.replace('\\"', '"') for texts in found for text in texts]


def _proxied(namespace: str, service: str, port: int | str, path: str) -> str:
    return f"/api/v1/namespaces/{namespace}/services/{service}:{port}/proxy/{path.lstrip('/')}"


def _in(namespace: str | None) -> str:
    return f" in {namespace}" if namespace else ""


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _given(**values: str | None) -> dict[str, str]:
    return {key: value for key, value in values.items() if value is not None}


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
