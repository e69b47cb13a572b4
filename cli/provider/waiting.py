"""Waiting until an object is ready or gone, saying why it is not."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from contextlib import suppress

from cli.kube.aio import AsyncKube
from cli.kube.errors import KubeError, Stopped
from cli.kube.health import Health, by_convention, health, is_judged, serves_nobody
from cli.kube.related import WITH_PODS, Related, gather
from cli.kube.requests import Object
from cli.provider import marks, waitfor
from cli.provider.host import Host
from cli.provider.objects import Outcome
from cli.provider.values import Properties
from cli.provider.watches import Sight, Watches

LOOK_EVERY = 3.0
"""Seconds between two looks for the reason why something is not ready."""
LOOKS_A_SECOND = 10.0
"""At most, of all waits for what has pods: each look has the API server go through those of a whole namespace."""
JUDGED_BY_OTHERS = ("Service", "PersistentVolumeClaim")
"""Kinds whose health is told by other objects: those are looked at once a second."""
LOOKED_AT = ("Deployment", "StatefulSet", "DaemonSet", "Job", "Pod", "Service", "Ingress")
"""Kinds whose health a refresh asks for."""
NO_WAIT_ON_DELETE = ("Namespace", "Pod", "ReplicationController", "DaemonSet", "Deployment", "StatefulSet", "Job")
"""Kinds for which skipAwait also holds for their deletion (as with the official provider)."""
AWAITED = frozenset(
    (
        *(("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), ("batch", "Job"), ("", "Pod")),
        *(("", "PersistentVolume"), ("", "PersistentVolumeClaim"), ("", "ReplicationController"), ("", "Secret")),
        *(("", "ResourceQuota"), ("", "Service"), ("networking.k8s.io", "Ingress")),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
    )
)
"""Kinds that are waited for without being asked to (as with the official provider, and definitions)."""
AWAIT_ALL = "PULUMI_K8S_AWAIT_ALL"
"""The environment's wish that all other kinds are waited for, too."""
TIMEOUTS = {
    "PersistentVolume": 300.0,
    "PersistentVolumeClaim": 300.0,
    "ResourceQuota": 60.0,
    "Secret": 5.0,
}
"""Seconds that a kind is waited for where nothing else is asked for, if not ten minutes."""
SETTLED = 10.0
"""Seconds after which a Service that selects no pods at all counts as ready."""


