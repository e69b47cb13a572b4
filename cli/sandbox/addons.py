"""What `sandbox up --with` adds to a cluster.

An add-on is images and a function to its manifests; adding one means adding a row to `ADDONS`."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from cli.errors import UsageError
from cli.progress import Progress
from cli.sandbox import certs, gateway, images
from cli.sandbox.certs import Wish
from cli.sandbox.layout import Layout, Settings
from cli.sandbox.manifests import RBAC, Manifest, binding, role, rule
from cli.sandbox.runtime import Archive
from components.versions import SANDBOX_IMAGES

NAMESPACE = "kube-system"
METRICS_PORT = 4443
STATE_PORT = 8080
_STATE_KINDS = {
    "": "nodes pods services configmaps secrets namespaces persistentvolumeclaims persistentvolumes"
    " replicationcontrollers resourcequotas limitranges endpoints serviceaccounts",
    "apps": "deployments statefulsets daemonsets replicasets",
    "batch": "jobs cronjobs",
    "autoscaling": "horizontalpodautoscalers",
    "policy": "poddisruptionbudgets",
    "networking.k8s.io": "networkpolicies ingresses ingressclasses",
    "storage.k8s.io": "storageclasses volumeattachments",
    "coordination.k8s.io": "leases",
    "certificates.k8s.io": "certificatesigningrequests",
    "admissionregistration.k8s.io": "mutatingwebhookconfigurations validatingwebhookconfigurations",
    "discovery.k8s.io": "endpointslices",
}
_STRICT = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


@dataclass(frozen=True)
class Addon:
    """It is ready when the Deployment of its name is. `definitions`: kinds of its own, that come first."""

    name: str
    images: Callable[[Progress], Sequence[Archive]]
    manifests: Callable[[Layout, Settings], list[Manifest]]
    definitions: Callable[[Progress], list[tuple[str, bytes]]] = lambda _: []


def find(names: Sequence[str]) -> list[Addon]:
    """Raises UsageError for a name that is no add-on's."""
    known = {addon.name: addon for addon in ADDONS}
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"no add-on is called {', '.join(unknown)}", why=f"there are: {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)]


def metrics_server(layout: Layout, _: Settings) -> list[Manifest]:
    """For `kubectl top` and HorizontalPodAutoscalers. Both connections are verified: it checks kubelet's certificate,
    the API server checks the one that the sandbox's authority gives it here."""
    name, service = "metrics-server", f"metrics-server.{NAMESPACE}.svc"
    certs.issue(layout, Wish(name, "ca", name, hosts=(service,)))
    files = {key: _data(layout, f"{name}.{suffix}") for key, suffix in (("tls.crt", "crt"), ("tls.key", "key"))}
    arguments = [
        f"--secure-port={METRICS_PORT}",
        "--tls-cert-file=/tls/tls.crt",
        "--tls-private-key-file=/tls/tls.key",
        "--kubelet-certificate-authority=/authority/ca.crt",
        "--kubelet-preferred-address-types=InternalIP",
        "--metric-resolution=10s",
        "--kubelet-request-timeout=5s",
    ]
    volumes = [
        {"name": "tls", "secret": {"secretName": name}},
        {"name": "authority", "configMap": {"name": "kube-root-ca.crt"}},
    ]
    group = {"group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100}
    reads = [
        rule("", ["nodes/metrics"], ["get"]),
        rule("", ["pods", "nodes"], ["get", "list", "watch"]),
        rule("metrics.k8s.io", ["pods", "nodes"], ["get", "list", "watch"]),
    ]
    return [
        _account(name),
        role(f"system:{name}", reads),
        binding(f"system:{name}", f"system:{name}", _subject(name)),
        binding(f"{name}:system:auth-delegator", "system:auth-delegator", _subject(name)),
        _reader_of_authentication(name),
        _object("v1", "Secret", name, type="kubernetes.io/tls", data=files),
        _service(name, 443, "https"),
        _deployment(name, arguments, ("https", METRICS_PORT), "/readyz", "HTTPS", volumes, ("/tls", "/authority")),
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": "v1beta1.metrics.k8s.io"},
            "spec": {
                **group,
                "service": {"name": name, "namespace": NAMESPACE, "port": 443},
                "caBundle": _data(layout, "ca.crt"),
            },
        },
    ]


def kube_state_metrics(_: Layout, __: Settings) -> list[Manifest]:
    """What the cluster says of its objects, for Prometheus: `kube-state-metrics.kube-system.svc:8080`."""
    name = "kube-state-metrics"
    reads = [rule(group, kinds.split(), ["list", "watch"]) for group, kinds in _STATE_KINDS.items()]
    arguments = [f"--port={STATE_PORT}", "--telemetry-port=8081"]
    return [
        _account(name),
        role(f"system:{name}", reads),
        binding(f"system:{name}", f"system:{name}", _subject(name)),
        _service(name, STATE_PORT, "http"),
        _deployment(name, arguments, ("http", STATE_PORT), "/healthz", "HTTP", [], ()),
    ]


ADDONS = (
    Addon("metrics-server", partial(images.ensure, ("metrics-server",)), metrics_server),
    Addon("kube-state-metrics", partial(images.ensure, ("kube-state-metrics",)), kube_state_metrics),
    Addon("gateway", gateway.image, gateway.manifests, gateway.definitions),
)


def _object(api_version: str, kind: str, name: str, **fields: Any) -> Manifest:
    metadata = {"name": name, "namespace": NAMESPACE, "labels": _labels(name)}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def _labels(name: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": name}


def _account(name: str) -> Manifest:
    return _object("v1", "ServiceAccount", name)


def _subject(name: str) -> Manifest:
    return {"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}


def _reader_of_authentication(name: str) -> Manifest:
    return _object(
        f"{RBAC}/v1",
        "RoleBinding",
        f"{name}-auth-reader",
        roleRef={"apiGroup": RBAC, "kind": "Role", "name": "extension-apiserver-authentication-reader"},
        subjects=[_subject(name)],
    )


def _service(name: str, port: int, target: str) -> Manifest:
    ports = [{"name": target, "port": port, "targetPort": target}]
    return _object("v1", "Service", name, spec={"selector": _labels(name), "ports": ports})


def _deployment(
    name: str,
    arguments: list[str],
    port: tuple[str, int],
    health: str,
    scheme: str,
    volumes: list[Manifest],
    mounts: tuple[str, ...],
) -> Manifest:
    container = {
        "name": name,
        "image": SANDBOX_IMAGES[name],
        "imagePullPolicy": "IfNotPresent",
        "args": arguments,
        "ports": [{"name": port[0], "containerPort": port[1]}],
        "readinessProbe": {"httpGet": {"path": health, "port": port[0], "scheme": scheme}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "20m", "memory": "48Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": _STRICT,
        "volumeMounts": [
            {"name": volume["name"], "mountPath": path, "readOnly": True}
            for volume, path in zip(volumes, mounts, strict=True)
        ],
    }
    pod = {
        "serviceAccountName": name,
        "priorityClassName": "system-cluster-critical",
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": volumes,
    }
    template = {"metadata": {"labels": _labels(name)}, "spec": pod}
    spec = {"replicas": 1, "selector": {"matchLabels": _labels(name)}, "template": template}
    return _object("apps/v1", "Deployment", name, spec=spec)


def _data(layout: Layout, file: str) -> str:
    return base64.b64encode((layout.pki / file).read_bytes()).decode()
