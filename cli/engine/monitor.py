"""A ResourceMonitor in this process that records what a program registers, and answers as a first preview would.

It speaks Pulumi's `pulumirpc.ResourceMonitor` as the Python SDK uses it. Outputs are the inputs; what only a cluster
could tell is unknown.
"""

from __future__ import annotations

import threading
from typing import Any

from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import engine_pb2, resource_pb2

from cli import protocol
from cli.engine import graph, values
from cli.engine.graph import Options, Resource, ResourceGraph
from cli.errors import TurnoutError

_STACK_REFERENCE = "pulumi:pulumi:StackReference"
_STACK_OUTPUTS = "pulumi:pulumi:readStackOutputs"
_NO_UPDATE_YET: dict[str, Any] = {"outputs": {}, "secretOutputNames": []}

# Secrets, resource references, alias specs, replacement triggers, deletedWith, replaceWith: all that needs no callback.
_FEATURES: Any = (0, 1, 3, 4, 5, 6)
_LEGACY_FEATURES = frozenset({"secrets", "resourceReferences", "aliasSpecs"})


class Monitor:
    """Records one run of a program. Thread-safe: the SDK calls it from many threads."""

    def __init__(self, project: str, stack: str) -> None:
        self._project, self._stack = project, stack
        self._resources: dict[str, Resource] = {}
        self._outputs: dict[str, Any] = {}
        self._guard = threading.Lock()

    def graph(self) -> ResourceGraph:
        """What was recorded so far."""
        return ResourceGraph(self._stack, tuple(self._resources.values()), values.shown(self._outputs))

    def GetDeploymentInfo(self, _request: Any) -> Any:  # noqa: N802  (this and the rest: named by the protocol)
        return resource_pb2.DeploymentInfo(supportedFeatures=_FEATURES)

    def SupportsFeature(self, request: Any) -> Any:  # noqa: N802
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in _LEGACY_FEATURES)

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        resource = self._record(request, _options(request), custom=request.custom)
        if not request.custom:
            return resource_pb2.RegisterResourceResponse(urn=resource.urn)
        return resource_pb2.RegisterResourceResponse(urn=resource.urn, id=protocol.UNKNOWN, object=request.object)

    def ReadResource(self, request: Any) -> Any:  # noqa: N802
        resource = self._record(request, Options(), custom=True, read_id=request.id)
        known = _NO_UPDATE_YET if request.type == _STACK_REFERENCE else {}
        return resource_pb2.ReadResourceResponse(
            urn=resource.urn, id=request.id, properties=_struct(plain(request.properties) | known)
        )

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        if f"::{protocol.STACK}::" in request.urn:
            self._outputs = plain(request.outputs)
        return empty_pb2.Empty()

    def Invoke(self, request: Any) -> Any:  # noqa: N802
        if request.tok == _STACK_OUTPUTS:
            return resource_pb2.ResourceInvokeResponse(**{"return": _struct(plain(request.args) | _NO_UPDATE_YET)})
        raise TurnoutError(
            f"the program asks the cluster ({request.tok}), which a render has none of",
            next="take the value from the settings, or ask in the provider's own resources",
        )

    def Call(self, request: Any) -> Any:  # noqa: N802
        raise TurnoutError(f"the program calls {request.tok}, which needs a provider and so cannot be rendered")

    def RegisterPackage(self, request: Any) -> Any:  # noqa: N802
        return resource_pb2.RegisterPackageResponse(ref=f"{request.name}@{request.version}")

    def RegisterResourceHook(self, _request: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, _request: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def _record(self, request: Any, options: Options, *, custom: bool, read_id: str = "") -> Resource:
        wire = plain(request.properties if read_id else request.object)
        resource = Resource(
            urn=self._urn(request),
            type=request.type,
            name=request.name,
            parent=request.parent,
            custom=custom,
            inputs=values.shown(wire),
            dependencies=tuple(sorted(request.dependencies)),
            property_dependencies=_property_dependencies(request),
            provider=request.provider,
            options=options,
            read_id=read_id,
            secret_paths=tuple(graph.secret_paths(wire)),
            _plain=graph.reveal(wire),
        )
        with self._guard:
            if resource.urn in self._resources:
                raise TurnoutError(f"two resources have one name: {resource.name} ({resource.type})", why=resource.urn)
            if resource.type != protocol.STACK:
                self._resources[resource.urn] = resource
        return resource

    def _urn(self, request: Any) -> str:
        around = request.parent.split("::")[2] if request.parent else ""
        chain = f"{around}$" if around and around != protocol.STACK else ""
        return f"urn:pulumi:{self._stack}::{self._project}::{chain}{request.type}::{request.name}"


class Log:
    """The engine's side of a render: keeps what the program logs."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []

    def Log(self, request: Any) -> Any:  # noqa: N802
        self.messages.append((engine_pb2.LogSeverity.Name(request.severity).lower(), request.message))
        return empty_pb2.Empty()

    def RequirePulumiVersion(self, _request: Any) -> Any:  # noqa: N802
        return engine_pb2.RequirePulumiVersionResponse()


def plain(struct: Any) -> dict[str, Any]:
    """A protobuf Struct as JSON data: whole numbers as int, and keys in order, of which a Struct has none."""
    found: dict[str, Any] = _whole(json_format.MessageToDict(struct))
    return found


def _whole(value: Any) -> Any:
    """A Struct knows no integers: every number comes out of it as a float."""
    if isinstance(value, dict):
        return {key: _whole(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_whole(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _struct(data: dict[str, Any]) -> Any:
    struct = struct_pb2.Struct()
    struct.update(data)
    return struct


def _property_dependencies(request: Any) -> dict[str, tuple[str, ...]]:
    if not hasattr(request, "propertyDependencies"):
        return {}
    return {key: tuple(sorted(entry.urns)) for key, entry in request.propertyDependencies.items() if entry.urns}


def _options(request: Any) -> Options:
    return Options(
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        aliases=tuple(_alias(entry) for entry in request.aliases),
        protect=request.protect if request.HasField("protect") else None,
        retain_on_delete=request.retainOnDelete if request.HasField("retainOnDelete") else None,
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        deleted_with=request.deletedWith,
        import_id=request.importId,
        version=request.version,
        timeouts=_timeouts(request.customTimeouts),
    )


def _alias(entry: Any) -> str | tuple[tuple[str, str], ...]:
    if entry.WhichOneof("alias") == "urn":
        return str(entry.urn)
    return tuple((field.name, str(value)) for field, value in entry.spec.ListFields())


def _timeouts(entry: Any) -> tuple[tuple[str, str], ...]:
    return tuple((field.name, str(value)) for field, value in entry.ListFields())
