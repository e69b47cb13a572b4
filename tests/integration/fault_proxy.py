"""A proxy between a client and the API server that fails on command."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import httpx2

from cli.kube.config import Endpoint

Kind = Literal["answer", "reset", "reset after", "slow", "old watch"]


@dataclass
class Fault:
    """What to do to the next requests of a method (and, with `path`, to paths that hold it)."""

    kind: Kind
    method: str
    path: str = ""
    times: int = 1
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)


class FaultProxy:
    def __init__(self, behind: Endpoint) -> None:
        self.faults: list[Fault] = []
        self.seen: list[str] = []
        self.lock = threading.Lock()
        verify: Any = behind.tls if behind.tls is not None else True
        self.client = httpx2.Client(base_url=behind.server, verify=verify, auth=behind.auth, timeout=310)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True

    def kubeconfig(self, namespace: str) -> str:
        where = f"http://127.0.0.1:{self.server.server_address[1]}"
        return json.dumps(
            {
                "current-context": "proxy",
                "clusters": [{"name": "proxy", "cluster": {"server": where}}],
                "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "", "namespace": namespace}}],
                "users": [],
            }
        )

    def fail(self, kind: Kind, method: str, **options: Any) -> None:
        with self.lock:
            self.faults.append(Fault(kind, method, **options))

    def count(self, method: str) -> int:
        return sum(line.startswith(f"{method} ") for line in self.seen)

    def next_fault(self, method: str, path: str) -> Fault | None:
        with self.lock:
            self.seen.append(f"{method} {path}")
            for fault in self.faults:
                if fault.times > 0 and fault.method == method and fault.path in path:
                    fault.times -= 1
                    return fault
        return None


@contextmanager
def fault_proxy(behind: Endpoint) -> Iterator[FaultProxy]:
    proxy = FaultProxy(behind)
    thread = threading.Thread(target=proxy.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.server.shutdown()
        proxy.server.server_close()
        proxy.client.close()


def _handler(proxy: FaultProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Silent."""

        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            fault = proxy.next_fault(self.command, self.path)
            if fault is None or fault.kind in ("slow", "reset after"):
                self._forward(body, fault)
            elif fault.kind == "reset":
                self._reset()
            elif fault.kind == "old watch":
                gone = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}}
                self._answer(200, {}, json.dumps(gone).encode() + b"\n")
            else:
                status = {"kind": "Status", "code": fault.status, "message": "made up", "reason": "MadeUp"}
                self._answer(fault.status, fault.headers, json.dumps(status).encode())

        def _forward(self, body: bytes, fault: Fault | None) -> None:
            kept = {key: self.headers[key] for key in ("accept", "content-type") if key in self.headers}
            with proxy.client.stream(self.command, self.path, headers=kept, content=body) as response:
                if fault and fault.kind == "reset after":
                    response.read()
                    return self._reset()
                if "watch=true" in self.path:
                    return self._stream(response)
                return self._answer(response.status_code, {}, response.read(), slow=bool(fault))

        def _stream(self, response: httpx2.Response) -> None:
            self.send_response(response.status_code)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            with suppress(OSError, httpx2.TransportError):
                for chunk in response.iter_raw():
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                    self.wfile.flush()
                self.wfile.write(b"0\r\n\r\n")

        def _answer(self, status: int, headers: dict[str, str], body: bytes, *, slow: bool = False) -> None:
            self.send_response(status)
            for key, value in {"content-type": "application/json", "content-length": str(len(body)), **headers}.items():
                self.send_header(key, value)
            self.end_headers()
            half = len(body) // 2 if slow else len(body)
            with suppress(OSError):
                self.wfile.write(body[:half])
                if slow:
                    time.sleep(1.5)
                    self.wfile.write(body[half:])

        def _reset(self) -> None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815

    return Handler
