"""Logs of more containers than the client has connections are all followed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest

from cli.kube import client
from cli.kube.client import Kube
from cli.kube.config import Endpoint
from cli.rollout import logs

CONNECTIONS = 2


class Running(BaseHTTPRequestHandler):
    """A container that says one line and goes on running."""

    over = threading.Event()

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"2026-01-01T00:00:00Z up\n")
        self.over.wait(60)

    def log_message(self, *_: object) -> None:
        """Nothing to say."""


@pytest.fixture
def where() -> Iterator[Endpoint]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Running) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Endpoint(f"http://127.0.0.1:{server.server_port}", "default", "c", None, None)
        Running.over.set()
        server.shutdown()


def test_every_container_is_followed_however_many_there_are(where: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LIMITS", httpx2.Limits(max_connections=CONNECTIONS))
    sources = [("dev", f"pod-{number}", "main") for number in range(CONNECTIONS + 2)]
    with Kube(where) as kube:
        lines = logs.followed(kube, sources, logs.Wanted("api"))
        heard = {next(lines).pod for _ in sources}
        assert heard == {pod for _, pod, _ in sources}
        Running.over.set()
        assert list(lines) == []
