"""What can be asked of an API server, as conversations without any I/O.

An operation is a generator: it yields a `Request` (and is sent the `Answer`, or thrown a `Broken`) or a `Pause` in
seconds, and returns its result. `client.Kube` carries it out on a blocking connection, `aio.AsyncKube` on an asyncio
loop: retries, paging, discovery and the reading back of unknown outcomes are here, once.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from cli.kube import kinds, ownership, requests
from cli.kube.errors import AlreadyExists, Conflict, Invalid, KubeError, NotFound, UnknownKind, Unreachable, from_answer
from cli.kube.kinds import Kind
from cli.kube.requests import Answer, Object, PatchType, Propagation, Request, Write
from cli.kube.retry import Lost, Policy


@dataclass(frozen=True)
class Pause:
    seconds: float


class Broken(Exception):
    """Thrown into an operation by its driver when no answer came."""

    def __init__(self, lost: Lost) -> None:
        super().__init__(lost.why)
        self.lost = lost


HAND_OVER_PAUSES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds before each further try, while controllers write to the object all the time."""

T = TypeVar("T")
Deletion = Literal["absent", "gone", "going"]
Operation = Generator[Request | Pause, Answer, T]


@dataclass
class Server:
    """What is known about one API server: its kinds (learned once) and how patient to be with it."""

    policy: Policy = field(default_factory=Policy)
    known: dict[tuple[str, str], Kind] = field(default_factory=lambda: dict(kinds.BUILT_IN))
    _discovered: set[str] = field(default_factory=set)

    def exchange(self, request: Request) -> Operation[Answer]:
        """The answer to a request, asked again where that is safe and useful."""
        attempt = 0
        while True:
            attempt += 1
            outcome = yield from _once(request)
            if isinstance(outcome, Answer) and outcome.status < 400:
                return outcome
            pause = self.policy.pause(request, outcome, attempt)
            if pause is None:
                raise _error(request, outcome)
            yield Pause(pause)

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
        request = requests.create(row, manifest, write)
        try:
            return (yield from self._object(request))
        except KubeError as error:
            if isinstance(error, AlreadyExists) or not _outcome_unknown(error):
                raise
        return (yield from self._settle_create(row, request, manifest, write))

    def apply(self, manifest: Object, write: Write) -> Operation[Object]:
        row = yield from self.kind(manifest["apiVersion"], manifest["kind"])
        return (yield from self._object(requests.apply(row, manifest, write)))

    def replace(self, manifest: Object, write: Write, subresource: str | None = None) -> Operation[Object]:
        row = yield from self.kind(manifest["apiVersion"], manifest["kind"])
        return (yield from self._object(requests.replace(row, manifest, write, subresource)))

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
        return (yield from self._object(request))

    def hand_over(self, live: Object, manager: str) -> Operation[Object]:
        """Fields that a POST or kubectl set become `manager`'s: its apply can then remove them, and needs no force.

        Raises Conflict or Invalid when the object never rests for long enough: going on would keep removed fields.
        """
        metadata = live["metadata"]
        place = (live["apiVersion"], live["kind"], metadata["name"], metadata.get("namespace"))
        for pause in HAND_OVER_PAUSES:
            patch = ownership.handover_patch(live, manager)
            if patch is None:
                return live
            try:
                return (yield from self.patch(*place, patch, Write(manager), how="json"))
            except (Conflict, Invalid):
                yield Pause(pause)
                live = yield from self.get(*place)
        patch = ownership.handover_patch(live, manager)
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
        try:
            answer = yield from self._object(requests.delete(row, namespace, name, **options))  # type: ignore[arg-type]
        except NotFound:
            return "absent"
        return "gone" if answer.get("kind") == "Status" else "going"

    def text(self, request: Request) -> Operation[str]:
        """The answer as text (logs, a proxied page)."""
        answer = yield from self.exchange(request)
        return answer.body.decode(errors="replace")

    def _object(self, request: Request) -> Operation[Object]:
        answer = yield from self.exchange(request)
        result: Object = answer.json()
        return result

    def _discover(self, api_version: str) -> Operation[None]:
        if api_version in self._discovered:
            return
        try:
            answer = yield from self._object(requests.discover(kinds.group_path(api_version)))
        except NotFound:
            return
        self.known.update(kinds.from_discovery(answer))
        self._discovered.add(api_version)

    def _settle_create(self, row: Kind, request: Request, manifest: Object, write: Write) -> Operation[Object]:
        namespace, name = requests.place(manifest)
        try:
            live = yield from self._object(requests.get(row, namespace, name))
        except NotFound:
            return (yield from self._object(request))
        if made_by(live, manifest, write.manager):
            return live
        raise AlreadyExists(f"it exists already: {request.action}", why="another writer made it", status=409)


def made_by(live: Object, manifest: Object, manager: str) -> bool:
    """Whether `live` is what creating `manifest` under `manager` gives."""
    managers = {entry.get("manager") for entry in live["metadata"].get("managedFields", [])}
    return manager in managers and contains(live, manifest)


def contains(live: Any, wanted: Any) -> bool:
    """Whether everything in `wanted` is in `live` (lists as long and in the same order)."""
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(contains(live.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(live, list) and len(live) == len(wanted) and all(map(contains, live, wanted))
    return bool(live == wanted)


def _once(request: Request) -> Generator[Request | Pause, Answer, Answer | Lost]:
    try:
        return (yield request)
    except Broken as broken:
        return broken.lost


def _error(request: Request, outcome: Answer | Lost) -> KubeError:
    if isinstance(outcome, Answer):
        return from_answer(request.action, outcome.status, outcome.body)
    why = outcome.why
    if outcome.sent and not request.repeatable:
        why = f"{why}; whether the change was made is unknown"
    return Unreachable(
        f"no answer from the API server: {request.action}",
        why=why,
        next="check the address and the network (kubectl cluster-info), or start the sandbox: turnout sandbox up",
    )


def _outcome_unknown(error: KubeError) -> bool:
    return isinstance(error, Unreachable) or error.status in (500, 502, 504)


def events(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Cut a streamed body into its lines."""
    rest = b""
    for chunk in lines:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line for line in whole if line)
    if rest:
        yield rest
