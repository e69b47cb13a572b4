"""What a sandbox's API server says about the sandbox's own state."""

from __future__ import annotations

import os
import socket
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.sandbox import dns
from cli.sandbox.layout import NODE, Layout, Settings

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from cli.kube.health import Health

READY_TIMEOUT = 5.0
API_NAME = "kubernetes.default.svc.cluster.local"


@dataclass(frozen=True)
class Target:
    """The sandbox as `cli.kube` wants it."""

    kubeconfig: Path
    context: str | None = None


def client(layout: Layout, user: Path | None = None) -> Kube:
    """A client with the administrator's rights, or with another kubeconfig's."""
    from cli.kube.client import connect

    return connect(Target(user or layout.kubeconfig))


def not_ready(layout: Layout, settings: Settings) -> str:
    """Why the API server does not serve yet, or nothing."""
    context = ssl.create_default_context(cafile=str(layout.pki / "ca.crt"))
    context.load_cert_chain(layout.pki / "admin.crt", layout.pki / "admin.key")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(f"{settings.server}/readyz", timeout=READY_TIMEOUT):
            return ""
    except urllib.error.HTTPError as error:
        with error:
            return _unready(error.read().decode(errors="replace"))
    except OSError as error:
        return str(getattr(error, "reason", error))


def _unready(text: str) -> str:
    failed = [line[3:].split()[0] for line in text.splitlines() if line.startswith("[-]")]
    return f"waiting for {', '.join(failed[:3])}" if failed else "not ready"


def listens(path: Path) -> bool:
    """Whether a program accepts connections on this Unix socket. It is named through its folder's descriptor, since a
    socket's own path may have 107 characters only (unix(7))."""
    try:
        folder = os.open(path.parent, os.O_PATH)
    except OSError:
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(f"/proc/self/fd/{folder}/{path.name}")
        except OSError:
            return False
        finally:
            os.close(folder)
    return True


def cluster_problem(layout: Layout, settings: Settings, since: float = 0.0) -> str:
    """Why pods cannot run yet, or nothing. `since`: kubelet must have been heard of after that (seconds of the epoch),
    so that what was true before a crash is not taken for now."""
    with client(layout) as kube:
        node = kube.find("v1", "Node", NODE)
        if reason := node_problem(node):
            return reason
        lease = kube.find("coordination.k8s.io/v1", "Lease", NODE, "kube-node-lease")
    if max(renewed(lease), heard(node)) < since:
        return "the node has not reported since the start"
    if settings.pods == "real" and not dns.answers(settings.subnets.dns, API_NAME):
        return "cluster DNS does not answer yet"
    return ""


def deployment_health(layout: Layout, name: str, namespace: str) -> Health:
    """How a Deployment is, and why."""
    from cli.kube.health import health
    from cli.kube.related import gather

    with client(layout) as kube:
        found = kube.get("apps/v1", "Deployment", name, namespace)
        return health(found, kube.run(gather(kube.server, found)))


def define(layout: Layout, name: str, text: bytes, manager: str) -> None:
    """Apply a CustomResourceDefinition as it is written, in YAML."""
    from cli.kube.errors import from_answer
    from cli.kube.requests import PATCHES, Request, Write

    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"
    params = Write(manager, force=True).params(apply=True)
    request = Request("PATCH", path, f"define {name}", params, text, PATCHES["apply"])
    with client(layout) as kube:
        answer = kube.request(request)
    if answer.status >= 400:
        raise from_answer(request.action, answer.status, answer.body)


def undefined(layout: Layout, name: str) -> str:
    """Why objects of the kind cannot be made yet, or nothing."""
    with client(layout) as kube:
        found = kube.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", name)
    conditions = found.get("status", {}).get("conditions") or []
    established = any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
    return "" if established else f"{name} is not established yet"


def renewed(lease: dict[str, Any] | None) -> float:
    """When the lease was last renewed, in seconds of the epoch."""
    return _seconds((lease or {}).get("spec", {}).get("renewTime"))


def heard(node: dict[str, Any] | None) -> float:
    """When kubelet last reported the node's conditions, in whole seconds of the epoch, rounded up."""
    conditions = (node or {}).get("status", {}).get("conditions", [])
    return max((_seconds(each.get("lastHeartbeatTime")) + 1 for each in conditions), default=0.0)


def _seconds(text: str | None) -> float:
    return datetime.fromisoformat(text).timestamp() if text else 0.0


def node_problem(node: dict[str, Any] | None) -> str:
    """Why the node is not ready, in kubelet's words."""
    if node is None:
        return "the node has not registered yet"
    conditions = node.get("status", {}).get("conditions", [])
    ready = next((condition for condition in conditions if condition["type"] == "Ready"), None)
    if ready is None:
        return "the node has not reported yet"
    return "" if ready["status"] == "True" else f"the node is not ready: {ready.get('message', '')}"
