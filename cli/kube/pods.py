"""Why a pod does not run: pure, from the pod, its events and its log lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from cli.kube.requests import Object

What = Literal["image", "crash", "schedule", "probe", "config", "volume", "quota", "deadline", "exit", "start"]
Logs = Mapping[tuple[str, str], Sequence[str]]
"""(pod, container) → its last lines."""

IMAGE = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError")
CONFIG = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
UNSTARTED = ("StartError", "ContainerCannotRun")
HOPELESS = ("ErrImageNeverPull", "InvalidImageName")
STARTING, START = ("ContainerCreating", "PodInitializing"), timedelta(seconds=5)
"""What a container waits for until it runs, and how long that may go on without anything being wrong."""
STEADY, LONGEST = timedelta(seconds=10), timedelta(minutes=1)
"""A container that crashed has to run as long as it did before, but between these two, to count as steady again."""


@dataclass(frozen=True)
class Cause:
    """One reason why something is not ready. `log` holds the container's last lines, where they tell why."""

    what: What
    where: str
    message: str
    log: tuple[str, ...] = ()
    hopeless: bool = False

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}"
        if not self.log:
            return text
        return "\n".join([f"{text}; its last lines:", *(f"    {line}" for line in self.log)])


def is_ready(pod: Object) -> bool:
    return condition(pod, "Ready").get("status") == "True"


def condition(obj: Object, kind: str) -> Mapping[str, Any]:
    """The status condition of that type, or an empty one."""
    rows = (obj.get("status") or {}).get("conditions") or []
    return next((row for row in rows if row.get("type") == kind), {})


def causes(pod: Object, events: Sequence[Object] = (), logs: Logs | None = None) -> list[Cause]:
    """Everything that keeps this pod from being ready, the most telling first; empty for a ready or finished one."""
    phase = (pod.get("status") or {}).get("phase")
    if is_ready(pod) or phase == "Succeeded" or pod["metadata"].get("deletionTimestamp"):
        return []
    own = [event for event in events if event.get("involvedObject", {}).get("name") == pod["metadata"]["name"]]
    found = [*_unscheduled(pod), *_containers(pod, own, logs or {})]
    return found or [*_volumes(pod, own), *_evicted(pod)]


def crashed_containers(pod: Object) -> list[tuple[str, bool]]:
    """(container, read the previous run's log) for each container whose log may tell why it ended."""
    return [
        (status["name"], _ended(status.get("state")) is None)
        for status in _statuses(pod)
        if (ended := _last_end(status)) and (ended.get("exitCode") or _waiting(status) or not status.get("ready"))
    ]


def is_slow(pod: Object, now: datetime) -> bool:
    """Whether it has had a node for longer than a start takes, and a container waits still: events may tell why."""
    since: str = condition(pod, "PodScheduled").get("lastTransitionTime", "")
    waits = any(_waiting(status).get("reason") in STARTING for status in _statuses(pod))
    return waits and bool(since) and now - _moment(since) > START


def relapsing(pod: Object, now: datetime, logs: Logs | None = None) -> list[Cause]:
    """What crashed and has not run on for long enough: between two crashes its pod may be ready, and look well."""
    phase = (pod.get("status") or {}).get("phase")
    if pod["metadata"].get("deletionTimestamp") or phase in ("Failed", "Succeeded"):
        return []
    name = pod["metadata"]["name"]
    return [
        _crashed(
            f"{_pod(pod)}, container {status['name']}", status, ended, (logs or {}).get((name, status["name"]), ())
        )
        for status in (pod.get("status") or {}).get("containerStatuses") or []
        if (ended := _last_end(status)) and ended.get("exitCode") and not _is_steady(status, ended, now)
    ]


def _is_steady(status: Object, ended: Mapping[str, Any], now: datetime) -> bool:
    since: str = ((status.get("state") or {}).get("running") or {}).get("startedAt", "")
    return bool(since) and now - _moment(since) >= min(max(STEADY, _lasted(ended)), LONGEST)


def _lasted(ended: Mapping[str, Any]) -> timedelta:
    began, finished = ended.get("startedAt"), ended.get("finishedAt")
    return _moment(finished) - _moment(began) if began and finished else timedelta()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _unscheduled(pod: Object) -> Iterator[Cause]:
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        message = scheduled.get("message") or scheduled.get("reason") or "no node fits"
        yield Cause("schedule", _pod(pod), f"cannot be scheduled: {message}")


