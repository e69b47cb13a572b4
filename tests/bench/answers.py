"""Answers for simulated pods: a rollout asks a new track before it gets traffic, and such pods have no process.

The sandbox's own block of addresses is this machine's for as long, and one server answers 200 to whatever is asked.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = 18080


class _Yes(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is written about it."""


@contextmanager
def answering(block: str) -> Iterator[None]:
    """Every address of that block (CIDR) answers on `PORT`. Needs root on Linux."""
    route = ["local", block, "dev", "lo"]
    subprocess.run(["ip", "route", "add", *route], check=True)
    server = ThreadingHTTPServer(("", PORT), _Yes)
    threading.Thread(target=server.serve_forever, name="answers", daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        subprocess.run(["ip", "route", "del", *route], check=False)
