"""Pods whose address is known before their status shows it: the CNI plugin tells it, see `policy_plugin`."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Object = dict[str, Any]
Key = tuple[str, str]


def merged(pods: Sequence[Object], addresses: dict[Key, str]) -> list[Object]:
    """The pods, those without an address with the one that was told."""
    return [_with_address(pod, addresses.get(key(pod))) for pod in pods]


def settled(pods: Sequence[Object], addresses: dict[Key, str]) -> set[Key]:
    """Told addresses that are not needed anymore: the status shows one, or has ended."""
    return {key(pod) for pod in pods if key(pod) in addresses and not _awaited(pod)}


def key(pod: Object) -> Key:
    return pod["metadata"]["namespace"], pod["metadata"]["name"]


def _with_address(pod: Object, ip: str | None) -> Object:
    if ip is None or not _awaited(pod):
        return pod
    return {**pod, "status": {**pod.get("status", {}), "podIP": ip}}


def _awaited(pod: Object) -> bool:
    status = pod.get("status", {})
    return not status.get("podIP") and status.get("phase", "Pending") == "Pending"


class Newcomers:
    """Listens for them; each is answered when `enforce` has returned."""

    def __init__(self, socket: Path, enforce: Callable[[], None]) -> None:
        self._addresses: dict[Key, str] = {}
        self._lock = threading.Lock()
        self._enforce = enforce
        socket.unlink(missing_ok=True)
        server = _Server(str(socket), _Handler)
        server.newcomers = self
        threading.Thread(target=server.serve_forever, name="newcomers", daemon=True).start()

    def known(self) -> dict[Key, str]:
        with self._lock:
            return dict(self._addresses)

    def forget(self, keys: set[Key]) -> None:
        with self._lock:
            for each in keys:
                self._addresses.pop(each, None)

    def add(self, message: dict[str, str]) -> None:
        with self._lock:
            self._addresses[message["namespace"], message["name"]] = message["ip"]
        self._enforce()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    newcomers: Newcomers


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.server.newcomers.add(json.loads(self.rfile.readline()))
        self.wfile.write(b"known\n")