def _containers(pod: Object, events: Sequence[Object], logs: Logs) -> Iterator[Cause]:
    for status in _statuses(pod):
        if cause := _container(pod, status, events, logs):
            yield cause


def _container(pod: Object, status: Object, events: Sequence[Object], logs: Logs) -> Cause | None:
    where = f"{_pod(pod)}, container {status['name']}"
    waiting = _waiting(status)
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason in IMAGE:
        text = f"its image {status.get('image')} cannot be had: {_pull_error(events, status) or message or reason}"
        return Cause("image", where, text, hopeless=reason in HOPELESS)
    if reason in CONFIG:
        return Cause("config", where, f"cannot be started: {message or reason}")
    if ended := _last_end(status):
        log = logs.get((pod["metadata"]["name"], status["name"]), ())
        return _crash(where, status, ended, log)
    if not status.get("ready") and "running" in (status.get("state") or {}):
        return _probe(where, status, events)
    return None


def _crash(where: str, status: Object, ended: Mapping[str, Any], log: Sequence[str]) -> Cause | None:
    code, reason = ended.get("exitCode"), ended.get("reason", "")
    if status.get("ready") or (code == 0 and reason == "Completed" and not _waiting(status)):
        return None
    return _crashed(where, status, ended, log)


def _crashed(where: str, status: Object, ended: Mapping[str, Any], log: Sequence[str]) -> Cause:
    code, reason = ended.get("exitCode"), ended.get("reason", "")
    if reason in UNSTARTED:
        return Cause("config", where, f"cannot be started: {' '.join(ended.get('message', reason).split())}")
    restarts = status.get("restartCount", 0)
    times = f", restarted {restarts} time{'s' * (restarts != 1)}" if restarts else ""
    how = "was killed: out of memory" if reason == "OOMKilled" else f"ended with exit code {code}"
    loop = "crash-loops: it " if _waiting(status).get("reason") == "CrashLoopBackOff" else ""
    said = ended.get("message", "").strip()
    return Cause("crash", where, f"{loop}{how}{times}" + (f" ({said})" if said and not log else ""), tuple(log))


def _probe(where: str, status: Object, events: Sequence[Object]) -> Cause | None:
    failed = _latest(event for event in events if event.get("reason") == "Unhealthy" and _names(event, status["name"]))
    if failed:
        return Cause("probe", where, " ".join(str(failed.get("message", "")).split()))
    if status.get("started") is False:
        return Cause("start", where, "runs, but has not started up yet")
    return Cause("probe", where, "runs, but is not ready yet")


def _volumes(pod: Object, events: Sequence[Object]) -> Iterator[Cause]:
    failed = _latest(event for event in events if event.get("reason") in ("FailedMount", "FailedAttachVolume"))
    if failed:
        yield Cause("volume", _pod(pod), str(failed.get("message", "")))
    sandbox = _latest(event for event in events if event.get("reason") == "FailedCreatePodSandBox")
    if sandbox:
        yield Cause("start", _pod(pod), str(sandbox.get("message", "")))


def _evicted(pod: Object) -> Iterator[Cause]:
    status = pod.get("status") or {}
    if status.get("phase") == "Failed":
        yield Cause("exit", _pod(pod), f"failed: {status.get('message') or status.get('reason') or 'no reason given'}")


def _pull_error(events: Sequence[Object], status: Object) -> str:
    failed = _latest(
        event
        for event in events
        if event.get("reason") == "Failed"
        and "image" in str(event.get("message"))
        and _names(event, status["name"])
        and not str(event.get("message")).startswith("Error: ")
    )
    return " ".join(str(failed.get("message", "")).split()) if failed else ""


def _names(event: Object, container: str) -> bool:
    field = event.get("involvedObject", {}).get("fieldPath", "")
    return not field or f"{{{container}}}" in field


def _latest(events: Iterable[Object]) -> Object | None:
    return max(events, key=seen_at, default=None)


def seen_at(event: Object) -> str:
    """When an event was last seen (RFC 3339, so it sorts as text)."""
    series = event.get("series") or {}
    return str(
        series.get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or event["metadata"].get("creationTimestamp")
        or ""
    )


def _statuses(pod: Object) -> list[Object]:
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def _waiting(status: Object) -> Mapping[str, Any]:
    return (status.get("state") or {}).get("waiting") or {}


def _ended(state: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return (state or {}).get("terminated")


def _last_end(status: Object) -> Mapping[str, Any] | None:
    return _ended(status.get("state")) or _ended(status.get("lastState"))


def _pod(pod: Object) -> str:
    return f"pod {pod['metadata']['name']}"
