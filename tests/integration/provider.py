"""The provider process, asked as an engine asks it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty

from cli.provider import protocol, settings
from cli.provider.values import Properties, decode, encode

messages = protocol.provider


class Failed(Exception):
    """A call that was answered with an error; with `reasons` and `outputs` when the object is there all the same."""

    def __init__(self, error: Any) -> None:
        super().__init__(error.details())
        self.reasons: list[str] = []
        self.outputs: Properties = {}
        self.id = ""
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                self._unpack(protocol.status.Status.FromString(value))

    def _unpack(self, status: Any) -> None:
        detail = messages.ErrorResourceInitFailed()
        assert status.details[0].Unpack(detail)
        self.reasons, self.outputs, self.id = list(detail.reasons), decode(detail.properties), detail.id


@dataclass(frozen=True)
class Change:
    kind: str
    fields: dict[str, str]
    replaces: list[str]
    delete_first: bool


@dataclass
class Resource:
    """One resource as the engine's state has it."""

    urn: str
    id: str
    inputs: Properties
    outputs: Properties


class Statuses(protocol.engine_grpc.EngineServicer):  # type: ignore[misc]
    """What the provider told the engine."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def Log(self, request: Any, _: Any) -> Any:  # noqa: N802
        self.seen.append(request.message)
        return Empty()


class Engine:
    """Plays the engine's part for one provider instance."""

    def __init__(self, port: str, target: str, kubeconfig: Path | str, **config: str) -> None:
        self.connect(port)
        self.stub.Attach(protocol.plugin.PluginAttach(address=target))
        variables = {
            f"{settings.PREFIX}{key}": value for key, value in {"kubeconfig": str(kubeconfig), **config}.items()
        }
        self.stub.Configure(messages.ConfigureRequest(variables=variables, acceptSecrets=True))

    def connect(self, port: str) -> None:
        """A connection of its own: the provider tells its instances apart by it."""
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)])
        self.stub = protocol.provider_grpc.ResourceProviderStub(self.channel)

    def check(self, token: str, name: str, wanted: Properties, old: Properties | None = None) -> Properties:
        request = messages.CheckRequest(
            urn=urn(token, name), news=encode(wanted), olds=encode(old) if old else None, randomSeed=b"seed"
        )
        response = self._call("Check", request)
        assert not response.failures, response.failures
        return decode(response.inputs)

    def create(
        self, token: str, name: str, wanted: Properties, *, preview: bool = False, seconds: float = 60
    ) -> Resource:
        inputs = self.check(token, name, wanted)
        request = messages.CreateRequest(
            urn=urn(token, name), properties=encode(inputs), preview=preview, timeout=seconds
        )
        response = self._call("Create", request)
        return Resource(urn(token, name), response.id, inputs, decode(response.properties))

    def diff(self, resource: Resource, wanted: Properties, ignore: list[str] | None = None) -> Change:
        token, name = _token_and_name(resource.urn)
        inputs = self.check(token, name, wanted, resource.inputs)
        request = messages.DiffRequest(
            id=resource.id,
            urn=resource.urn,
            olds=encode(resource.outputs),
            news=encode(inputs),
            old_inputs=encode(resource.inputs),
            ignoreChanges=ignore,
        )
        response = self._call("Diff", request)
        fields = {path: messages.PropertyDiff.Kind.Name(row.kind) for path, row in response.detailedDiff.items()}
        kind = messages.DiffResponse.DiffChanges.Name(response.changes)
        return Change(kind, fields, list(response.replaces), response.deleteBeforeReplace)

    def update(
        self,
        resource: Resource,
        wanted: Properties,
        *,
        ignore: list[str] | None = None,
        preview: bool = False,
        seconds: float = 60,
    ) -> Resource:
        token, name = _token_and_name(resource.urn)
        inputs = self.check(token, name, wanted, resource.inputs)
        request = messages.UpdateRequest(
            id=resource.id,
            urn=resource.urn,
            olds=encode(resource.outputs),
            news=encode(inputs),
            old_inputs=encode(resource.inputs),
            ignoreChanges=ignore,
            preview=preview,
            timeout=seconds,
        )
        response = self._call("Update", request)
        return Resource(resource.urn, resource.id, inputs, decode(response.properties))

    def read(self, resource: Resource) -> Resource | None:
        request = messages.ReadRequest(
            id=resource.id, urn=resource.urn, properties=encode(resource.outputs), inputs=encode(resource.inputs)
        )
        response = self._call("Read", request)
        if not response.id:
            return None
        return Resource(resource.urn, response.id, decode(response.inputs), decode(response.properties))

    def delete(self, resource: Resource, *, seconds: float = 60) -> None:
        request = messages.DeleteRequest(
            id=resource.id,
            urn=resource.urn,
            properties=encode(resource.outputs),
            old_inputs=encode(resource.inputs),
            timeout=seconds,
        )
        self._call("Delete", request)

    def cancel(self) -> None:
        self.stub.Cancel(Empty())

    def _call(self, method: str, request: Any) -> Any:
        try:
            return getattr(self.stub, method)(request, timeout=120)
        except grpc.RpcError as error:
            raise Failed(error) from None


@dataclass
class Provider:
    """A running provider process; each `engine()` is an instance of its own."""

    process: subprocess.Popen[str]
    port: str
    target: str
    statuses: Statuses
    kubeconfig: Path

    def engine(self, kubeconfig: Path | str | None = None, **config: str) -> Engine:
        return Engine(self.port, self.target, kubeconfig or self.kubeconfig, **config)


@contextmanager
def provider(kubeconfig: Path, program: str = "") -> Iterator[Provider]:
    """A provider process; `program` is run in place of `python -m cli.provider`."""
    statuses = Statuses()
    server = grpc.server(futures.ThreadPoolExecutor(4))
    protocol.engine_grpc.add_EngineServicer_to_server(statuses, server)  # type: ignore[no-untyped-call, unused-ignore]
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    words = ["-c", program] if program else ["-m", "cli.provider"]
    process = subprocess.Popen([sys.executable, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    watchdog = threading.Timer(1800, process.kill)
    watchdog.start()
    try:
        yield Provider(process, process.stdout.readline().strip(), target, statuses, kubeconfig)
    finally:
        watchdog.cancel()
        process.terminate()
        assert process.wait(15) in (0, -9, -15)
        process.stdout.close()
        if process.stdin:
            process.stdin.close()
        server.stop(0)


def urn(token: str, name: str) -> str:
    return f"urn:pulumi:test::turnout::{token}::{name}"


def _token_and_name(text: str) -> tuple[str, str]:
    return text.split("::")[2], text.split("::")[3]
