"""The components `kubernetes:yaml/v2:ConfigFile` and `ConfigGroup`: manifests registered with the engine one by one.

The provider plays the program's part here: it registers the component and, below it, each object.
"""

from __future__ import annotations

import asyncio
import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from cli.errors import TurnoutError
from cli.protocol import SIGNATURE
from cli.provider import kinds, manifests, marks, ordering, protocol
from cli.provider.cluster import Session
from cli.provider.host import URN
from cli.provider.ordering import Identity
from cli.provider.values import UNKNOWN, Properties, Secret, decode, encode, has_unknown, plain

messages = protocol.provider
FILE, GROUP = "kubernetes:yaml/v2:ConfigFile", "kubernetes:yaml/v2:ConfigGroup"
REFERENCE = "5cf8f73096256a8f31e491e813e4eb8e"
"""The signature of a reference to a resource, as a property value."""
SAME_OPTIONS = (
    *("protect", "providers", "dependencies", "additionalSecretOutputs", "deletedWith", "deleteBeforeReplace"),
    *("ignoreChanges", "replaceOnChanges", "retainOnDelete", "replace_with", "aliases", "replacement_trigger"),
)
"""Options of a component that are registered as they were given."""


@dataclass(frozen=True)
class Registered:
    """An object as the engine has it. `id` is empty while it is not known."""

    urn: str
    id: str

    def reference(self) -> Properties:
        return {SIGNATURE: REFERENCE, "urn": self.urn, "id": self.id, "packageVersion": ""}


async def construct(request: Any, session: Session) -> Any:
    """Register the component and its objects; answers with their references. Raises ValueError, TurnoutError."""
    if request.type not in (FILE, GROUP):
        raise kinds.refused(request.type)
    async with grpc.aio.insecure_channel(request.monitorEndpoint, options=_OPTIONS) as channel:
        return await _Component(request, session, channel).construct()


_OPTIONS = [("grpc.max_receive_message_length", 400 * 1024 * 1024), ("grpc.max_send_message_length", 400 * 1024 * 1024)]


class _Component:
    def __init__(self, request: Any, session: Session, channel: grpc.aio.Channel) -> None:
        self._request, self._session = request, session
        self._resource = protocol.load("resource_pb2")
        self._monitor = protocol.load("resource_pb2_grpc").ResourceMonitorStub(channel)
        self._inputs = decode(request.inputs)

    async def construct(self) -> Any:
        urn = (await self._register(self._component())).urn
        URN.set(urn)
        if has_unknown(self._inputs):
            await self._session.host.warning(_INCOMPLETE)
            return self._answer(urn, {"resources": UNKNOWN}, [])
        children = await self._children(urn)
        return self._answer(urn, {"resources": [child.reference() for child in children]}, children)

    async def _children(self, parent: str) -> list[Registered]:
        """Register each object once all that it waits for is there."""
        tasks: dict[Identity, asyncio.Task[Registered]] = {}
        for obj, needs in ordering.ordered(await self._objects()):
            work = self._child(obj, parent, [tasks[need] for need in needs])
            tasks[ordering.identity(obj)] = asyncio.create_task(work)
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        return [task.result() for task in tasks.values()]

    async def _child(self, obj: Properties, parent: str, needs: Sequence[asyncio.Task[Registered]]) -> Registered:
        dependencies = sorted([(await need).urn for need in needs])
        nothing = self._resource.RegisterResourceRequest.PropertyDependencies()
        return await self._register(
            self._resource.RegisterResourceRequest(
                type=kinds.token(obj["apiVersion"], obj["kind"]),
                name=self._name(obj),
                parent=parent,
                custom=True,
                object=self._session.encode(self._asked(obj)),
                provider=self._request.providers.get("kubernetes", ""),
                dependencies=dependencies,
                propertyDependencies=dict.fromkeys(obj, nothing),
                **_ABILITIES,
            )
        )

    async def _register(self, request: Any) -> Registered:
        try:
            response = await self._monitor.RegisterResource(request)
        except grpc.RpcError as error:
            raise TurnoutError(f"{request.name} could not be registered", why=str(error.details())) from error
        return Registered(response.urn, response.id)

    def _component(self) -> Any:
        asked = self._request
        given = {name: getattr(asked, name) for name in SAME_OPTIONS if _is_given(asked, name)}
        if asked.HasField("deleteBeforeReplace"):
            given["deleteBeforeReplaceDefined"] = True
        request = self._resource.RegisterResourceRequest(
            type=asked.type,
            name=asked.name,
            parent=asked.parent,
            parentStackTraceHandle=asked.stack_trace_handle,
            **given,
            **_ABILITIES,
        )
        for name, theirs in (("customTimeouts", "customTimeouts"), ("hooks", "resource_hooks")):
            if asked.HasField(theirs):
                getattr(request, name).ParseFromString(getattr(asked, theirs).SerializeToString())
        return request

    async def _objects(self) -> list[Properties]:
        session = self._session
        texts = [text for source in self._sources() for text in await _read(source)]
        written = plain(self._inputs.get("yaml")) or ""
        found = [row for text in [*texts, written] for row in manifests.documents(text)]
        if isinstance(self._inputs.get("yaml"), Secret):
            found = [_hidden(row) for row in found]
        declared = _unwrapped(self._inputs.get("objs"))
        namespace = session.settings.namespace or session.cluster.namespace
        found = manifests.normalise([*found, *declared])
        session.cluster.defined |= manifests.defined(found)
        return manifests.placed(found, namespace, await session.cluster.scopes(found))

    def _sources(self) -> list[tuple[str, bool]]:
        """(path or address, whether it may be a pattern)."""
        if self._request.type == FILE:
            return [(str(plain(self._inputs.get("file")) or ""), False)]
        return [(str(name), True) for name in plain(self._inputs.get("files")) or []]

    def _name(self, obj: Properties) -> str:
        prefix = plain(self._inputs.get("resourcePrefix"))
        prefix = self._request.name if prefix is None else prefix
        own = kinds.object_id(plain(obj))
        return f"{prefix}:{own}" if prefix else own

    def _asked(self, obj: Properties) -> Properties:
        if plain(self._inputs.get("skipAwait")) is True:
            metadata = obj["metadata"]
            notes = {**(metadata.get("annotations") or {}), marks.SKIP_AWAIT: "true"}
            obj = {**obj, "metadata": {**metadata, "annotations": notes}}
        if (obj["apiVersion"], obj["kind"]) != ("v1", "Secret"):
            return obj
        return {key: Secret(plain(value)) if key in ("data", "stringData") else value for key, value in obj.items()}

    def _answer(self, urn: str, state: Properties, children: Sequence[Registered]) -> Any:
        behind = {child.urn for child in children}
        for dependencies in self._request.inputDependencies.values():
            behind.update(dependencies.urns)
        of = messages.ConstructResponse.PropertyDependencies(urns=sorted(behind))
        return messages.ConstructResponse(urn=urn, state=encode(state), stateDependencies={"resources": of})


