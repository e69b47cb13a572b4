"""What a sandbox's cluster holds from the start: rights of its own programs, the default StorageClass, cluster DNS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cli.sandbox import node_config
from cli.sandbox.layout import NODE, Settings

Manifest = dict[str, Any]
PROVISIONER = "turnout.dev/local"
MANAGER = "turnout-sandbox"
STORAGE_CLASS = "local"
RBAC = "rbac.authorization.k8s.io"
_DNS_LABELS = {"k8s-app": "kube-dns"}
_READ = ["get", "list", "watch"]


def always(settings: Settings) -> list[Manifest]:
    """For real and simulated pods."""
    return [*rights(), storage_class()] + ([simulated_node()] if settings.pods == "simulated" else [])


def rights() -> list[Manifest]:
    keeper = [
        rule("", ["pods", "namespaces", "nodes", "persistentvolumeclaims"], _READ),
        rule("networking.k8s.io", ["networkpolicies"], _READ),
        rule("", ["persistentvolumes"], [*_READ, "create", "delete", "patch"]),
    ]
    return [
        binding("turnout:kubelet-api", "system:kubelet-api-admin", {"kind": "Group", "name": "turnout:kubelet-api"}),
        role("turnout:keeper", keeper),
        binding("turnout:keeper", "turnout:keeper", {"kind": "User", "name": "turnout:keeper"}),
    ]


def storage_class() -> Manifest:
    """The default class; `volumes` provisions it."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": STORAGE_CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def simulated_node() -> Manifest:
    """A node that kwok keeps ready, big enough for any environment."""
    room = {"cpu": "32", "memory": "128Gi", "pods": "250", "ephemeral-storage": "1Ti"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": NODE,
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {"kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"},
        },
        "status": {"allocatable": room, "capacity": room},
    }


def dns(settings: Settings, image: str, upstream: Sequence[str]) -> list[Manifest]:
    """CoreDNS as every cluster has it: Service `kube-dns`, label `k8s-app: kube-dns`, in `kube-system`."""
    namespace = {"namespace": "kube-system"}
    subject = {"kind": "ServiceAccount", "name": "coredns", "namespace": "kube-system"}
    rules = [
        rule("", ["endpoints", "services", "pods", "namespaces"], ["list", "watch"]),
        rule("discovery.k8s.io", ["endpointslices"], ["list", "watch"]),
    ]
    ports = [("dns", 53, "UDP"), ("dns-tcp", 53, "TCP"), ("metrics", 9153, "TCP")]
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "coredns", **namespace}},
        role("system:coredns", rules),
        binding("system:coredns", "system:coredns", subject),
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "coredns", **namespace},
            "data": {"Corefile": node_config.corefile(upstream)},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "kube-dns", **namespace, "labels": {**_DNS_LABELS, "kubernetes.io/name": "CoreDNS"}},
            "spec": {
                "clusterIP": settings.subnets.dns,
                "selector": _DNS_LABELS,
                "ports": [{"name": n, "port": p, "protocol": t, "targetPort": n} for n, p, t in ports],
            },
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "coredns", **namespace, "labels": _DNS_LABELS},
            "spec": {
                "replicas": 1,
                "strategy": {"rollingUpdate": {"maxUnavailable": 0}},
                "selector": {"matchLabels": _DNS_LABELS},
                "template": {"metadata": {"labels": _DNS_LABELS}, "spec": _dns_pod(image)},
            },
        },
    ]


def _dns_pod(image: str) -> Manifest:
    container = {
        "name": "coredns",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [
            {"name": "dns", "containerPort": 53, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
            {"name": "metrics", "containerPort": 9153, "protocol": "TCP"},
        ],
        "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}, "periodSeconds": 10, "failureThreshold": 5},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "50m", "memory": "40Mi"}, "limits": {"memory": "170Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns", "readOnly": True}],
    }
    return {
        "serviceAccountName": "coredns",
        "priorityClassName": "system-cluster-critical",
        "dnsPolicy": "Default",
        "securityContext": {"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]},
        "terminationGracePeriodSeconds": 10,
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": "coredns"}}],
    }


def rule(group: str, resources: list[str], verbs: list[str]) -> Manifest:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


def role(name: str, rules: list[Manifest]) -> Manifest:
    return {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}


def binding(name: str, role: str, subject: Manifest) -> Manifest:
    group = {} if subject["kind"] == "ServiceAccount" else {"apiGroup": RBAC}
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{**subject, **group}],
    }
