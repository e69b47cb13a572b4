"""`python -m cli.sandbox.keeper NAME PODS`: the sandbox's own loops, one process for as long as the sandbox runs.

It provisions volumes and, with real pods, enforces NetworkPolicies. A failure is logged and tried again; while this
process is away the last rules stay in force.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cli.sandbox import api, netpol, policy_plugin, prerequisites, volumes
from cli.sandbox.config import kubeconfig_file
from cli.sandbox.layout import Layout, Settings
from cli.sandbox.mirror import Mirror
from cli.sandbox.newcomers import Newcomers, merged, settled

SETTLE = 0.02  # seconds to let changes that come together become one
RETRY = 1.0
NFT_TIMEOUT = 20.0


class Loop:
    """Calls `work` after each nudge, once for nudges that come together, and again after a failure."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self._name, self._work = name, work
        self._nudged = threading.Event()

    def nudge(self) -> None:
        self._nudged.set()

    def start(self) -> None:
        threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def _run(self) -> None:
        while True:
            self._nudged.wait()
            time.sleep(SETTLE)
            self._nudged.clear()
            try:
                self._work()
            except Exception as error:
                log(f"{self._name}: {type(error).__name__}: {error}; trying again")
                time.sleep(RETRY)
                self.nudge()


class Policies:
    """Enforces NetworkPolicies."""

    def __init__(self, layout: Layout, settings: Settings) -> None:
        subnets = settings.subnets
        self._nodes = (subnets.link, f"{subnets.block}.0.1")
        self._last = ""
        self._one = threading.Lock()
        loop = Loop("policies", self._work)
        kube = api.client(layout, kubeconfig_file(layout, "keeper"))
        self._policies = Mirror(kube, "networking.k8s.io/v1", "NetworkPolicy", loop.nudge)
        self._pods = Mirror(kube, "v1", "Pod", loop.nudge)
        self._namespaces = Mirror(kube, "v1", "Namespace", loop.nudge)
        self._newcomers = Newcomers(Path(policy_plugin.SOCKET), self._work)
        loop.start()

    def _work(self) -> None:
        mirrors = (self._policies, self._pods, self._namespaces)
        if not all(mirror.synced for mirror in mirrors):
            return
        with self._one:
            policies, pods, namespaces = (mirror.all() for mirror in mirrors)
            early = self._newcomers.known()
            wanted = netpol.ruleset(netpol.cluster(policies, merged(pods, early), namespaces), self._nodes)
            if wanted != self._last:
                _nft(wanted)
                self._last = wanted
            self._newcomers.forget(settled(pods, early))


class Volumes:
    """Provisions and deletes volumes."""

    def __init__(self, layout: Layout) -> None:
        self._root = layout.volumes
        loop = Loop("volumes", self._work)
        self._kube = api.client(layout, kubeconfig_file(layout, "keeper"))
        self._claims = Mirror(self._kube, "v1", "PersistentVolumeClaim", loop.nudge)
        self._volumes = Mirror(self._kube, "v1", "PersistentVolume", loop.nudge)
        loop.start()

    def _work(self) -> None:
        if self._claims.synced and self._volumes.synced:
            volumes.carry_out(self._kube, self._root, volumes.plan(self._claims.all(), self._volumes.all()))


def log(text: str) -> None:
    print(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {text}", file=sys.stderr, flush=True)


def _nft(ruleset: str) -> None:
    command = [prerequisites.where("nft") or "nft", "-f", "-"]
    answer = subprocess.run(command, input=ruleset, capture_output=True, text=True, timeout=NFT_TIMEOUT, check=False)
    if answer.returncode != 0:
        raise RuntimeError(f"nft: {answer.stderr.strip()[:2000]}")


def main(arguments: Sequence[str]) -> None:
    """Run until killed."""
    name, pods = arguments
    layout = Layout(name)
    settings = layout.settings()
    assert settings is not None, "started without a sandbox"
    Volumes(layout)
    if pods == "real":
        Policies(layout, settings)
    log("watching")
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1:])
