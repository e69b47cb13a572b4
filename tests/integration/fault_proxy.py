"""A proxy between a client and the API server that fails on command, and remembers all that it was asked."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

import httpx2

from cli.kube.config import Endpoint

Kind = Literal[
    "answer",  # another answer instead of the server's; the request never arrives
    "answer after",  # the same, once the server has done what was asked
    "reset",  # the connection breaks before the request arrives
    "reset after",  # and after the server has done what was asked
    "silent",  # no answer, ever; the request never arrives
    "half",  # half the body, then the end
    "stalled",  # half the body, then nothing
    "slow",  # the body in pieces, in the end whole
    "trickle",  # the body byte by byte, without end
    "cut",  # a body that ends in the middle as if it were whole
    "as nobody",  # asked in the name of somebody without any right
    "old watch",  # a watch that is told 410
    "ended watch",  # a watch that ends at once
    "silent watch",  # a watch that never tells anything
    "garbled watch",  # a watch that tells half an event
    "no handshake",  # no TLS with whoever connects
]
GONE = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}}
FOREVER = 10_000


@dataclass(frozen=True)
class Fault:
    """What to do to the next requests of a method (and, with `path`, to those that hold it), after the first `skip`.

    A Retry-After header of `date+2` is sent as the date in two seconds, by the proxy's clock.
    """

    kind: Kind
    method: str = ""
    path: str = ""
    times: int = 1
    skip: int = 0
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None

    def fits(self, method: str, path: str) -> bool:
        return self.times > 0 and self.method == method and self.path in path


class FaultProxy:
    """With `pki`, a folder of ca.crt, server.crt and server.key, it speaks TLS."""

    def __init__(self, behind: Endpoint, pki: Path | None = None) -> None:
        self.faults: list[Fault] = []
        self.seen: list[str] = []
        self.at: list[float] = []
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.pki = pki
        self.connections: set[socket.socket] = set()
        verify: Any = behind.tls if behind.tls is not None else True
        self.client = httpx2.Client(base_url=behind.server, verify=verify, auth=behind.auth, timeout=310)
        self.tls: ssl.SSLContext | None = None
        if pki:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(pki / "server.crt", pki / "server.key")
        self.server = self._listen(0)
        self.port: int = self.server.server_address[1]

    def _listen(self, port: int) -> ThreadingHTTPServer:
        server = _Server(self, port)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server

    def kubeconfig(self, namespace: str) -> str:
        cluster = {"server": f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"}
        if self.pki:
            cluster["certificate-authority-data"] = base64.b64encode((self.pki / "ca.crt").read_bytes()).decode()
        return json.dumps(
            {
                "current-context": "proxy",
                "clusters": [{"name": "proxy", "cluster": cluster}],
                "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "", "namespace": namespace}}],
                "users": [],
            }
        )

    def fail(self, *faults: Fault) -> None:
        """From now on, and with a clean memory."""
        with self.lock:
            self.faults = list(faults)
            self.seen.clear()
            self.at.clear()

    def down_for(self, seconds: float) -> None:
        """Take no connections for a while, as a server that restarts."""
        self.server.shutdown()
        self.server.server_close()
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        threading.Timer(seconds, self._up).start()

    def _up(self) -> None:
        if not self.ended.is_set():
            self.server = self._listen(self.port)

    def count(self, method: str, path: str = "") -> int:
        return sum(line.startswith(f"{method} ") and path in line for line in self.seen)

    def next_fault(self, method: str, path: str) -> Fault | None:
        with self.lock:
            self.seen.append(f"{method} {path}")
            self.at.append(time.monotonic())
            for at, fault in enumerate(self.faults):
                if fault.fits(method, path):
                    self.faults[at] = replace(fault, times=fault.times - (not fault.skip), skip=max(0, fault.skip - 1))
                    return None if fault.skip else fault
        return None

    def gap(self, method: str) -> float:
        """Seconds between the first two requests of a method."""
        first, second, *_ = [at for at, line in zip(self.at, self.seen, strict=True) if line.startswith(method)]
        return second - first

    def close(self) -> None:
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()
        self.client.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, proxy: FaultProxy, port: int) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, *_: Any) -> None:
        """Broken connections are what this is for."""


@contextmanager
def fault_proxy(behind: Endpoint, pki: Path | None = None) -> Iterator[FaultProxy]:
    proxy = FaultProxy(behind, pki)
    try:
        yield proxy
    finally:
        proxy.close()


def status(code: int, message: str = "made up", reason: str = "MadeUp", **details: Any) -> bytes:
    """A Status object as an API server answers with it."""
    return json.dumps(
        {"kind": "Status", "code": code, "message": message, "reason": reason, "details": details}
    ).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    @property
    def proxy(self) -> FaultProxy:
        return self.server.proxy

    def log_message(self, *_: Any) -> None:
        """Silent."""

    def setup(self) -> None:
        if self.proxy.tls:
            if self.proxy.next_fault("HANDSHAKE", ""):
                self.request.close()
                raise ConnectionError("no handshake")
            self.request = self.proxy.tls.wrap_socket(self.request, server_side=True)
        self.proxy.connections.add(self.request)
        super().setup()

    def finish(self) -> None:
        super().finish()
        self.proxy.connections.discard(self.request)
        self.request.close()

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        fault = self.proxy.next_fault(self.command, self.path)
        if fault is None:
            self._forward(body)
        else:
            _FAULTS[fault.kind](self, fault, body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815

    def _made_up(self, fault: Fault, _: bytes) -> None:
        self._answer(fault.status, fault.headers, fault.body or status(fault.status))

    def _made_up_after(self, fault: Fault, body: bytes) -> None:
        self._ask(body).read()
        self._made_up(fault, body)

    def _broken(self, _: Fault, __: bytes) -> None:
        self._reset()

    def _broken_after(self, _: Fault, body: bytes) -> None:
        self._ask(body).read()
        self._reset()

    def _silent(self, _: Fault, __: bytes) -> None:
        self._hang()

    def _as_nobody(self, _: Fault, body: bytes) -> None:
        self._forward(body, {"impersonate-user": "nobody"})

    def _old_watch(self, _: Fault, __: bytes) -> None:
        self._stream(200, iter([json.dumps(GONE).encode() + b"\n"]))

    def _ended_watch(self, _: Fault, __: bytes) -> None:
        self._stream(200, iter([]))

    def _silent_watch(self, _: Fault, __: bytes) -> None:
        self._chunked(200)
        self._hang()

    def _garbled_watch(self, _: Fault, __: bytes) -> None:
        self._stream(200, iter([b'{"type": "MODIF\n']))

    def _half(self, _: Fault, body: bytes) -> None:
        content = self._promised(body)
        with suppress(OSError):
            self.wfile.write(content[: len(content) // 2])
            self._reset()

    def _stalled(self, _: Fault, body: bytes) -> None:
        content = self._promised(body)
        with suppress(OSError):
            self.wfile.write(content[: len(content) // 2])
            self._hang()

    def _slow(self, _: Fault, body: bytes) -> None:
        content = self._promised(body)
        half = len(content) // 2
        with suppress(OSError):
            for piece in (content[:half], content[half:]):
                time.sleep(0.3)
                self.wfile.write(piece)

    def _trickle(self, _: Fault, body: bytes) -> None:
        content = self._promised(body)
        with suppress(OSError):
            for at in range(len(content)):
                self.wfile.write(content[at : at + 1])
                if self.proxy.ended.wait(0.2):
                    return

    def _cut(self, _: Fault, body: bytes) -> None:
        response = self._ask(body)
        self._answer(response.status_code, {}, response.content[: len(response.content) // 2])

    def _promised(self, body: bytes) -> bytes:
        """The body of the server's own answer, when its head was passed on."""
        response = self._ask(body)
        self._head(response.status_code, {}, len(response.content))
        return response.content

    def _ask(self, body: bytes, more: dict[str, str] | None = None) -> httpx2.Response:
        kept = {key: self.headers[key] for key in ("accept", "content-type") if key in self.headers}
        return self.proxy.client.request(self.command, self.path, headers={**kept, **(more or {})}, content=body)

    def _forward(self, body: bytes, more: dict[str, str] | None = None) -> None:
        if "watch=true" not in self.path:
            response = self._ask(body, more)
            return self._answer(response.status_code, {}, response.content)
        with self.proxy.client.stream("GET", self.path, headers=more) as response:
            return self._stream(response.status_code, response.iter_raw())

    def _stream(self, code: int, chunks: Iterator[bytes]) -> None:
        self._chunked(code)
        with suppress(OSError, httpx2.HTTPError, RuntimeError):
            for chunk in chunks:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")

    def _chunked(self, code: int) -> None:
        self.send_response(code)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def _answer(self, code: int, headers: dict[str, str], body: bytes) -> None:
        self._head(code, headers, len(body))
        with suppress(OSError):
            self.wfile.write(body)

    def _head(self, code: int, headers: dict[str, str], length: int) -> None:
        self.send_response_only(code)
        now = time.time()
        self.send_header("date", formatdate(now, usegmt=True))
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(length))
        for key, value in headers.items():
            later = value.removeprefix("date+")
            self.send_header(key, value if later == value else formatdate(now + int(later), usegmt=True))
        self.end_headers()

    def _hang(self) -> None:
        """Until the client gives up."""
        self.close_connection = True
        self.connection.settimeout(0.1)
        while not self.proxy.ended.is_set():
            try:
                if not self.connection.recv(1):
                    return
            except TimeoutError:
                continue
            except OSError:
                return

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()


_FAULTS: dict[Kind, Callable[[_Handler, Fault, bytes], None]] = {
    "answer": _Handler._made_up,
    "answer after": _Handler._made_up_after,
    "reset": _Handler._broken,
    "reset after": _Handler._broken_after,
    "silent": _Handler._silent,
    "half": _Handler._half,
    "stalled": _Handler._stalled,
    "slow": _Handler._slow,
    "trickle": _Handler._trickle,
    "cut": _Handler._cut,
    "as nobody": _Handler._as_nobody,
    "old watch": _Handler._old_watch,
    "ended watch": _Handler._ended_watch,
    "silent watch": _Handler._silent_watch,
    "garbled watch": _Handler._garbled_watch,
}
"""What is done for each kind; "no handshake" is over before there is a request."""
