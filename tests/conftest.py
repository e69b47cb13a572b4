"""What tests stand on: one sandbox for the whole run, made on first use and taken down at the end.

`TURNOUT_TEST_SANDBOX=NAME` uses a sandbox that already runs and leaves it running.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def turnout(*words: str, cwd: Path = ROOT, timeout: float = 600, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does; on failure the test shows what it printed."""
    command = [str(Path(sys.executable).parent / "turnout"), *words]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)
    if check and done.returncode:
        pytest.fail(f"turnout {' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}", pytrace=False)
    return done


def real_pods() -> bool:
    """Whether this machine can run real pods: root on Linux."""
    return platform.system() == "Linux" and os.geteuid() == 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs real pods where there are none, and run the slow kinds last."""
    for item in items:
        if item.get_closest_marker("pods") and not real_pods():
            item.add_marker(pytest.mark.skip(reason="needs real pods: root on Linux"))
    items.sort(key=lambda item: next((n for n, kind in enumerate(("unit", "integration", "e2e")) if f"/{kind}/" in str(item.path)), 3))


@pytest.fixture(scope="session")
def sandbox() -> Iterator[str]:
    """The name of a running sandbox: real pods where possible, else simulated ones."""
    if name := os.environ.get("TURNOUT_TEST_SANDBOX"):
        yield name
        return
    name = f"test{os.getpid()}"
    try:
        turnout("sandbox", "up", name, timeout=3000)
        yield name
    finally:
        turnout("sandbox", "down", name, check=False)


@pytest.fixture(scope="session")
def kubeconfig(sandbox: str) -> Path:
    """The kubeconfig of a real API server."""
    from cli.paths import sandbox_kubeconfig

    return sandbox_kubeconfig(sandbox)
