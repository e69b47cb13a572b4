"""How an environment is: every workload of its namespaces with its health, and what goes on around it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli.errors import TurnoutError
from cli.kube.health import Health, health
from cli.kube.kinds import WORKLOADS
from cli.kube.pods import Cause, causes, is_ready, relapsing
from cli.kube.related import Related, gather
from cli.rollout import lock, releases, warmth
from cli.rollout.book import Book
from cli.rollout.control import Manifest
from cli.rollout.lease import Holder
from cli.rollout.live import at_once
from components.environment import Namespaces
from components.names import COMPONENT, ENVIRONMENT, WORKLOAD
from components.tracks import TRACK_LABEL

if TYPE_CHECKING:
    from cli.kube.client import Kube


@dataclass(frozen=True)
class WorkloadStatus:
    """One workload. `serving`: version → ready pods; `reason` and `causes` tell why it is not healthy.

    `track` is the letter of the track that it is, empty for what has none; `warm_until` until when it stays, idle.
    """

    name: str
    component: str
    kind: str
    namespace: str
    object: str
    healthy: bool
    ready: int
    desired: int
    versions: tuple[str, ...]
    serving: Mapping[str, int]
    restarts: int
    reason: str = ""
    causes: tuple[str, ...] = ()
    track: str = ""
    warm_until: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            **vars(self),
            "versions": list(self.versions),
            "serving": dict(self.serving),
            "causes": list(self.causes),
        }


@dataclass(frozen=True)
class Status:
    """A whole environment at one moment."""

    environment: str
    workloads: tuple[WorkloadStatus, ...]
    book: Book = field(default_factory=Book)
    holder: Holder | None = None

    @property
    def healthy(self) -> bool:
        return all(one.healthy for one in self.workloads)

    @property
    def next(self) -> str:
        """The command that makes most sense now; the holder is taken to be alive."""
        environment = self.environment
        if owner := self.holder:
            return _after(owner, environment)
        if self.book.open:
            return f"turnout rollback {environment}, or go on: turnout rollout start {environment}"
        if not self.workloads:
            return f"turnout up {environment}"
        if self.book.debt:
            return f"put the settings of release {self.book.restored} back, then turnout preview {environment}"
        unhealthy = next((one for one in self.workloads if not one.healthy), None)
        if unhealthy:
            return f"turnout logs {environment} {unhealthy.name}"
        return f"turnout preview {environment}"

    def to_json(self) -> dict[str, Any]:
        book = self.book
        return {
            "environment": self.environment,
            "healthy": self.healthy,
            "workloads": [one.to_json() for one in self.workloads],
            "release": book.current.to_json() if book.current else None,
            "open": book.open.to_json() if book.open else None,
            "debt": vars(book.debt) if book.debt else None,
            "lock": self.holder.to_json() if self.holder else None,
            "next": self.next,
        }


def _after(owner: Holder, environment: str) -> str:
    if owner.drives:
        return f"turnout rollout watch {environment}, as soon as the rollout has begun"
    return f"wait for {owner.who} on {owner.host}: with --wait 600 the next command does"


def read(kube: Kube, environment: str, *, component: str = "") -> Status:
    """The status as of now; causes (events, last log lines) are read for unhealthy workloads only."""
    selector = f"{ENVIRONMENT}={environment}" + (f",{COMPONENT}={component}" if component else "")
    spaces = Namespaces.of(environment).of_workloads
    collections = [(*kind, space) for space in spaces for kind in (*WORKLOADS, ("v1", "Pod"))]
    *rows, holder, book = at_once(
        lambda work: work(),
        [
            *(_lister(kube, selector, *collection) for collection in collections),
            lambda: lock.current(kube, environment),
            lambda: releases.load(kube, environment),
        ],
    )
    found = [row for batch in rows for row in batch]
    workloads = [row for row in found if row["kind"] != "Pod"]
    judged = judge(workloads, [row for row in found if row["kind"] == "Pod"])
    return Status(
        environment,
        tuple(at_once(lambda pair: _explained(kube, *pair), zip(judged, workloads, strict=True))),
        book,
        holder,
    )


def judge(workloads: Iterable[Manifest], pods: Iterable[Manifest], now: datetime | None = None) -> list[WorkloadStatus]:
    """One WorkloadStatus each, in the same order."""
    by_workload: dict[tuple[str, str, str], list[Manifest]] = defaultdict(list)
    for pod in pods:
        by_workload[_place(pod)].append(pod)
    at = now or datetime.now(UTC)
    return [status_of(workload, by_workload[_place(workload)], at) for workload in workloads]


def status_of(workload: Manifest, pods: Sequence[Manifest], now: datetime) -> WorkloadStatus:
    """`pods`: those that carry the workload's name. A crash is told until what crashed has run on for a while."""
    judged = health(workload)
    crashes = [cause for pod in pods for cause in relapsing(pod, now)] if judged.ready else []
    if crashes:
        judged = Health(False, reason=str(crashes[0]))
    metadata, kind = workload["metadata"], workload["kind"]
    ready, desired = _counts(workload)
    alive = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    return WorkloadStatus(
        name=_labels(workload).get(WORKLOAD, metadata["name"]),
        component=_labels(workload).get(COMPONENT, ""),
        kind=kind,
        namespace=metadata["namespace"],
        object=metadata["name"],
        healthy=judged.ready,
        ready=ready,
        desired=desired,
        versions=_versions(_template(workload)),
        serving=_serving(alive),
        restarts=sum(_restarts(pod) for pod in alive),
        reason="" if judged.ready else judged.reason,
        track=_labels(workload).get(TRACK_LABEL, ""),
        warm_until=(metadata.get("annotations") or {}).get(warmth.UNTIL, ""),
    )


