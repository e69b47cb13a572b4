"""Manifests that the pairs change: small, valid, and never waited for."""

from __future__ import annotations

from typing import Any

from tests.parity.pair import NAMESPACE, Manifest

TURNOUT = {"pulumi.com/patchFieldManager": "turnout"}
SKIP = {"pulumi.com/skipAwait": "true"}
GROUP = f"{NAMESPACE}.example.com"


def obj(api_version: str, kind: str, name: str, body: Manifest | None = None, **metadata: Any) -> Manifest:
    """An object of the run's namespace, under turnout's manager unless `annotations` say otherwise."""
    annotations = metadata.pop("annotations", TURNOUT)
    notes = {"annotations": annotations} if annotations else {}
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE, **metadata, **notes},
        **(body or {}),
    }


def wide(api_version: str, kind: str, name: str, body: Manifest | None = None, **metadata: Any) -> Manifest:
    """A cluster-wide object, named after the run."""
    made = obj(api_version, kind, f"{NAMESPACE}-{name}", body, **metadata)
    del made["metadata"]["namespace"]
    return made


def config_map(name: str, **data: Any) -> Manifest:
    return obj("v1", "ConfigMap", name, {"data": data or {"a": "1", "b": "2"}})


def secret(name: str, **body: Any) -> Manifest:
    return obj("v1", "Secret", name, body)


def container(**more: Any) -> Manifest:
    return {"name": "c", "image": "turnout.local/busybox:1", "command": ["sleep", "3600"], **more}


def template(name: str, *containers: Manifest, **spec: Any) -> Manifest:
    """A pod template that no node takes."""
    nowhere = {"nodeSelector": {"turnout.dev/nowhere": "true"}}
    return {
        "metadata": {"labels": {"app": name}},
        "spec": {**nowhere, "containers": list(containers) or [container()], **spec},
    }


def deployment(name: str, *containers: Manifest, **spec: Any) -> Manifest:
    body = {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": template(name, *containers)}
    return obj("apps/v1", "Deployment", name, {"spec": {**body, **spec}}, annotations={**TURNOUT, **SKIP})


def stateful_set(name: str, **spec: Any) -> Manifest:
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    body = {
        "replicas": 0,
        "serviceName": name,
        "selector": {"matchLabels": {"app": name}},
        "template": template(name),
        "volumeClaimTemplates": [claim],
    }
    return obj("apps/v1", "StatefulSet", name, {"spec": {**body, **spec}}, annotations={**TURNOUT, **SKIP})


def daemon_set(name: str, **spec: Any) -> Manifest:
    body = {"selector": {"matchLabels": {"app": name}}, "template": template(name)}
    return obj("apps/v1", "DaemonSet", name, {"spec": {**body, **spec}}, annotations={**TURNOUT, **SKIP})


def job(name: str, **spec: Any) -> Manifest:
    body = {"suspend": True, "completions": 1, "parallelism": 1, "template": template(name, restartPolicy="Never")}
    return obj("batch/v1", "Job", name, {"spec": {**body, **spec}}, annotations={**TURNOUT, **SKIP})


def cron_job(name: str, **spec: Any) -> Manifest:
    body = {
        "schedule": "0 3 * * *",
        "suspend": True,
        "jobTemplate": {"spec": {"template": template(name, restartPolicy="Never")}},
    }
    return obj("batch/v1", "CronJob", name, {"spec": {**body, **spec}})


def pod(name: str, **spec: Any) -> Manifest:
    body = {"terminationGracePeriodSeconds": 0, **template(name)["spec"], **spec}
    return obj("v1", "Pod", name, {"spec": body}, annotations={**TURNOUT, **SKIP}, labels={"app": name})


def service(name: str, **spec: Any) -> Manifest:
    body = {"selector": {"app": name}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}
    return obj("v1", "Service", name, {"spec": {**body, **spec}}, annotations={**TURNOUT, **SKIP})


def definition(plural: str, kind: str, *, scope: str = "Namespaced", **schema: Any) -> Manifest:
    properties = {"spec": {"type": "object", "x_kubernetes_preserve_unknown_fields": True}, **schema}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}},
    }
    made = wide("apiextensions.k8s.io/v1", "CustomResourceDefinition", plural)
    made["metadata"]["name"] = f"{plural}.{GROUP}"
    names = {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"}
    return {**made, "spec": {"group": GROUP, "scope": scope, "names": names, "versions": [version]}}


def claim(name: str, **spec: Any) -> Manifest:
    body = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "turnout-nowhere",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    return obj("v1", "PersistentVolumeClaim", name, {"spec": {**body, **spec}}, annotations={**TURNOUT, **SKIP})