class Waiting:
    """Waits for objects of one cluster. `cancelled` ends every wait with what is known then."""

    def __init__(self, kube: AsyncKube, watches: Watches, host: Host, cancelled: asyncio.Event) -> None:
        self._kube, self._watches, self._host, self._cancelled = kube, watches, host, cancelled
        self._waits = 0

    async def until_ready(self, live: Object, inputs: Properties, custom: float) -> Outcome:
        """Wait as this kind is waited for (or as its annotations say); `custom`: the resource's own timeout, or 0."""
        expressions = marks.wait_for(inputs)
        if marks.is_true(inputs, marks.SKIP_AWAIT) or not (expressions or is_awaited(live)):
            return Outcome(live)
        seconds = marks.timeout(inputs, custom, TIMEOUTS.get(live["kind"], marks.DEFAULT_TIMEOUT))
        if _judge(live, expressions, Related()).ready:
            return Outcome(live)
        self._waits += (has_pods := live["kind"] in WITH_PODS)
        try:
            async with self._watches.sight(live) as sight:
                outcome = await self._watch_until_ready(sight, live, expressions, time.monotonic() + seconds)
        except KubeError as error:
            outcome = Outcome(live, [f"whether it is ready cannot be told: {error}"])
        finally:
            self._waits -= has_pods
            await self._host.done()
        return outcome

    async def until_gone(self, live: Object, inputs: Properties, seconds: float) -> Outcome:
        """Wait until the object (this very one, by its uid) is no longer there.

        Cancelled, it counts as gone: nothing takes a deletion back, and a state that kept it would not make it anew.
        """
        if marks.is_true(inputs, marks.SKIP_AWAIT) and live["kind"] in NO_WAIT_ON_DELETE:
            return Outcome(live)
        until = time.monotonic() + seconds
        try:
            async with self._watches.sight(live) as sight:
                return await self._watch_until_gone(sight, live, until)
        finally:
            await self._host.done()

    async def look(self, live: Object, inputs: Properties) -> Outcome:
        """How it is now, without waiting (a refresh)."""
        if live["kind"] not in LOOKED_AT or marks.is_true(inputs, marks.SKIP_AWAIT) or health(live).ready:
            return Outcome(live)
        about = await self._related(live)
        verdict = health(live, about)
        return Outcome(live, () if verdict.ready or serves_nobody(live, about) else verdict.lines())

    async def _watch_until_gone(self, sight: Sight, live: Object, until: float) -> Outcome:
        while (obj := sight.current) and _is_same(obj, live):
            state = f"being deleted{_held(obj)}"
            if self._cancelled.is_set():
                return Outcome(obj)
            if ended := self._ended(until, f"{live['kind']} {live['metadata']['name']} is still {state}"):
                return Outcome(obj, ended)
            await self._host.status(state)
            await self._pause(sight, until, LOOK_EVERY)
        return Outcome(live)

    async def _watch_until_ready(self, sight: Sight, last: Object, expressions: Sequence[str], until: float) -> Outcome:
        about, looked = Related(), 0.0
        began = time.monotonic()
        while (obj := sight.current) is not None:
            last = obj
            now, every = time.monotonic(), look_every(obj["kind"], self._waits)
            if now - looked >= every and (looked or now - began >= every or last["kind"] in JUDGED_BY_OTHERS):
                about, looked = await self._related(obj), now
            verdict = _judge(obj, expressions, about)
            if verdict.ready or (now - began > SETTLED and not expressions and serves_nobody(obj, about)):
                return Outcome(obj)
            if verdict.failed:
                return Outcome(obj, await self._reasons(obj, verdict))
            if ended := self._ended(until, verdict.reason):
                return Outcome(obj, [*ended, *(await self._reasons(obj, verdict))[1:]])
            await self._host.status(_headline(verdict))
            await self._pause(sight, until, min(every, LOOK_EVERY))
        return Outcome(last, [f"{last['kind']} {last['metadata']['name']} was deleted by somebody else meanwhile"])

    async def rest(self, seconds: float, reason: str) -> None:
        """Pause, saying why; a Cancel ends it. Raises Stopped."""
        await self._host.status(reason)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._cancelled.wait(), seconds)
        if self._cancelled.is_set():
            raise Stopped(f"cancelled while {reason}")
        await self._host.done()

    async def _related(self, obj: Object) -> Related:
        if (obj["apiVersion"], obj["kind"]) == ("v1", "Service"):
            return Related(slices=await self._watches.endpoints.of(obj))
        try:
            return await self._kube.run(gather(self._kube.server, obj))
        except KubeError:
            return Related()

    async def _reasons(self, obj: Object, verdict: Health) -> list[str]:
        """A fresh look at the causes: they are what the user gets to read."""
        fresh = health(obj, await self._related(obj))
        return [verdict.reason, *map(str, fresh.causes or verdict.causes)]

    async def _pause(self, sight: Sight, until: float, seconds: float) -> None:
        change = asyncio.ensure_future(sight.change(min(seconds, until - time.monotonic())))
        cancelled = asyncio.ensure_future(self._cancelled.wait())
        await asyncio.wait((change, cancelled), return_when=asyncio.FIRST_COMPLETED)
        cancelled.cancel()
        if change.done():
            change.result()
        change.cancel()

    def _ended(self, until: float, reason: str) -> list[str]:
        if self._cancelled.is_set():
            return [f"cancelled while: {reason}"]
        return [f"timed out: {reason}"] if time.monotonic() >= until else []


def _judge(obj: Object, expressions: Sequence[str], about: Related) -> Health:
    if expressions:
        return waitfor.judge(obj, expressions)
    return health(obj, about) if is_judged(obj) else by_convention(obj)


def look_every(kind: str, waits: int) -> float:
    """Seconds between two looks why an object is not ready, while so many that have pods are waited for."""
    if kind in JUDGED_BY_OTHERS:
        return 1.0
    return max(LOOK_EVERY, waits / LOOKS_A_SECOND) if kind in WITH_PODS else LOOK_EVERY


def is_awaited(obj: Object) -> bool:
    """Whether this kind is waited for without being asked to."""
    group = obj["apiVersion"].rpartition("/")[0]
    return (group, obj["kind"]) in AWAITED or os.environ.get(AWAIT_ALL) == "true"


def _headline(verdict: Health) -> str:
    cause = verdict.causes[0] if verdict.causes else None
    if cause is None:
        return verdict.reason
    last = f": {cause.log[-1]}" if cause.log else ""
    return f"{verdict.reason}; {cause.where}: {cause.message}{last}"


def _is_same(obj: Object, live: Object) -> bool:
    known = live["metadata"].get("uid")
    return not known or obj["metadata"].get("uid") == known


def _held(obj: Object) -> str:
    names = [name for name in obj["metadata"].get("finalizers") or [] if name != "foregroundDeletion"]
    return f" (held by {', '.join(names)})" if names else ""
