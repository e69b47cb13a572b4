"""What the test of a sandbox puts into it: pods as strict as can be, and what they may reach."""

from __future__ import annotations

from typing import Any

from components.versions import SANDBOX_IMAGES

BOXES = ("web", "client", "stranger")


def box(name: str, *, claim: str | None = None) -> dict[str, Any]:
    """A pod as strict as Pod Security asks for, that serves its own name."""
    volumes = [{"name": "www", "emptyDir": {}}]
    mounts = [{"name": "www", "mountPath": "/www"}]
    if claim:
        volumes.append({"name": "data", "persistentVolumeClaim": {"claimName": claim}})
        mounts.append({"name": "data", "mountPath": "/data"})
    user = {"runAsNonRoot": True, "runAsUser": 1234, "fsGroup": 2345, "seccompProfile": {"type": "RuntimeDefault"}}
    strict = {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    serve = f"echo {name} > /www/index.html; exec httpd -f -p 8080 -h /www"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "boxes", "labels": {"name": name}},
        "spec": {
            "securityContext": user,
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    "name": "main",
                    "image": SANDBOX_IMAGES["busybox"],
                    "command": ["sh", "-c", serve],
                    "ports": [{"name": "http", "containerPort": 8080}],
                    "readinessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1},
                    "resources": {"limits": {"memory": "32Mi"}},
                    "securityContext": strict,
                    "volumeMounts": mounts,
                }
            ],
            "volumes": volumes,
        },
    }


def service(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "boxes"},
        "spec": {"selector": {"name": name}, "ports": [{"port": 80, "targetPort": "http"}]},
    }


def policies() -> list[dict[str, Any]]:
    """Nothing passes, but the client to the web server's named port, and to DNS."""
    deny = policy("deny", None, "Ingress", "Egress")
    serving = policy("serve", "web", "Ingress")
    client = {"podSelector": {"matchLabels": {"name": "client"}}}
    serving["spec"]["ingress"] = [{"from": [client], "ports": [{"port": "http"}]}]
    calling = policy("call", "client", "Egress")
    names = {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}
    dns = {"namespaceSelector": names, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}
    calling["spec"]["egress"] = [
        {"to": [{"podSelector": {"matchLabels": {"name": "web"}}}], "ports": [{"port": "http"}]},
        {"to": [dns], "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}]},
    ]
    return [deny, serving, calling]


def policy(name: str, pod: str | None, *types: str) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "boxes"},
        "spec": {"podSelector": {"matchLabels": {"name": pod}} if pod else {}, "policyTypes": [*types]},
    }


def opening_to_the_gateway() -> dict[str, Any]:
    """The gateway's pods are in another namespace, so the web server's policy has to name them."""
    opening = policy("gateway", "web", "Ingress")
    names = {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}
    pods = {"matchLabels": {"app.kubernetes.io/name": "gateway"}}
    opening["spec"]["ingress"] = [{"from": [{"namespaceSelector": names, "podSelector": pods}]}]
    return opening


def route() -> dict[str, Any]:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "web", "namespace": "boxes"},
        "spec": {
            "parentRefs": [{"name": "turnout", "namespace": "kube-system"}],
            "rules": [{"backendRefs": [{"name": "web", "port": 80}]}],
        },
    }


def claim(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "boxes"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
