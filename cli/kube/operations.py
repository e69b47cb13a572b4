"""What can be asked of an API server, as conversations without any I/O.

An operation is a generator: it yields a `Request` (and is sent the `Answer`, or thrown a `Broken`) or a `Pause` in
seconds (and is thrown a `Stopped` when nobody wants to wait any longer), and returns its result. `client.Kube` carries
it out on a blocking connection, `aio.AsyncKube` on an asyncio loop: retries, paging, discovery and the reading back of
unknown outcomes are here, once.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Generator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from cli.kube import afterwards, kinds, ownership, requests
from cli.kube.errors import (
    AlreadyExists,
    Conflict,
    Invalid,
    KubeError,
    NotFound,
    Stopped,
    UnknownKind,
    Unreachable,
    Unsettled,
    from_answer,
)
from cli.kube.kinds import Kind
from cli.kube.requests import Answer, Object, PatchType, Propagation, Request, Write
from cli.kube.retry import DOUBTFUL, Lost, Policy, Tries


@dataclass(frozen=True)
class Pause:
    seconds: float


class Broken(Exception):
    """Thrown into an operation by its driver when no answer came."""

    def __init__(self, lost: Lost) -> None:
        super().__init__(lost.why)
        self.lost = lost


HandingOver = Callable[[Object, str], list[Object] | None]
HAND_OVER_PAUSES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds before each further try, while controllers write to the object all the time."""

STOP: ContextVar[asyncio.Event | None] = ContextVar("stop", default=None)
"""Once set, what an asyncio driver runs in this context no longer waits to ask again."""
T = TypeVar("T")
Deletion = Literal["absent", "gone", "going"]
Operation = Generator[Request | Pause, Answer, T]


