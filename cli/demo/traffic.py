"""Load on the app while it is rolled out and back, and the servers' own count of what they answered."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.errors import TurnoutError

RATE = 250
LONGEST = 600
SOCKETS = 4
COUNTED_ROUTES = ("/v1/hello", "/v1/slow", "/v1/echo")
SETTLING = 2.5
"""Seconds after which every pod has written down what it served (it does so every second)."""
PATIENCE = 30.0
"""Seconds that pods get for it where they are busy."""


@dataclass(frozen=True)
class Service:
    """Where the app is reached: an address inside the sandbox, which is on this machine."""

    address: str
    port: int

    def url(self, path: str) -> str:
        return f"http://{self.address}:{self.port}{path}"

    def served(self) -> int:
        """How many requests of the load's routes the servers have answered with 200, pods that are gone included."""
        with urllib.request.urlopen(self.url("/v1/served"), timeout=10) as answer:
            lines = json.load(answer)["served"]
        return sum(line["count"] for line in lines if line["route"] in COUNTED_ROUTES and line["status"] == 200)


class Traffic:
    """Open-loop load from `start` to `stop`, which has to come within `longest` seconds.

    `sockets` WebSocket connections are open all the time.
    """

    def __init__(
        self, service: Service, out: Path, *, rate: int = RATE, longest: int = LONGEST, sockets: int = SOCKETS
    ) -> None:
        self._service, self._out = service, out
        self._rate, self._longest, self._sockets = rate, longest, sockets
        self._process: subprocess.Popen[bytes] | None = None
        self._began = self._before = 0.0

    def start(self) -> None:
        """Begin to send, and let a few requests go before anything else happens."""
        self._out.unlink(missing_ok=True)
        self._before = self._service.served()
        self._process = subprocess.Popen(self._command())
        self._began = time.time()
        time.sleep(2)

    def stop(self, *, at_least: int = 0) -> tuple[dict[str, Any], int]:
        """End it once `at_least` requests were sent; what was counted here, and what the servers counted."""
        assert self._process is not None
        remaining = at_least / self._rate - (time.time() - self._began)
        time.sleep(max(0.0, remaining + 1 if at_least else 0.0))
        self.abandon()
        try:
            counted: dict[str, Any] = json.loads(self._out.read_text())
        except OSError:
            raise TurnoutError("the load generator ended without a result", next="python -m cli.load --help") from None
        return counted, self._served(counted["ok"])

    def _served(self, answered: int) -> int:
        """What the servers counted, once they have told of all that they `answered`."""
        end = time.monotonic() + PATIENCE
        time.sleep(SETTLING)
        while (served := int(self._service.served() - self._before)) < answered and time.monotonic() < end:
            time.sleep(SETTLING)
        return served

    def renew(self) -> None:
        """Have the connections kept alive opened anew, so that they are with whoever answers new ones now."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGUSR1)

    def abandon(self) -> None:
        """End the generator, whatever it has counted; harmless when it has ended."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(timeout=30)

    def _command(self) -> list[str]:
        aim = ["--url", self._service.url("/v1/hello"), "--sandbox", f"{self._service.address}/32"]
        return [
            sys.executable, "-m", "cli.load", *aim,
            "--rate", str(self._rate), "--seconds", str(self._longest), "--sockets", str(self._sockets),
            "--out", str(self._out),
        ]  # fmt: skip
