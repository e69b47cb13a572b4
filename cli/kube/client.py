"""The blocking client that commands use."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, TypeVar

import httpx2
from lightkube.core.exceptions import ConfigError

from cli.kube import requests
from cli.kube.config import Endpoint, endpoint
from cli.kube.errors import Expired, Unreachable, from_answer, no_credentials
from cli.kube.operations import Broken, Lines, Operation, Pause, Server
from cli.kube.requests import Answer, Object, PatchType, Propagation, Request, Write
from cli.kube.retry import Lost, Policy

T = TypeVar("T")
LIMITS = httpx2.Limits(max_connections=32, max_keepalive_connections=32, keepalive_expiry=60)
WHOLE = 65.0
"""Seconds for a whole answer, however slowly it comes: a little more than an API server gives itself (60)."""
SILENCE = 30.0
"""Seconds in which nothing comes at all."""
UNSENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
BROKEN = (httpx2.TransportError, httpx2.DecodingError)
"""What an HTTP client raises when no whole answer came."""


class Cluster(Protocol):
    """What says which cluster is meant (`infra.cluster.Cluster`)."""

    @property
    def kubeconfig(self) -> Path | None: ...
    @property
    def context(self) -> str | None: ...


def connect(cluster: Cluster, *, server: Server | None = None) -> Kube:
    """A client of that cluster. Nothing is sent before the first call."""
    return Kube(endpoint(cluster.kubeconfig, cluster.context), server=server)


class Kube:
    """Raw objects in and out. Any call may raise KubeError; a busy server is asked again where that is safe."""

    def __init__(
        self,
        where: Endpoint,
        *,
        server: Server | None = None,
        transport: httpx2.BaseTransport | None = None,
        whole: float = WHOLE,
    ) -> None:
        """`whole`: seconds for a whole answer."""
        self.endpoint = where
        self.server = server or Server()
        self._whole = whole
        self._transport = transport
        self._http = self._client(LIMITS)
        self._starting = threading.Lock()
        self._streaming: httpx2.Client | None = None

    def __enter__(self) -> Kube:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()
        with self._starting:
            if self._streaming:
                self._streaming.close()

    def beside(self, whole: float) -> Kube:
        """Another client of the same server, for work that must not hold this one up: one try, `whole` seconds each."""
        server = Server(policy=Policy(attempts=1, restart=1))
        return Kube(self.endpoint, server=server, transport=self._transport, whole=whole)

    def run(self, operation: Operation[T]) -> T:
        """Carry an operation out."""
        try:
            wanted = next(operation)
            while True:
                wanted = self._step(operation, wanted)
        except StopIteration as done:
            result: T = done.value
            return result

    def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Object:
        """The object; raises NotFound."""
        return self.run(self.server.get(api_version, kind, name, namespace))

    def find(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """The object, or None when it or its kind is not there."""
        return self.run(self.server.find(api_version, kind, name, namespace))

    def list(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
    ) -> list[Object]:
        """All objects (of all namespaces without one) that fit the label and field selectors."""
        found = self.run(self.server.list(api_version, kind, namespace, labels=labels, fields=fields))
        items: list[Object] = found["items"]
        return items

    def create(self, manifest: Object, manager: str, *, dry_run: bool = False) -> Object:
        """Make a new object; raises AlreadyExists."""
        return self.run(self.server.create(manifest, Write(manager, dry_run)))

    def apply(self, manifest: Object, manager: str, *, force: bool = False, dry_run: bool = False) -> Object:
        """Server-side apply; raises Conflict, whose claims name the managers and fields in the way."""
        return self.run(self.server.apply(manifest, Write(manager, dry_run, force)))

    def replace(
        self, manifest: Object, manager: str, *, dry_run: bool = False, subresource: str | None = None
    ) -> Object:
        """PUT the whole object; raises Conflict when the manifest's resourceVersion is no longer the newest."""
        return self.run(self.server.replace(manifest, Write(manager, dry_run), subresource))

    def patch(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None,
        body: Object | list[Object],  # type: ignore[valid-type]
        manager: str,
        *,
        how: PatchType = "merge",
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> Object:
        """Patch an object; with `metadata.resourceVersion` in a merge patch it fails (Conflict) on any newer state."""
        write = Write(manager, dry_run)
        return self.run(
            self.server.patch(api_version, kind, name, namespace, body, write, how=how, subresource=subresource)
        )

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
    ) -> bool:
        """Ask for the deletion (it may take longer); False when there was nothing to delete."""
        options = {"propagation": propagation, "uid": uid, "resource_version": resource_version}
        deletion = self.server.delete(api_version, kind, name, namespace, **options)  # type: ignore[arg-type]
        return self.run(deletion) != "absent"

    def logs(
        self,
        namespace: str,
        pod: str,
        *,
        container: str | None = None,
        tail: int | None = None,
        previous: bool = False,
        since_seconds: int | None = None,
        timestamps: bool = False,
    ) -> str:
        """The log of one container, or with `previous` of the one that ran before it."""
        request = requests.logs(
            namespace,
            pod,
            container=container,
            tail=tail,
            previous=previous,
            since_seconds=since_seconds,
            timestamps=timestamps,
        )
        return self.run(self.server.text(request))

    def follow_logs(
        self,
        namespace: str,
        pod: str,
        *,
        container: str | None = None,
        tail: int | None = None,
        since_seconds: int | None = None,
        timestamps: bool = False,
    ) -> Iterator[str]:
        """Lines of one container's log as they come, until the container ends. Raises KubeError."""
        request = requests.logs(
            namespace,
            pod,
            container=container,
            tail=tail,
            since_seconds=since_seconds,
            follow=True,
            timestamps=timestamps,
        )
        try:
            yield from (line.decode(errors="replace") for line in self._stream(request, read_timeout=None))
        except BROKEN as error:
            raise Unreachable(f"lost the log of {namespace}/{pod}", why=str(error) or type(error).__name__) from error

    def proxy(
        self, namespace: str, service: str, port: int | str, path: str = "/", params: Mapping[str, str] | None = None
    ) -> str:
        """The body of a GET to a Service, carried by the API server; an answer of 400 or above raises KubeError."""
        return self.run(self.server.text(requests.proxy(namespace, service, port, path, params)))

    def proxy_post(self, namespace: str, service: str, port: int | str, path: str, document: Any) -> str:
        """The body that a Service answers to a POST of a JSON document, carried by the API server. Raises KubeError."""
        return self.run(self.server.text(requests.proxy_post(namespace, service, port, path, document)))

    def request(self, request: Request) -> Answer:
        """Any other request (see `cli.kube.requests`)."""
        return self.run(self.server.exchange(request))

    def watch(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
        resource_version: str | None = None,
        seconds: int = 290,
    ) -> Iterator[tuple[str, Object]]:
        """(ADDED | MODIFIED | DELETED, object) for up to `seconds`: what is there first (unless a resourceVersion says
        from where on), then each change. A lost connection or an expired version is picked up again by listing."""
        until = time.monotonic() + seconds
        row = self.run(self.server.kind(api_version, kind))
        version = resource_version
        while (left := int(until - time.monotonic())) > 0:
            if version is None:
                found = self.run(self.server.list(api_version, kind, namespace, labels=labels, fields=fields))
                yield from (("ADDED", item) for item in found["items"])
                version = found["metadata"]["resourceVersion"]
            request = requests.watch(
                row, namespace, resource_version=version, labels=labels, fields=fields, seconds=left
            )
            try:
                for what, item in self._events(request, left):
                    version = item["metadata"]["resourceVersion"]
                    if what != "BOOKMARK":
                        yield what, item
            except Expired:
                version = None
            except BROKEN:
                time.sleep(0.2)
            else:
                time.sleep(0.05)

    def _events(self, request: Request, seconds: int) -> Iterator[tuple[str, Object]]:
        for line in self._stream(request, read_timeout=seconds + 5):
            yield event(request, line)

    def _stream(self, request: Request, read_timeout: float | None) -> Iterator[bytes]:
        try:
            yield from self._streamed(request, read_timeout)
        except ConfigError as error:
            raise no_credentials(str(error)) from error

    def _streamed(self, request: Request, read_timeout: float | None) -> Iterator[bytes]:
        timeout = httpx2.Timeout(30, connect=5, read=read_timeout)
        with self._streamer().stream(
            "GET", request.path, params=request.params, headers=request.headers(), timeout=timeout
        ) as response:
            if response.status_code >= 400:
                raise from_answer(request.action, response.status_code, response.read())
            lines = Lines()
            for chunk in response.iter_bytes():
                yield from lines.of(chunk)
            yield from lines.last()

    def _streamer(self) -> httpx2.Client:
        """Streams hold their connections for minutes: they neither wait for one nor take those of the requests."""
        with self._starting:
            if self._streaming is None:
                self._streaming = self._client(httpx2.Limits(max_connections=None, max_keepalive_connections=4))
            return self._streaming

    def _client(self, limits: httpx2.Limits) -> httpx2.Client:
        verify: Any = self.endpoint.tls if self.endpoint.tls is not None else True
        return httpx2.Client(
            base_url=self.endpoint.server,
            auth=self.endpoint.auth,
            verify=verify,
            timeout=timeouts(self._whole),
            limits=limits,
            transport=self._transport,
        )

    def _step(self, operation: Operation[T], wanted: Request | Pause) -> Request | Pause:
        if isinstance(wanted, Pause):
            time.sleep(wanted.seconds)
            return next(operation)
        try:
            answer = self._send(wanted)
        except ConfigError as error:
            return operation.throw(no_credentials(str(error)))
        except BROKEN as error:
            return operation.throw(Broken(lost(error)))
        return operation.send(answer)

    def _send(self, request: Request) -> Answer:
        until = time.monotonic() + self._whole
        with self._http.stream(
            request.method, request.path, params=request.params, content=request.body, headers=request.headers()
        ) as response:
            body = b"".join(_by(until, response.iter_bytes(), self._whole))
        return Answer(response.status_code, response.headers, body)


def timeouts(whole: float) -> httpx2.Timeout:
    return httpx2.Timeout(min(SILENCE, whole), connect=5)


def lost(error: Exception) -> Lost:
    """What one of BROKEN says about the request."""
    return Lost(str(error) or type(error).__name__, not isinstance(error, UNSENT))


def event(request: Request, line: str | bytes) -> tuple[str, Object]:
    """One line of a watch. Raises Expired and other KubeErrors, and one of BROKEN when it is no whole event."""
    try:
        found = json.loads(line)
        what, obj = found["type"], found["object"]
    except (ValueError, KeyError, TypeError) as error:
        raise httpx2.ReadError(f"no whole event: {request.action}") from error
    if what == "ERROR":
        raise from_answer(request.action, int(obj.get("code", 500)), json.dumps(obj).encode())
    return what, obj


def _by(until: float, chunks: Iterator[bytes], whole: float) -> Iterator[bytes]:
    for chunk in chunks:
        if time.monotonic() > until:
            raise httpx2.ReadTimeout(f"no whole answer within {whole:g} s")
        yield chunk
