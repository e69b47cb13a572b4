"""Exact weights behind a gateway: real pods, Traefik, an HTTPRoute whose backends are moved as a rollout moves them."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from cli.demo.project import NEW, OLD
from cli.kube.client import Kube, connect
from cli.progress import Silent
from cli.rollout import moves, routes
from cli.rollout.where import from_settings
from cli.sandbox import cluster, images
from cli.sandbox.layout import Layout
from components.tracks import TRACK_LABEL
from tests.harness import ROOT, eventually, turnout

pytestmark = pytest.mark.pods

SPACE = "weights"
MANAGER = "test"
GATEWAY = ("turnout", "kube-system")
RATE = 60
LONGEST = "900"
"""Seconds; the load ends with its block, however slow the machine is."""
DEVIATIONS = 3.29
"""Standard deviations that hold 99.9 % of a binomial's outcomes."""
Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def kube(sandbox: str) -> Iterator[Kube]:
    """A sandbox with the gateway and a service of two tracks behind it, a with the old version and b with none."""
    wanted = [images.app_image(ROOT / "examples" / "agents", version, "", Silent()) for version in (OLD, NEW)]
    cluster.load_images(sandbox, wanted, Silent())
    found = connect(from_settings({"sandbox": sandbox}))
    try:
        with_gateway(found, sandbox)
        for manifest in everything():
            found.apply(manifest, MANAGER)
        eventually(lambda: ready(found, "a", 3))
        yield found
    finally:
        found.delete("v1", "Namespace", SPACE)
        found.close()


@pytest.fixture
def at_rest(kube: Kube) -> Kube:
    """All of the weight on the old track, three copies, and no pod of the new one."""
    moves.scale(kube, SPACE, "api", "a", 3)
    eventually(lambda: ready(kube, "a", 3))
    routes.until_backed(kube, SPACE, ["api-a"])
    moves.weigh(kube, SPACE, "api", {"a": 100})
    routes.until_taken(kube, SPACE, ["api"])
    moves.scale(kube, SPACE, "api", "b", 0)
    eventually(lambda: not pods(kube, "b"))
    return kube


def test_the_share_is_the_weight_and_nothing_is_lost_on_the_way_there_and_back(
    at_rest: Kube, sandbox: str, tmp_path: Path
) -> None:
    """Three copies each: by counting pods, 10 % could not be had."""
    with load(at_rest, sandbox, tmp_path) as seen:
        bring(at_rest, "b", 3)
        moves.weigh(at_rest, SPACE, "api", {"a": 90, "b": 10})
        routes.until_taken(at_rest, SPACE, ["api"])
        began = time.time()
        time.sleep(12)
        ended = time.time()
        moves.weigh(at_rest, SPACE, "api", {"b": 100})
        routes.until_taken(at_rest, SPACE, ["api"])
        moved = time.time()
        moves.scale(at_rest, SPACE, "api", "a", 0)
        eventually(lambda: not pods(at_rest, "a"))
        gone = time.time()
        bring(at_rest, "a", 3)
        moves.weigh(at_rest, SPACE, "api", {"a": 100})
        routes.until_taken(at_rest, SPACE, ["api"])
        back = time.time()
        moves.scale(at_rest, SPACE, "api", "b", 0)
        eventually(lambda: not pods(at_rest, "b"))
    assert seen.counted["failed"] == 0, seen.counted["failures"]
    answers = seen.between(began, ended)
    share, bound = answers[NEW] / sum(answers.values()), DEVIATIONS * math.sqrt(0.1 * 0.9 / sum(answers.values()))
    assert abs(share - 0.1) <= bound, f"{share:.3f} of {sum(answers.values())} requests, not 0.1 ± {bound:.3f}"
    assert set(seen.between(moved, gone)) == {NEW}
    assert set(seen.between(back, time.time())) == {OLD}


def test_a_backend_that_ends_before_its_weight_is_gone_loses_requests(
    at_rest: Kube, sandbox: str, tmp_path: Path
) -> None:
    """The counter-test: the same moves in the wrong order are noticed by the same load."""
    with load(at_rest, sandbox, tmp_path) as seen:
        bring(at_rest, "b", 3)
        moves.scale(at_rest, SPACE, "api", "a", 0)
        eventually(lambda: not pods(at_rest, "a"))
        time.sleep(routes.PAUSE)
        moves.weigh(at_rest, SPACE, "api", {"b": 100})
        routes.until_taken(at_rest, SPACE, ["api"])
    assert seen.counted["failed"] > 0