@dataclass
class Server:
    """What is known about one API server: its kinds (learned once) and how patient to be with it."""

    policy: Policy = field(default_factory=Policy)
    clock: Callable[[], float] = time.monotonic
    reached: bool = False
    known: dict[tuple[str, str], Kind] = field(default_factory=lambda: dict(kinds.BUILT_IN))
    explain: Callable[[KubeError], KubeError] = lambda error: error
    """What every refusal goes through before it is raised, so that it can say more."""
    _discovered: set[str] = field(default_factory=set)

    def exchange(self, request: Request, tries: Tries | None = None) -> Operation[Answer]:
        """The answer to a request, asked again where that is safe and useful."""
        tries = tries or self._tries()
        while True:
            outcome = yield from _once(request)
            if isinstance(outcome, Answer):
                self.reached = True
                if outcome.ok:
                    return outcome
            tries.note(outcome)
            pause = tries.pause(request, outcome, reached=self.reached)
            if pause is None:
                raise self.explain(_error(request, outcome))
            try:
                yield Pause(pause)
            except Stopped:
                raise self.explain(_error(request, outcome)) from None

    def kind(self, api_version: str, kind: str) -> Operation[Kind]:
        """The kind's place on this server. Raises UnknownKind."""
        if found := self.known.get((api_version, kind)):
            return found
        yield from self._discover(api_version)
        if found := self.known.get((api_version, kind)):
            return found
        raise UnknownKind(
            f"this cluster has no kind {kind} in {api_version}",
            why="no CustomResourceDefinition or API group serves it (yet)",
            next="install what brings this kind first, or let the object depend on it; see: kubectl api-resources",
            status=404,
        )

    def forget(self, api_version: str) -> None:
        """Ask the server again about the kinds of a group (one was just installed or removed)."""
        self._discovered.discard(api_version)
        for key in [key for key in self.known if key[0] == api_version and key not in kinds.BUILT_IN]:
            del self.known[key]

    def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Operation[Object]:
        row = yield from self.kind(api_version, kind)
        return (yield from self._object(requests.get(row, namespace, name)))

    def find(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Operation[Object | None]:
        """The object, or None when it (or its whole kind) is not there."""
        try:
            return (yield from self.get(api_version, kind, name, namespace))
        except (NotFound, UnknownKind):
            return None

    def list(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
    ) -> Operation[Object]:
        """A List object with the `items` of every page, each with its apiVersion and kind."""
        row = yield from self.kind(api_version, kind)
        items: list[Object] = []
        token = None
        while True:
            request = requests.list_(row, namespace, labels=labels, fields=fields, token=token)
            page = yield from self._object(request)
            items += [{"apiVersion": api_version, "kind": kind, **item} for item in page.get("items") or []]
            token = page["metadata"].get("continue")
            if not token:
                return {**page, "items": items}

    def create(self, manifest: Object, write: Write) -> Operation[Object]:
        """Make a new object. When the connection is lost after sending, what really happened is read back."""
        row = yield from self.kind(manifest["apiVersion"], manifest["kind"])
        request, tries = requests.create(row, manifest, write), self._tries()
        while True:
            try:
                return (yield from self._object(request, tries))
            except KubeError as error:
                if write.dry_run or not tries.doubt or not (isinstance(error, AlreadyExists) or _is_doubtful(error)):
                    raise
                if (made := (yield from self._made(row, manifest, write, tries))) is not None:
                    return made
                pause = tries.pause(_repeatable(request), Lost(str(error), sent=True), reached=True)
                if pause is None or isinstance(error, AlreadyExists):
                    raise
            yield Pause(pause)

    def apply(self, manifest: Object, write: Write) -> Operation[Object]:
        """Server-side apply. A write of somebody else's that came between is no conflict unless fields clash."""
        row = yield from self.kind(manifest["apiVersion"], manifest["kind"])
        return (yield from self._between_others(requests.apply(row, manifest, write), manifest))

    def replace(self, manifest: Object, write: Write, subresource: str | None = None) -> Operation[Object]:
        """PUT an object. Raises Conflict when somebody else changed it since its resourceVersion."""
        row = yield from self.kind(manifest["apiVersion"], manifest["kind"])
        return (yield from self._guarded(row, requests.replace(row, manifest, write, subresource), manifest))

    def patch(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None,
        body: Object | list[Object],  # type: ignore[valid-type]
        write: Write,
        *,
        how: PatchType = "merge",
        subresource: str | None = None,
    ) -> Operation[Object]:
        row = yield from self.kind(api_version, kind)
        request = requests.patch(row, namespace, name, body, write, how=how, subresource=subresource)
        if isinstance(body, list):
            return (yield from self._object(request))
        if requests.is_guarded(body):
            place = {"name": name, "namespace": namespace} if namespace else {"name": name}
            return (yield from self._guarded(row, request, {**body, "metadata": {**body["metadata"], **place}}))
        return (yield from self._between_others(request, body))

    def hand_over(
        self, live: Object, manager: str, patched: HandingOver = ownership.handover_patch
    ) -> Operation[Object]:
        """Fields that a POST or kubectl set become `manager`'s: its apply can then remove them, and needs no force.

        `patched` gives the JSON patch for the object as it is now, None where there is nothing to hand over. Raises
        Conflict or Invalid when the object never rests for long enough: going on would keep removed fields.
        """
        metadata = live["metadata"]
        place = (live["apiVersion"], live["kind"], metadata["name"], metadata.get("namespace"))
        for pause in HAND_OVER_PAUSES:
            patch = patched(live, manager)
            if patch is None:
                return live
            try:
                return (yield from self.patch(*place, patch, Write(manager), how="json"))
            except (Conflict, Invalid):
                yield Pause(pause)
                live = yield from self.get(*place)
        patch = patched(live, manager)
        return (yield from self.patch(*place, patch, Write(manager), how="json")) if patch else live

    def delete(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        propagation: Propagation = "Background",
        uid: str | None = None,
        resource_version: str | None = None,
        dry_run: bool = False,
    ) -> Operation[Deletion]:
        """Ask for the deletion: `absent` before, `gone` now, or `going` while dependents or finalizers hold it."""
        row = yield from self.kind(api_version, kind)
        options = {"propagation": propagation, "uid": uid, "resource_version": resource_version, "dry_run": dry_run}
        request, tries = requests.delete(row, namespace, name, **options), self._tries()  # type: ignore[arg-type]
        try:
            answer = yield from self._object(request, tries)
        except NotFound:
            return "gone" if tries.doubt else "absent"
        except Conflict:
            if not (tries.doubt and uid):
                raise
            return "gone"
        return "gone" if answer.get("kind") == "Status" else "going"

    def text(self, request: Request) -> Operation[str]:
        """The answer as text (logs, a proxied page)."""
        answer = yield from self.exchange(request)
        return answer.body.decode(errors="replace")

    def _tries(self) -> Tries:
        return Tries(self.policy, self.clock)

    def _object(self, request: Request, tries: Tries | None = None) -> Operation[Object]:
        answer = yield from self.exchange(request, tries)
        result: Object = answer.json()
        return result

    def _between_others(self, request: Request, body: Object) -> Operation[Object]:
        """A write that names no resourceVersion: the server lost a race with another writer, not we."""
        tries = self._tries()
        while True:
            try:
                return (yield from self._object(request, tries))
            except (Conflict, AlreadyExists) as error:
                if requests.is_guarded(body) or (isinstance(error, Conflict) and error.claims):
                    raise
                pause = tries.pause(_repeatable(request), Lost(str(error), sent=True), reached=True)
                if pause is None:
                    raise
            yield Pause(pause)

    def _guarded(self, row: Kind, request: Request, wanted: Object) -> Operation[Object]:
        """A write that names a resourceVersion: its own repetition conflicts with it, which is read back."""
        tries = self._tries()
        try:
            return (yield from self._object(request, tries))
        except Conflict:
            if not tries.doubt:
                raise
            live = yield from self._object(requests.get(row, *requests.place(wanted)))
            if not afterwards.is_written(live, wanted):
                raise
            return live

    def _discover(self, api_version: str) -> Operation[None]:
        if api_version in self._discovered:
            return
        try:
            answer = yield from self._object(requests.discover(kinds.group_path(api_version)))
        except NotFound:
            return
        self.known.update(kinds.from_discovery(answer))
        self._discovered.add(api_version)

    def _made(self, row: Kind, manifest: Object, write: Write, tries: Tries) -> Operation[Object | None]:
        """What our own create made, if it was carried out. Raises AlreadyExists for somebody else's object."""
        place = requests.place(manifest)
        try:
            answer = yield from self.exchange(requests.get(row, *place))
        except NotFound:
            return None
        except KubeError as error:
            raise _unsettled(requests.create(row, manifest, write), error) from error
        live: Object = answer.json()
        if afterwards.is_recent(live, answer.headers.get("date", ""), tries.spent) and (
            afterwards.made_by(live, manifest, write.manager)
            or (yield from self._changes_nothing(row, live, manifest, write))
        ):
            return live
        raise AlreadyExists(
            f"it exists already: {requests.named(row, *place)}", why="another writer made it", status=409
        )

    def _changes_nothing(self, row: Kind, live: Object, manifest: Object, write: Write) -> Operation[bool]:
        """Whether the server finds the manifest, in its own spelling and with its defaults, in the live object."""
        if not afterwards.is_managed_by(live, write.manager):
            return False
        trial = Write(write.manager, dry_run=True, force=True)
        try:
            tried = yield from self._object(requests.apply(row, manifest, trial))
        except (Conflict, Invalid):
            return False
        return afterwards.is_same(live, tried)


def _once(request: Request) -> Generator[Request | Pause, Answer, Answer | Lost]:
    try:
        answer = yield request
    except Broken as broken:
        return broken.lost
    if answer.ok and request.accept == "application/json" and not answer.is_whole:
        return Lost("the answer was cut short, or is not an API server's", sent=True)
    return answer


def _error(request: Request, outcome: Answer | Lost) -> KubeError:
    if isinstance(outcome, Answer):
        return from_answer(request.action, outcome.status, outcome.body)
    doubtful = outcome.sent and request.method != "GET"
    return Unreachable(
        f"no answer from the API server: {request.action}",
        why=f"{outcome.why}; whether the change was made is unknown" if doubtful else outcome.why,
        next="check the address and the network (kubectl cluster-info), or start the sandbox: turnout sandbox up",
    )


def _is_doubtful(error: KubeError) -> bool:
    return isinstance(error, Unreachable) or error.status in DOUBTFUL


def _repeatable(request: Request) -> Request:
    return dataclasses.replace(request, repeatable=True)


def _unsettled(request: Request, error: KubeError) -> Unsettled:
    return Unsettled(
        f"whether it was done is unknown: {request.action}",
        why=f"its answer was lost, and reading back failed too: {error.message}",
        next=error.next,
        status=error.status,
    )


class Lines:
    """Cuts a streamed body into its lines at each newline and nowhere else: JSON text may hold other separators."""

    def __init__(self) -> None:
        self._rest = b""

    def of(self, chunk: bytes) -> list[bytes]:
        """The lines that end in this chunk."""
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        return [line for line in whole if line]

    def last(self) -> list[bytes]:
        """What the body ends with after its last newline."""
        return [self._rest] if self._rest else []
