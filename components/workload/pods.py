"""A workload's pod template: Pod Security "restricted", read-only root, files as directories. Pure."""

from __future__ import annotations

from typing import Any, Final

from components.environment import Placement
from components.workload import files
from components.workload.naming import labels, object_name, selector
from components.workload.spec import (
    ConfigFiles,
    HostPath,
    Port,
    Probe,
    Resources,
    Scratch,
    SecretFiles,
    Spread,
    Storage,
    WorkloadSpec,
)

DRAIN_MARGIN: Final = 5
"""Seconds between the end of the longest request and the kill."""
_SECRET_FILE_MODE: Final = 0o440
_HOSTNAME: Final = "kubernetes.io/hostname"
_ZONE: Final = "topology.kubernetes.io/zone"


def template(spec: WorkloadSpec, placement: Placement) -> dict[str, Any]:
    metadata = {"labels": {**labels(spec, placement), **spec.labels}}
    annotations = _annotations(spec)
    return {"metadata": metadata | present(annotations=annotations), "spec": pod(spec, placement)}


def pod(spec: WorkloadSpec, placement: Placement) -> dict[str, Any]:
    return {
        "serviceAccountName": object_name(spec),
        "automountServiceAccountToken": spec.api_token,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": grace_period(spec),
        "securityContext": _pod_security(spec),
        "containers": [_container(spec)],
        **present(
            restartPolicy="Never" if spec.runs in ("once", "scheduled") else None,
            volumes=_volumes(spec, placement),
            topologySpreadConstraints=_spread(spec, placement),
            affinity=_affinity(spec, placement),
            tolerations=[{"operator": "Exists"}] if spec.runs == "every-node" else None,
            hostNetwork=(spec.host and spec.host.network) or None,
            hostPID=(spec.host and spec.host.processes) or None,
            dnsPolicy="ClusterFirstWithHostNet" if spec.host and spec.host.network else None,
        ),
    }


def grace_period(spec: WorkloadSpec) -> int:
    """Seconds from the start of preStop to the kill: the pause counts inside it."""
    return spec.drain.pause + spec.drain.longest_request + DRAIN_MARGIN


def present(**fields: Any) -> dict[str, Any]:
    """The fields that say something."""
    return {key: value for key, value in fields.items() if value is not None and value not in ([], {}, "")}


def cpu(millicores: int) -> str:
    """Canonical: the spelling that the API server itself gives back."""
    return f"{millicores}m" if millicores % 1000 else str(millicores // 1000)


def mebibytes(size: int) -> str:
    """Canonical: the largest binary unit that divides evenly."""
    return f"{size}Mi" if size % 1024 else f"{size // 1024}Gi"


def _annotations(spec: WorkloadSpec) -> dict[str, str]:
    written = {"turnout.dev/host-access": spec.host.reason} if spec.host else {}
    return {**spec.annotations, **written}


def _container(spec: WorkloadSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "image": spec.image,
        "imagePullPolicy": "IfNotPresent",
        "resources": _resources(spec.resources),
        "securityContext": _container_security(spec),
        **present(
            command=list(spec.command),
            args=list(spec.args),
            env=_env(spec),
            ports=[_port(port) for port in spec.ports],
            volumeMounts=_mounts(spec),
            startupProbe=_probe(spec.probes.startup),
            readinessProbe=_probe(spec.probes.readiness),
            livenessProbe=_probe(spec.probes.liveness),
            lifecycle={"preStop": {"sleep": {"seconds": spec.drain.pause}}} if spec.drain.pause else None,
        ),
    }


def _pod_security(spec: WorkloadSpec) -> dict[str, Any]:
    user = spec.user if spec.host is None or spec.host.user is None else spec.host.user
    identity = {"runAsNonRoot": user != 0, "runAsUser": user, "runAsGroup": user}
    owned = {"fsGroup": user, "fsGroupChangePolicy": "OnRootMismatch"} if spec.storage or spec.secrets else {}
    return {**identity, **owned, "seccompProfile": {"type": "RuntimeDefault"}}


def _container_security(spec: WorkloadSpec) -> dict[str, Any]:
    added = list(spec.host.capabilities) if spec.host else []
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"], **present(add=added)},
        "readOnlyRootFilesystem": True,
    }


def _resources(wanted: Resources) -> dict[str, Any]:
    limits = {"memory": mebibytes(wanted.memory_limit or wanted.memory)}
    if wanted.cpu_limit:
        limits["cpu"] = cpu(wanted.cpu_limit)
    return {"requests": {"cpu": cpu(wanted.cpu), "memory": mebibytes(wanted.memory)}, "limits": limits}


