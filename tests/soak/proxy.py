"""A proxy before the API server that tells of each write, before it goes on and when it was accepted."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from cli.kube.config import Endpoint
from tests.soak.kills import Phase

Tell = Callable[[Phase], None]

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_KEPT = ("accept", "content-type")


class Proxy:
    """Serves plain HTTP on the loopback. `tell` is called in the request's own thread, which waits for it."""

    def __init__(self, behind: Endpoint, namespace: str, tell: Tell) -> None:
        self.behind, self.namespace, self.tell = behind, namespace, tell
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def kubeconfig(self) -> str:
        where = f"http://127.0.0.1:{self._server.server_address[1]}"
        return json.dumps(
            {
                "current-context": "soak",
                "clusters": [{"name": "soak", "cluster": {"server": where}}],
                "contexts": [{"name": "soak", "context": {"cluster": "soak", "user": "", "namespace": "default"}}],
                "users": [],
            }
        )

    def connection(self) -> http.client.HTTPSConnection:
        to = urlsplit(self.behind.server)
        return http.client.HTTPSConnection(to.hostname or "", to.port, context=self.behind.tls, timeout=300)

    def is_write(self, method: str, path: str) -> bool:
        """A request that changes an object of ours, not one that only tries."""
        return method in _WRITES and f"/namespaces/{self.namespace}/" in path and "dryRun" not in path


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            self._upstream = proxy.connection()

        def finish(self) -> None:
            self._upstream.close()
            with suppress(OSError):
                super().finish()

        def handle(self) -> None:
            """Until the connection ends, which a killed client does without a word."""
            with suppress(OSError):
                super().handle()

        def log_message(self, *_: Any) -> None:
            """Silent."""

        def _handle(self) -> None:
            with suppress(OSError, http.client.HTTPException):
                self._forward(self.rfile.read(int(self.headers.get("content-length") or 0)))
                return
            self.close_connection = True

        def _forward(self, body: bytes) -> None:
            is_write = proxy.is_write(self.command, self.path)
            if is_write:
                proxy.tell(Phase.WRITE)
            headers = {key: self.headers[key] for key in _KEPT if key in self.headers}
            self._upstream.request(self.command, self.path, body or None, headers)
            response = self._upstream.getresponse()
            if "watch=true" in self.path:
                return self._stream(response)
            answer = response.read()
            if is_write and response.status < 300:
                proxy.tell(Phase.ANSWER)
            return self._answer(response, answer)

        def _answer(self, response: http.client.HTTPResponse, answer: bytes) -> None:
            self.send_response(response.status)
            self.send_header("content-type", response.getheader("content-type", "application/json"))
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def _stream(self, response: http.client.HTTPResponse) -> None:
            self.send_response(response.status)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            while chunk := response.read1(65536):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815

    return Handler