def _explained(kube: Kube, judged: WorkloadStatus, workload: Manifest) -> WorkloadStatus:
    if judged.healthy:
        return judged
    try:
        about = kube.run(gather(kube.server, workload))
    except TurnoutError:
        return judged
    found = health(workload, about)
    if found.ready:
        return replace(judged, causes=tuple(map(str, _crashes(about))))
    return replace(judged, reason=found.reason, causes=tuple(map(str, found.causes)))


def _crashes(about: Related) -> list[Cause]:
    """What crashes by turns, wherever it stands by now."""
    now = datetime.now(UTC)
    found = [(causes(pod, about.events, about.logs), relapsing(pod, now, about.logs)) for pod in about.pods]
    return [cause for down, relapses in found for cause in down or relapses]


def _lister(kube: Kube, selector: str, api_version: str, kind: str, namespace: str) -> Any:
    def work() -> list[Manifest]:
        found = kube.list(api_version, kind, namespace, labels=selector)
        return [{**row, "apiVersion": api_version, "kind": kind} for row in found]

    return work


def _counts(workload: Manifest) -> tuple[int, int]:
    status, spec = workload.get("status") or {}, workload.get("spec") or {}
    if workload["kind"] == "CronJob":
        return 0, 0
    if workload["kind"] == "DaemonSet":
        return status.get("numberReady", 0), status.get("desiredNumberScheduled", 0)
    return status.get("readyReplicas", 0), spec.get("replicas", 1)


def _template(workload: Manifest) -> Mapping[str, Any]:
    spec = workload.get("spec") or {}
    if workload["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    found: Mapping[str, Any] = spec["template"]["spec"]
    return found


def _versions(pod_spec: Mapping[str, Any]) -> tuple[str, ...]:
    """The tags of its images (or the first digits of their digests), the main container first."""
    return tuple(dict.fromkeys(version(container["image"]) for container in pod_spec.get("containers") or []))


def version(image: str) -> str:
    """`1.2.0` of `registry:5000/agents:1.2.0@sha256:…`."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return tag or digest.removeprefix("sha256:")[:12] or "latest"


def _serving(pods: Iterable[Manifest]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for pod in pods:
        if is_ready(pod):
            counts[version(pod["spec"]["containers"][0]["image"])] += 1
    return dict(sorted(counts.items()))


def _restarts(pod: Manifest) -> int:
    return sum(row.get("restartCount", 0) for row in (pod.get("status") or {}).get("containerStatuses") or [])


def _place(manifest: Manifest) -> tuple[str, str, str]:
    found = _labels(manifest)
    return (
        manifest["metadata"]["namespace"],
        found.get(WORKLOAD, manifest["metadata"]["name"]),
        found.get(TRACK_LABEL, ""),
    )


def _labels(manifest: Manifest) -> Mapping[str, str]:
    return manifest["metadata"].get("labels") or {}