def _env(spec: WorkloadSpec) -> list[dict[str, Any]]:
    from_pod = [
        {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
        for name, path in sorted(spec.env_from_pod.items())
    ]
    return from_pod + [{"name": name, "value": value} for name, value in sorted(spec.env.items())]


def _port(port: Port) -> dict[str, Any]:
    return {"name": port.name, "containerPort": port.number, "protocol": port.protocol}


def _probe(probe: Probe | None) -> dict[str, Any] | None:
    if probe is None:
        return None
    question: dict[str, Any]
    if probe.command:
        question = {"exec": {"command": list(probe.command)}}
    elif probe.path:
        question = {"httpGet": {"path": probe.path, "port": probe.port}}
    else:
        question = {"tcpSocket": {"port": probe.port}}
    timing = {
        "periodSeconds": probe.period,
        "timeoutSeconds": probe.timeout,
        "failureThreshold": probe.failures,
        **({"initialDelaySeconds": probe.delay} if probe.delay else {}),
    }
    return question | timing


def _volumes(spec: WorkloadSpec, placement: Placement) -> list[dict[str, Any]]:
    config = [
        {"name": item.name, "configMap": {"name": files.config_map(spec, placement, item)["metadata"]["name"]}}
        for item in spec.config
    ]
    secrets = [
        {
            "name": item.name,
            "secret": {"secretName": _secret_name(spec, placement, item), "defaultMode": _SECRET_FILE_MODE},
        }
        for item in spec.secrets
    ]
    scratch = [
        {
            "name": item.name,
            "emptyDir": {"sizeLimit": mebibytes(item.size), **({"medium": "Memory"} if item.memory else {})},
        }
        for item in spec.scratch
    ]
    return config + secrets + scratch + [_host_volume(path) for path in _host_paths(spec)]


def _secret_name(spec: WorkloadSpec, placement: Placement, item: SecretFiles) -> str:
    return str(files.secret(spec, placement, item)["metadata"]["name"])


def _host_paths(spec: WorkloadSpec) -> tuple[HostPath, ...]:
    return spec.host.paths if spec.host else ()


def _host_volume(path: HostPath) -> dict[str, Any]:
    return {"name": path.name, "hostPath": {"path": path.host, **present(type=path.kind)}}


def _mounts(spec: WorkloadSpec) -> list[dict[str, Any]]:
    fixed: list[ConfigFiles | SecretFiles] = [*spec.config, *spec.secrets]
    free: list[Scratch | Storage] = [*spec.scratch, *spec.storage]
    read_only = [{"name": item.name, "mountPath": item.path, "readOnly": True} for item in fixed]
    writable = [{"name": item.name, "mountPath": item.path} for item in free]
    return read_only + writable + [_host_mount(path) for path in _host_paths(spec)]


def _host_mount(path: HostPath) -> dict[str, Any]:
    mount: dict[str, Any] = {"name": path.name, "mountPath": path.path}
    if not path.writable:
        mount["readOnly"] = True
    if path.propagation != "None":
        mount["mountPropagation"] = path.propagation
    return mount


def _spread(spec: WorkloadSpec, placement: Placement) -> list[dict[str, Any]]:
    if not _has_several(spec):
        return []
    hosts = _constraint(spec, placement, _HOSTNAME, required=spec.spread.required)
    return [hosts, _constraint(spec, placement, _ZONE, required=False)] if spec.spread.required else [hosts]


def _constraint(spec: WorkloadSpec, placement: Placement, key: str, *, required: bool) -> dict[str, Any]:
    return {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "DoNotSchedule" if required else "ScheduleAnyway",
        "labelSelector": {"matchLabels": selector(spec, placement)},
        **({"matchLabelKeys": ["pod-template-hash"]} if spec.runs == "replicated" else {}),
    }


def _affinity(spec: WorkloadSpec, placement: Placement) -> dict[str, Any] | None:
    if not (_has_several(spec) and _wants_distance(spec.spread)):
        return None
    term = {"topologyKey": _HOSTNAME, "labelSelector": {"matchLabels": selector(spec, placement)}}
    preferred = [{"weight": 100, "podAffinityTerm": term}]
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}


def _wants_distance(spread: Spread) -> bool:
    return spread.required


def _has_several(spec: WorkloadSpec) -> bool:
    return spec.runs in ("replicated", "stateful") and (spec.autoscale is not None or spec.replicas > 1)