def test_a_backend_that_does_not_exist_is_named(at_rest: Kube) -> None:
    moves.weigh(at_rest, SPACE, "api", {"a": 100})
    routes.until_taken(at_rest, SPACE, ["api"], pause=0)
    assert routes.untaken(at_rest.list(moves.ROUTE, "HTTPRoute", SPACE), ["api"]) == []
    with pytest.raises(Exception, match="HTTPRoute web: is not there"):
        routes.until_taken(at_rest, SPACE, ["web"], timeout=0.5)
    with pytest.raises(Exception, match="Service api-b: no pod is ready behind it"):
        routes.until_backed(at_rest, SPACE, ["api-b"], timeout=0.5)


def with_gateway(kube: Kube, sandbox: str) -> None:
    """Have the add-on in that sandbox."""
    if kube.find("apps/v1", "Deployment", "gateway", GATEWAY[1]) is None:
        turnout("sandbox", "up", sandbox, "--with", "gateway", timeout=600)


@dataclass
class Seen:
    """What the load was answered; filled in when the block has ended."""

    counted: dict[str, Any] = field(default_factory=dict)

    def between(self, began: float, ended: float) -> dict[str, int]:
        """Answers by version in the whole seconds of that time."""
        found: dict[str, int] = {}
        for second in self.counted["timeline"]:
            if began <= second["at"] and second["at"] + 1 <= ended:
                for version, count in second.items():
                    if version != "at":
                        found[version] = found.get(version, 0) + count
        return found


@contextmanager
def load(kube: Kube, sandbox: str, folder: Path) -> Iterator[Seen]:
    """Open-loop load through the gateway for the length of the block."""
    status = kube.get("gateway.networking.k8s.io/v1", "Gateway", *GATEWAY)["status"]
    url = f"http://{status['addresses'][0]['value']}/v1/hello"
    settings = Layout(sandbox).settings()
    assert settings
    out = folder / "load.json"
    words = ["--url", url, "--sandbox", settings.subnets.services, "--rate", str(RATE), "--seconds", LONGEST]
    command = [sys.executable, "-m", "cli.load", *words, "--out", str(out)]
    seen = Seen()
    eventually(lambda: answers(url))
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            time.sleep(2)
            yield seen
            time.sleep(2)
        finally:
            process.terminate()
            process.wait(30)
    seen.counted = json.loads(out.read_text())


def answers(url: str) -> bool:
    """The gateway has taken up the route and its pods: an environment is up a little before its gateway knows of it."""
    with suppress(OSError), urlopen(url, timeout=1) as answer:
        return bool(answer.status == 200)
    return False


def bring(kube: Kube, letter: Any, copies: int) -> None:
    """Have that track ready, and known to the gateway."""
    moves.scale(kube, SPACE, "api", letter, copies)
    eventually(lambda: ready(kube, letter, copies))
    routes.until_backed(kube, SPACE, [f"api-{letter}"])


def ready(kube: Kube, letter: str, copies: int) -> bool:
    found = kube.get("apps/v1", "Deployment", f"api-{letter}", SPACE)
    status = found["status"]
    seen = status.get("observedGeneration", 0) >= found["metadata"]["generation"]
    return bool(seen and status.get("availableReplicas", 0) >= copies)


def pods(kube: Kube, letter: str) -> list[Manifest]:
    return list(kube.list("v1", "Pod", SPACE, labels=f"{TRACK_LABEL}={letter}"))


def everything() -> Iterator[Manifest]:
    """As components render it, with nothing around."""
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": GATEWAY[1]}}}
    policy = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{"from": [peer]}]}
    yield named("networking.k8s.io/v1", "NetworkPolicy", "api", policy)
    for letter, version, copies in (("a", OLD, 3), ("b", NEW, 0)):
        labels = {"app": "api", TRACK_LABEL: letter}
        port = {"name": "http", "port": 8080, "targetPort": "http"}
        yield named("v1", "Service", f"api-{letter}", {"selector": labels, "ports": [port]})
        yield named("apps/v1", "Deployment", f"api-{letter}", deployment(labels, version, copies))
    rule = {"backendRefs": [{"name": "api-a", "port": 8080}]}
    parent = {"name": GATEWAY[0], "namespace": GATEWAY[1]}
    yield named(moves.ROUTE, "HTTPRoute", "api", {"parentRefs": [parent], "rules": [rule]})


def deployment(labels: dict[str, str], version: str, copies: int) -> Manifest:
    container = {
        "name": "api",
        "image": f"turnout.local/agents:{version}",
        "args": ["api"],
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 1},
        "lifecycle": {"preStop": {"sleep": {"seconds": 3}}},
    }
    pod = {"terminationGracePeriodSeconds": 30, "containers": [container]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    strategy = {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    return {"replicas": copies, "selector": {"matchLabels": labels}, "strategy": strategy, "template": template}


def named(api_version: str, kind: str, name: str, spec: Manifest) -> Manifest:
    metadata = {"name": name, "namespace": SPACE}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}
