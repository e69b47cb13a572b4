"""A sandbox of its own, from nothing to nothing: cluster DNS, enforced policies, volumes, a crash, and what is left."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import testinfra
import testinfra.host

from cli.kube.client import Kube
from cli.kube.errors import NotFound
from cli.paths import sandbox_dir, sandbox_kubeconfig
from cli.progress import Silent
from cli.sandbox import api, cluster
from cli.sandbox.build import ensure
from cli.sandbox.cgroups import pids
from cli.sandbox.layout import NODE, Layout
from cli.sandbox.node import MOUNTS, device
from cli.sandbox.status import status
from tests.e2e.boxes import BOXES, box, claim, opening_to_the_gateway, policies, policy, route, service
from tests.harness import COMMAND, eventually, turnout

pytestmark = pytest.mark.pods

NAME = f"e2e{os.getpid()}"
MANAGER = "test"


@pytest.fixture(scope="module")
def before() -> dict[str, Any]:
    """What the host had before."""
    return host_state(testinfra.get_host("local://"))


@pytest.fixture(scope="module")
def own(before: dict[str, Any]) -> Iterator[Layout]:  # noqa: ARG001
    """A running sandbox that no other test uses, gone at the end whatever happened."""
    try:
        turnout("sandbox", "up", NAME, "--images", "busybox", timeout=1800)
        yield Layout(NAME)
    finally:
        cluster.down(NAME, Silent())


@pytest.fixture(scope="module")
def kube(own: Layout) -> Iterator[Kube]:
    with api.client(own) as client:
        yield client


@pytest.fixture(scope="module")
def boxes(own: Layout, kube: Kube) -> None:
    """A web server, a client that it serves, and a stranger, with the policies that say so."""
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "boxes"}}, MANAGER)
    eventually(lambda: kube.find("v1", "ServiceAccount", "default", "boxes"), every=0.1)
    for name in BOXES:
        kube.apply(box(name), MANAGER)
    for manifest in (service("web"), *policies()):
        kube.apply(manifest, MANAGER)
    for name in BOXES:
        eventually(partial(ready, kube, name), every=0.1)
    eventually(partial(reached, own))


def test_the_kubeconfig_is_private_and_the_server_verified(own: Layout) -> None:
    assert sandbox_kubeconfig(NAME).stat().st_mode & 0o777 == 0o600
    settings = own.settings()
    assert settings
    with pytest.raises(urllib.error.URLError, match="certificate verify failed"):
        urllib.request.urlopen(f"{settings.server}/readyz", context=ssl.create_default_context(), timeout=5)


def test_strangers_may_not_read(own: Layout) -> None:
    settings = own.settings()
    assert settings
    context = ssl.create_default_context(cafile=str(own.pki / "ca.crt"))
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(f"{settings.server}/api/v1/secrets", context=context, timeout=5)
    raised.value.close()
    assert raised.value.code == 403


def test_nothing_of_it_listens_on_the_hosts_own_addresses(own: Layout) -> None:
    listening = subprocess.run(["ss", "-Hltnup"], capture_output=True, text=True, check=True, timeout=30).stdout
    assert not [line for line in listening.splitlines() if any(f"pid={pid}," in line for pid in pids(own.identity()))]


@pytest.mark.usefixtures("boxes")
def test_cluster_dns_works_from_a_pod(own: Layout) -> None:
    assert "web.boxes.svc.cluster.local" in inside(own, "client", "nslookup", "web.boxes.svc.cluster.local").stdout
    assert inside(own, "client", "wget", "-qO-", "http://web").stdout == "web\n"


@pytest.mark.usefixtures("boxes")
def test_an_allowed_connection_passes_and_any_other_is_refused_at_once(own: Layout, kube: Kube) -> None:
    address = kube.get("v1", "Pod", "web", "boxes")["status"]["podIP"]
    for url in ("http://web.boxes.svc.cluster.local", f"http://{address}:8080"):
        assert inside(own, "client", "wget", "-qO-", url).stdout == "web\n"
    service = kube.get("v1", "Service", "web", "boxes")["spec"]["clusterIP"]
    for url, words in ((f"http://{address}:8080", "Connection refused"), (f"http://{service}", "No route to host")):
        began = time.monotonic()
        assert words in inside(own, "stranger", "wget", "-qO-", url, expect=1).stderr
        assert time.monotonic() - began < 30, "dropped packets would be sent again for minutes"


@pytest.mark.usefixtures("boxes")
def test_policies_know_a_pod_before_its_first_packet(kube: Kube) -> None:
    """A new client's first connection is not turned away, and a new stranger's is, without a packet sent again."""
    address = kube.get("v1", "Pod", "web", "boxes")["status"]["podIP"]
    ask = f"wget -qO- http://{address}:8080; grep Tcp: /proc/net/snmp"
    for name, expected in (("client", "web"), ("stranger", "Connection refused")):
        early = box(f"early-{name}")
        early["metadata"]["labels"] = {"name": name}
        early["spec"]["restartPolicy"] = "Never"
        early["spec"]["containers"][0] |= {"command": ["sh", "-c", ask], "readinessProbe": None}
        kube.apply(early, MANAGER)
        eventually(partial(ended, kube, f"early-{name}"), every=0.1)
        said = kube.logs("boxes", f"early-{name}")
        assert expected in said
        names, values = (line.split() for line in said.splitlines() if line.startswith("Tcp:"))
        assert dict(zip(names, values, strict=True))["RetransSegs"] == "0", said


@pytest.mark.usefixtures("boxes")
def test_a_policy_holds_soon_after_it_changes(own: Layout, kube: Kube) -> None:
    address = kube.get("v1", "Pod", "web", "boxes")["status"]["podIP"]
    opened = {**policy("open", "web", "Ingress"), "spec": {"podSelector": {}, "ingress": [{}], "egress": [{}]}}
    kube.apply(opened, MANAGER)

    def served() -> bool:
        return inside(own, "stranger", "wget", "-qO-", f"http://{address}:8080", expect=None).stdout == "web\n"

    eventually(served)
    kube.delete("networking.k8s.io/v1", "NetworkPolicy", "open", "boxes")
    eventually(lambda: not served())


@pytest.mark.usefixtures("boxes")
def test_a_pod_reaches_itself_through_its_service(own: Layout, kube: Kube) -> None:
    hairpin = {**policy("itself", "web", "Egress")}
    hairpin["spec"]["egress"] = [{"to": [{"podSelector": {"matchLabels": {"name": "web"}}}]}]
    kube.apply(hairpin, MANAGER)
    address = kube.get("v1", "Service", "web", "boxes")["spec"]["clusterIP"]

    def served() -> bool:
        return inside(own, "web", "wget", "-qO-", f"http://{address}", expect=None).stdout == "web\n"

    eventually(served)


@pytest.mark.usefixtures("boxes")
def test_the_host_reaches_services(kube: Kube) -> None:
    address = kube.get("v1", "Service", "web", "boxes")["spec"]["clusterIP"]
    with urllib.request.urlopen(f"http://{address}", timeout=5) as answer:
        assert answer.read() == b"web\n"


@pytest.mark.usefixtures("boxes")
def test_the_api_server_too_needs_an_opening(own: Layout, kube: Kube) -> None:
    settings = own.settings()
    assert settings
    ask = ("nc", "-w", "2", settings.subnets.first_service, "443")
    assert inside(own, "stranger", *ask, expect=None).returncode == 1
    opening = policy("api", "stranger", "Egress")
    opening["spec"]["egress"] = [{"ports": [{"port": settings.ports["kube-apiserver"]}]}]
    kube.apply(opening, MANAGER)
    eventually(lambda: inside(own, "stranger", *ask, expect=None).returncode == 0)


@pytest.mark.usefixtures("boxes")
def test_a_claim_gets_a_volume_that_its_pods_user_may_write_and_that_goes_with_it(own: Layout, kube: Kube) -> None:
    kube.apply(claim("data"), MANAGER)
    kube.apply(box("writer", claim="data"), MANAGER)
    eventually(lambda: ready(kube, "writer"), every=0.1)
    inside(own, "writer", "sh", "-c", "echo kept > /data/file")
    volume = kube.get("v1", "PersistentVolumeClaim", "data", "boxes")["spec"]["volumeName"]
    file = own.volumes / volume / "file"
    assert (file.read_text(), file.stat().st_uid) == ("kept\n", 1234)
    kube.delete("v1", "Pod", "writer", "boxes")
    kube.delete("v1", "PersistentVolumeClaim", "data", "boxes")
    eventually(lambda: kube.find("v1", "PersistentVolume", volume) is None)
    assert not file.parent.exists()


def test_admission_policies_and_pod_security_are_in_force(kube: Kube, boxes: None) -> None:  # noqa: ARG001
    strict = {"pod-security.kubernetes.io/enforce": "restricted"}
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "strict", "labels": strict}}, MANAGER)
    eventually(lambda: kube.find("v1", "ServiceAccount", "default", "strict"), every=0.1)
    bad = box("root")
    bad["metadata"]["namespace"] = "strict"
    bad["spec"]["securityContext"] = {"runAsUser": 0}
    with pytest.raises(Exception, match="violates PodSecurity"):
        kube.apply(bad, MANAGER, dry_run=True)
    good = box("good")
    good["metadata"]["namespace"] = "strict"
    kube.apply(good, MANAGER, dry_run=True)


@pytest.mark.usefixtures("boxes")
def test_add_ons(kube: Kube) -> None:
    turnout("sandbox", "up", NAME, "--with", "metrics-server,kube-state-metrics,gateway", timeout=1800)
    usage = kube.list("metrics.k8s.io/v1beta1", "NodeMetrics")
    assert [each["metadata"]["name"] for each in usage] == [NODE]
    told = kube.proxy("kube-system", "kube-state-metrics", "http", "/metrics")
    assert 'kube_deployment_status_replicas_available{namespace="kube-system",deployment="coredns"} 1' in told
    kube.apply(route(), MANAGER)
    kube.apply(opening_to_the_gateway(), MANAGER)

    def served() -> bool:
        status = kube.get("gateway.networking.k8s.io/v1", "Gateway", "turnout", "kube-system")["status"]
        try:
            with urllib.request.urlopen(f"http://{status['addresses'][0]['value']}/", timeout=5) as answer:
                return bool(answer.read() == b"web\n")
        except (OSError, LookupError):
            return False

    eventually(served)


def test_a_second_up_changes_nothing_and_is_fast(own: Layout) -> None:  # noqa: ARG001
    tries = [json.loads(turnout("sandbox", "up", NAME, "--json").stdout) for _ in range(5)]
    assert not any(again["started"] for again in tries)
    assert min(again["seconds"] for again in tries) < 2


@pytest.mark.usefixtures("boxes")
def test_it_comes_back_after_everything_was_killed(own: Layout, kube: Kube) -> None:
    kill_all(own.identity())
    assert "not run" in turnout("sandbox", "status", NAME, expect=1).stdout
    turnout("sandbox", "up", NAME, timeout=300)
    eventually(lambda: ready(kube, "web"))
    eventually(lambda: ready(kube, "client"))
    eventually(partial(reached, own))


def test_a_start_that_was_interrupted_is_picked_up(own: Layout) -> None:
    kill_all(own.identity())
    with subprocess.Popen([COMMAND, "sandbox", "up", NAME], stderr=subprocess.DEVNULL) as interrupted:
        time.sleep(1.5)
        interrupted.send_signal(signal.SIGKILL)
    turnout("sandbox", "up", NAME, timeout=300)
    assert status(own.name).problem == ""


def test_down_leaves_nothing(own: Layout, before: dict[str, Any]) -> None:
    turnout("sandbox", "down", NAME, timeout=120)
    assert not sandbox_dir(NAME).exists()
    assert not pids(own.identity())
    assert host_state(testinfra.get_host("local://")) == before
    assert "there is no sandbox" in turnout("sandbox", "status", NAME, expect=1).stderr
    assert json.loads(turnout("sandbox", "down", NAME, "--json").stdout)["removed"] is False


def host_state(host: testinfra.host.Host) -> dict[str, Any]:
    """All that a sandbox could leave behind on a host. By name where other sandboxes may come and go meanwhile."""

    def lines(command: str, about: str) -> list[str]:
        return [line for line in host.check_output(command).splitlines() if about in line]

    return {
        "mounts": [mount.path for mount in host.mount_point.get_mountpoints() if NAME in mount.path],
        "processes": [each.args for each in host.process.filter() if f"/{NAME}/" in each.args],
        "links": lines("ip -o link", device(Layout(NAME).identity())),
        "addresses": lines("ip -o addr", device(Layout(NAME).identity())),
        "routes": lines("ip route show table all", device(Layout(NAME).identity())),
        "tables": lines("nft list tables", NAME),
        "groups": lines("find /sys/fs/cgroup -maxdepth 2 -name turnout-*", NAME),
        "namespaces": host.run("ip netns list").stdout,
        "bridges": host.check_output("ip -o link show type bridge"),
        "places": [place for place in MOUNTS.values() if host.file(place).exists],
        "forwarding": host.check_output("sysctl -n net.ipv4.ip_forward"),
    }


def kill_all(identity: str) -> None:
    """`kill -9` of everything, again until nothing starts anything anymore."""
    while found := pids(identity):
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.05)


def reached(own: Layout) -> bool:
    """Whether the client gets to the web server: rules follow a pod's readiness."""
    return inside(own, "client", "wget", "-qO-", "http://web", expect=None).stdout == "web\n"


def inside(
    own: Layout, pod: str, *command: str, expect: int | None = 0, timeout: float = 30
) -> subprocess.CompletedProcess[str]:
    """`kubectl exec`, since the sandbox brings it along. What hangs ends with 124, where nothing else is expected."""
    kubectl = str(ensure(["kubernetes"], Silent())["kubectl"])
    words = [kubectl, f"--kubeconfig={own.kubeconfig}", "--namespace=boxes", "exec", pod, "--", *command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        if expect is not None:
            raise
        return subprocess.CompletedProcess(words, 124, "", "")
    if expect is not None:
        assert done.returncode == expect, f"{command} in {pod}: {done.stdout}{done.stderr}"
    return done


def ready(kube: Kube, name: str) -> bool:
    try:
        conditions = kube.get("v1", "Pod", name, "boxes")["status"].get("conditions", [])
    except NotFound:
        return False
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def ended(kube: Kube, name: str) -> bool:
    return kube.get("v1", "Pod", name, "boxes").get("status", {}).get("phase") in ("Succeeded", "Failed")