_INCOMPLETE = "not all of its inputs are known yet: this preview lacks the objects that it is made of"
_IDENTITY = ("apiVersion", "kind", "metadata")
_ABILITIES: Mapping[str, bool] = {
    "acceptSecrets": True,
    "acceptResources": True,
    "supportsPartialValues": True,
    "supportsResultReporting": True,
    "aliasSpecs": True,
}


async def _read(source: tuple[str, bool]) -> list[str]:
    """The texts at an address, or in the files that a path, or pattern, names."""
    name, pattern = source
    if "://" in name:
        return [await _fetch(name)]
    files = [name]
    if pattern and glob.has_magic(name):
        files = sorted(glob.glob(name, include_hidden=True))  # noqa: PTH207 -- a pattern as it was written
    try:
        return [Path(file).read_text() for file in files]
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the manifests cannot be read: {error}") from error


async def _fetch(address: str) -> str:
    import httpx2

    try:
        async with httpx2.AsyncClient(follow_redirects=True, timeout=30) as client:
            response = (await client.get(address)).raise_for_status()
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise ValueError(f"the manifests at {address} cannot be fetched: {error}") from error
    return response.text


def _hidden(row: Any) -> Any:
    """What came out of a secret text stays secret, less what tells which object it is."""
    if not isinstance(row, dict) or isinstance(row.get("items"), list):
        return row
    return {key: value if key in _IDENTITY else Secret(value) for key, value in row.items()}


def _unwrapped(objects: Any) -> list[Any]:
    """The objects as a list, their identity readable; what is secret inside of each stays so."""
    if isinstance(objects, Secret):
        return [_hidden(row) for row in plain(objects)]
    return [_readable(_hidden(plain(row)) if isinstance(row, Secret) else row) for row in objects or []]


def _readable(row: Any) -> Any:
    return {key: plain(row[key]) if key in _IDENTITY else row[key] for key in row} if isinstance(row, dict) else row


def _is_given(request: Any, name: str) -> bool:
    field = request.DESCRIPTOR.fields_by_name[name]
    return request.HasField(name) if field.has_presence else bool(getattr(request, name))
