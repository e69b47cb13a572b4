"""What tests stand on: one sandbox for the whole run, made on first use and taken down at the end.

`TURNOUT_TEST_SANDBOX=NAME` uses a sandbox that already runs and leaves it running.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.demo.project import NEW, OLD
from cli.paths import sandbox_kubeconfig
from cli.progress import Silent
from cli.sandbox import cluster, images
from cli.sandbox.prerequisites import can_run_real_pods
from tests import harness, lanes


def pytest_configure() -> None:
    """What a script starts in the background ignores interrupts, and so would every child that a test interrupts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs real pods where there are none, and order the kinds by how slow they are."""
    for item in items:
        if item.get_closest_marker("pods") and not can_run_real_pods():
            item.add_marker(pytest.mark.skip(reason="needs real pods: root on Linux"))
    (lanes.slowest_first if "PYTEST_XDIST_WORKER" in os.environ else lanes.slowest_last)(items)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> lanes.Lanes:
    """Who runs what under `pytest -n`."""
    return lanes.Lanes(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """One lane of several makes room for the other."""
    if "PYTEST_XDIST_WORKER" in os.environ and can_run_real_pods():
        lanes.gives_way(item)


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
    """What the tests' own small pods run, and the sample app's two releases."""
    if can_run_real_pods():
        app = [images.app_image(harness.ROOT / "examples" / "agents", tag, "", Silent()) for tag in (OLD, NEW)]
        cluster.load_images(name, [*images.ensure(["busybox"], Silent()), *app], Silent())


@pytest.fixture(scope="session")
def kubeconfig(sandbox: str) -> Path:
    """The kubeconfig of a real API server."""
    return sandbox_kubeconfig(sandbox)
