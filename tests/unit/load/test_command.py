"""`python -m cli.load` as the demo and the tests start it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cli.load.__main__ import main


class Hello(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b'{"version": "1.0.0", "pod": "api-1"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hello)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def start(url: str, out: Path, *more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "cli.load", "--url", url, "--rate", "50", "--out", str(out), *more])


def test_ends_by_itself(url: str, tmp_path: Path) -> None:
    assert start(url, tmp_path / "load.json", "--seconds", "0.5", "--slow-rate", "0").wait(20) == 0
    assert json.loads((tmp_path / "load.json").read_text())["ok"] == 25


def test_sigterm_ends_it_with_its_result(url: str, tmp_path: Path) -> None:
    process = start(url, tmp_path / "load.json", "--seconds", "60")
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    result = json.loads((tmp_path / "load.json").read_text())
    assert result["failed"] == 0 and result["seconds"] < 10


def test_a_failing_target_gives_exit_code_1(tmp_path: Path) -> None:
    process = start("http://127.0.0.1:9/", tmp_path / "load.json", "--seconds", "0.2", "--slow-rate", "0")
    assert process.wait(20) == 1


def test_any_other_machine_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--url", "http://192.0.2.1/", "--out", str(tmp_path / "load.json")]) == 2
    assert "no load is sent to 192.0.2.1" in capsys.readouterr().err


def test_sigusr1_renews_connections_and_ends_nothing(url: str, tmp_path: Path) -> None:
    process = start(url, tmp_path / "load.json", "--seconds", "2")
    time.sleep(1)
    process.send_signal(signal.SIGUSR1)
    assert process.wait(20) == 0
    assert json.loads((tmp_path / "load.json").read_text())["failed"] == 0
