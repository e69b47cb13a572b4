"""What tests stand on: one sandbox for the whole run, made on first use and taken down at the end.

`TURNOUT_TEST_SANDBOX=NAME` uses a sandbox that already runs and leaves it running.
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.paths import sandbox_kubeconfig
from cli.progress import Silent
from cli.sandbox import cluster, images
from tests import harness

KINDS = ("unit", "integration", "e2e")


def real_pods() -> bool:
    """Whether this machine can run real pods: root on Linux."""
    return platform.system() == "Linux" and os.geteuid() == 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs real pods where there are none, and run the slow kinds last."""
    for item in items:
        if item.get_closest_marker("pods") and not real_pods():
            item.add_marker(pytest.mark.skip(reason="needs real pods: root on Linux"))
    items.sort(key=lambda item: next(n for n, kind in enumerate((*KINDS, "")) if kind in item.path.parts or not kind))


@pytest.fixture(scope="session")
def sandbox() -> Iterator[str]:
    """The name of a running sandbox: real pods where possible, else simulated ones."""
    if name := os.environ.get("TURNOUT_TEST_SANDBOX"):
        _bring_images(name)
        yield name
        return
    name = f"test{os.getpid()}"
    try:
        harness.turnout("sandbox", "up", name, timeout=3000)
        _bring_images(name)
        yield name
    finally:
        subprocess.run([harness.COMMAND, "sandbox", "down", name], timeout=300, check=False)


def _bring_images(name: str) -> None:
    """What the tests' own small pods run."""
    if real_pods():
        cluster.load_images(name, images.ensure(["busybox"], Silent()), Silent())


@pytest.fixture(scope="session")
def kubeconfig(sandbox: str) -> Path:
    """The kubeconfig of a real API server."""
    return sandbox_kubeconfig(sandbox)
