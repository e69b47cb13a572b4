"""The cluster that is measured on: a sandbox of the bench's own with simulated pods, gone at the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cli import paths
from cli.progress import for_terminal
from cli.sandbox import build

COMMAND = str(Path(sys.executable).parent / "turnout")
PODS_EACH = 250
"""How many pods a simulated node takes."""


def kubectl() -> str:
    return str(build.ensure(["kubectl"], for_terminal(quiet=True))["kubectl"])


@contextmanager
def sandbox(pods: int) -> Iterator[Path]:
    """The kubeconfig of a cluster for that many pods. `TURNOUT_BENCH_SANDBOX` names one that runs and is kept."""
    kept = os.environ.get("TURNOUT_BENCH_SANDBOX")
    name = kept or f"bench{os.getpid()}"
    try:
        if not kept:
            subprocess.run(
                [COMMAND, "sandbox", "up", name, "--pods", "simulated"], check=True, stdout=subprocess.DEVNULL
            )
        kubeconfig = paths.sandbox_kubeconfig(name)
        for number in range(pods // PODS_EACH):
            _apply(kubeconfig, _node(f"more-{number}"))
        yield kubeconfig
    finally:
        if not kept:
            subprocess.run([COMMAND, "sandbox", "down", name], check=False, stdout=subprocess.DEVNULL)


def delete_namespace(kubeconfig: Path, name: str) -> None:
    """With all that is in it; fine when there is none, or no cluster any more."""
    with suppress(subprocess.SubprocessError):
        _kubectl(kubeconfig, "delete", "namespace", name, "--ignore-not-found")


def _node(name: str) -> dict[str, object]:
    """A further simulated node."""
    size = {"cpu": "32", "memory": "128Gi", "ephemeral-storage": "1Ti", "pods": str(PODS_EACH)}
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
    metadata = {"name": name, "annotations": {"kwok.x-k8s.io/node": "fake"}, "labels": labels}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": {"allocatable": size, "capacity": size}}


def _apply(kubeconfig: Path, manifest: dict[str, object]) -> None:
    """A node that is there already, from a run before in a sandbox that is kept, is fine."""
    _kubectl(kubeconfig, "apply", "--filename=-", given=json.dumps(manifest))


def _kubectl(kubeconfig: Path, *words: str, given: str = "") -> None:
    command = [kubectl(), f"--kubeconfig={kubeconfig}", *words]
    subprocess.run(command, input=given, text=True, check=True, stdout=subprocess.DEVNULL, timeout=600)
