"""A real S3 server of a test's own, on the loopback, and the variables that reach it."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.progress import Silent
from cli.sandbox import build
from tests.harness import eventually

BUCKET = "state"


@dataclass(frozen=True)
class ObjectStore:
    """`url`: a folder in the server's bucket, as a backend's URL."""

    port: int
    variables: dict[str, str]
    folder: Path

    @property
    def url(self) -> str:
        return f"s3://{BUCKET}/team?endpoint=http://127.0.0.1:{self.port}&s3ForcePathStyle=true&region=us-east-1"


@contextmanager
def serving(folder: Path) -> Iterator[ObjectStore]:
    """The server as a process of its own, ended with the block."""
    binary = build.ensure(["object-store"], Silent())["object-store"]
    (folder / "buckets" / BUCKET).mkdir(parents=True)
    variables = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": secrets.token_hex(16)}
    port = _free_port()
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [binary, f"127.0.0.1:{port}", folder / "buckets"],
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        eventually(lambda: _listens(port) or process.poll() is not None, "an object store that listens")
        assert process.poll() is None, (folder / "log").read_text()
        yield ObjectStore(port, variables, folder / "buckets" / BUCKET)
    finally:
        process.terminate()
        process.wait(10)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0
