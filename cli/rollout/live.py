"""Reads what a rollback compares with: an environment's live app objects, a few lists whatever its size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from cli.kube import requests
from cli.kube.errors import Forbidden, NotFound
from cli.kube.kinds import BUILT_IN
from cli.kube.requests import Request
from cli.rollout.control import Manifest
from cli.rollout.moves import ROUTE
from cli.rollout.plan import Key, key
from cli.rollout.records import Record
from components.names import ENVIRONMENT

if TYPE_CHECKING:
    from cli.kube.client import Kube

One = TypeVar("One")
Other = TypeVar("Other")

AT_ONCE = 12
_ALWAYS = (
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "CronJob"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("policy/v1", "PodDisruptionBudget"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
)
_ENTRIES = (("v1", "Service"), (ROUTE, "HTTPRoute"))
_HEAD = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


def at_once(work: Callable[[One], Other], items: Iterable[One]) -> list[Other]:
    """The results of `work` on each item, in their order; the first error is raised after all have ended."""
    todo = list(items)
    if len(todo) < 2:
        return [work(item) for item in todo]
    with ThreadPoolExecutor(min(AT_ONCE, len(todo))) as pool:
        return list(pool.map(work, todo))


def objects(kube: Kube, environment: str, record: Record) -> dict[Key, Manifest]:
    """Every live object that the record names, every workload or policy that could have been added to it, and all
    Services and HTTPRoutes."""
    wanted = {key(manifest): manifest for manifest in record.objects}
    kinds = _collections(record)
    listed = at_once(lambda kind: list(_listed(kube, environment, *kind)), kinds)
    found = {key(manifest): manifest for batch in listed for manifest in batch}
    unlisted = [manifest for place, manifest in wanted.items() if place not in found]
    single = at_once(lambda manifest: _single(kube, manifest), unlisted)
    return found | {key(manifest): manifest for manifest in single if manifest}


def gone(kube: Kube, needed: Iterable[Key]) -> list[str]:
    """Those ConfigMaps and Secrets that are not there any more. Only their metadata is read."""
    places = sorted(needed)
    return [
        f"{kind} {namespace}/{name}"
        for (kind, namespace, name), here in zip(places, at_once(_exists(kube), places), strict=True)
        if not here
    ]


def _collections(record: Record) -> list[tuple[str, str, str]]:
    namespaces = sorted(
        {manifest["metadata"]["namespace"] for manifest in record.objects if manifest["metadata"].get("namespace")}
    )
    kinds = {(manifest["apiVersion"], manifest["kind"]) for manifest in record.objects} | {*_ALWAYS, *_ENTRIES}
    return [(*kind, namespace) for namespace in namespaces for kind in sorted(kinds)]


def _listed(kube: Kube, environment: str, api_version: str, kind: str, namespace: str) -> Iterator[Manifest]:
    if api_version == ROUTE:
        found = _routes(kube, namespace)
    else:
        # An entry leads to its service whatever its labels are.
        labels = None if kind == "Service" else f"{ENVIRONMENT}={environment}"
        found = kube.list(api_version, kind, namespace, labels=labels)
    return ({**manifest, "apiVersion": api_version, "kind": kind} for manifest in found)


def _routes(kube: Kube, namespace: str) -> list[Manifest]:
    """None where the cluster knows no gateways: asked without discovery, which takes several round trips."""
    path = f"/apis/{ROUTE}/namespaces/{namespace}/httproutes"
    try:
        found: list[Manifest] = kube.request(Request("GET", path, f"list HTTPRoute in {namespace}")).json()["items"]
    except NotFound:
        return []
    return found


def _single(kube: Kube, manifest: Manifest) -> Manifest | None:
    metadata = manifest["metadata"]
    return kube.find(manifest["apiVersion"], manifest["kind"], metadata["name"], metadata.get("namespace"))


def _exists(kube: Kube) -> Callable[[Key], bool]:
    def look(place: Key) -> bool:
        kind, namespace, name = place
        request = replace(requests.get(BUILT_IN["v1", kind], namespace, name), accept=_HEAD)
        try:
            kube.request(request)
        except NotFound:
            return False
        except Forbidden:
            return True
        return True

    return look
