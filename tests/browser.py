"""A headless Chromium driven over its DevTools protocol, for tests of pages. Nothing is downloaded for it: a machine
without Chromium skips them."""

from __future__ import annotations

import base64
import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_LIMIT = 120.0
_LARGEST = 64 * 1024 * 1024
_CODES = {"Enter": 13, "Escape": 27}


class Tab:
    """One page. `events` holds all that the browser said about it, in order."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._ids = itertools.count(1)
        self.events: list[dict[str, Any]] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command and its answer."""
        number = next(self._ids)
        self._session.send_json({"id": number, "method": method, "params": params})
        while True:
            message = self._session.receive_json(timeout=_LIMIT)
            if message.get("id") == number:
                assert "error" not in message, message
                answer: dict[str, Any] = message["result"]
                return answer
            self.events.append(message)

    def open(self, url: str) -> None:
        """Load a page, and wait until all of it is there."""
        self.call("Page.navigate", url=url)
        until = time.monotonic() + _LIMIT
        while self.run("document.readyState") != "complete" or self.run("location.href") == "about:blank":
            assert time.monotonic() < until, f"{url} did not load"

    def run(self, script: str) -> Any:
        """The value of an expression; a promise's when it has one."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, *keys: str) -> None:
        for key in keys:
            text = "\r" if key == "Enter" else key if len(key) == 1 else ""
            code = _CODES.get(key, 0)
            down = {"type": "keyDown", "key": key, "text": text, "windowsVirtualKeyCode": code}
            self.call("Input.dispatchKeyEvent", **down)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def prefer(self, scheme: str) -> None:
        """Let the system ask for `light` or `dark`."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, file: Path, width: int, height: int) -> None:
        """A screenshot in PNG."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def said(self) -> list[str]:
        """Every error, warning and message of the console, and every exception."""
        kinds = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
        return [str(event["params"]) for event in self.events if event.get("method") in kinds]

    def requests(self) -> list[str]:
        """Every address that the page asked for."""
        sent = [event for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]


@contextlib.contextmanager
def tab() -> Iterator[Tab]:
    """A fresh browser with one page; skips where there is no Chromium."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with tempfile.TemporaryDirectory(prefix="turnout-browser-", ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(_command(program, folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            address = f"http://127.0.0.1:{_port(Path(folder), process)}"
            target = httpx2.put(f"{address}/json/new?about:blank", timeout=_LIMIT, trust_env=False).json()
            with httpx2.websocket(
                target["webSocketDebuggerUrl"],
                max_message_size_bytes=_LARGEST,
                queue_size=100_000,
                keepalive_ping_interval_seconds=None,
                trust_env=False,
            ) as session:
                yield Tab(session)
        finally:
            process.terminate()
            process.wait(30)


def _command(program: str, folder: str) -> list[str]:
    unconfined = ["--no-sandbox"] if os.geteuid() == 0 else []
    quiet = ["--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking"]
    return [program, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={folder}", *quiet, *unconfined]


def _port(folder: Path, process: subprocess.Popen[bytes]) -> str:
    """Where it listens, which it writes down once it does."""
    file, until = folder / "DevToolsActivePort", time.monotonic() + _LIMIT
    while not (file.is_file() and file.read_text().strip()):
        assert process.poll() is None, "Chromium ended at once"
        assert time.monotonic() < until, "Chromium does not listen"
        time.sleep(0.05)
    return file.read_text().split()[0]
