"""Alertmanager as a workload. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from components.alertmanager import config
from components.alertmanager.settings import AlertmanagerSettings
from components.environment import Placement
from components.manifest import Manifest
from components.monitoring.settings import seconds
from components.workload import (
    Accepts,
    Calls,
    ConfigFiles,
    Drain,
    Outside,
    Port,
    Probe,
    Probes,
    SecretFiles,
    Spread,
    Storage,
    Workloads,
    WorkloadSpec,
)

NAME: Final = "alertmanager"
PEERS: Final = "alertmanager-peers"


def workload(settings: AlertmanagerSettings, placement: Placement, image: str) -> WorkloadSpec:
    """Alertmanager of one environment; several replicas tell each other what was sent already."""
    secrets = config.secret_files(settings)
    return WorkloadSpec(
        name=NAME,
        image=image,
        runs="stateful",
        replicas=settings.replicas,
        args=(
            f"--config.file={config.CONFIG_PATH}/{config.CONFIG_FILE}",
            f"--storage.path={config.DATA_PATH}",
            f"--data.retention={int(seconds(settings.retention))}s",
            f"--web.listen-address=:{config.PORT}",
            "--log.format=json",
            *_cluster(settings, placement),
        ),
        env_from_pod={"POD_IP": "status.podIP"},
        ports=_ports(settings),
        config=(ConfigFiles(path=config.CONFIG_PATH, files=config.files(settings)),),
        secrets=(SecretFiles(path=config.SECRETS_PATH, files=secrets),) if secrets else (),
        storage=(
            Storage(name="data", path=config.DATA_PATH, size=settings.storage, storage_class=settings.storage_class),
        ),
        resources=settings.resources.resources(),
        probes=Probes(
            startup=Probe(port="http", path="/-/ready", period=1, failures=60),
            readiness=Probe(port="http", path="/-/ready", period=5),
            liveness=Probe(port="http", path="/-/healthy", period=10, timeout=5, failures=6),
        ),
        drain=Drain(pause=0, longest_request=15),
        accepts=tuple(_accepts(settings)),
        calls=tuple(_calls(settings)),
        spread=Spread(required=placement.tier == "prod"),
    )


def peers(settings: AlertmanagerSettings, placement: Placement) -> list[Manifest]:
    """The name under which replicas find each other, also before they are ready; none for a single one."""
    if settings.replicas == 1:
        return []
    metadata = {"name": PEERS, "namespace": placement.namespace, "labels": placement.labels(NAME)}
    ports = [
        {"name": f"cluster-{protocol.lower()}", "port": config.CLUSTER_PORT, "protocol": protocol}
        for protocol in ("TCP", "UDP")
    ]
    body = {
        "clusterIP": "None",
        "publishNotReadyAddresses": True,
        "selector": placement.selector(NAME),
        "ports": ports,
    }
    return [{"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": body}]


def _cluster(settings: AlertmanagerSettings, placement: Placement) -> Iterator[str]:
    if settings.replicas == 1:
        yield "--cluster.listen-address="
        return
    yield f"--cluster.listen-address=0.0.0.0:{config.CLUSTER_PORT}"
    yield f"--cluster.advertise-address=$(POD_IP):{config.CLUSTER_PORT}"
    yield f"--cluster.peer={PEERS}.{placement.namespace}.svc:{config.CLUSTER_PORT}"


def _ports(settings: AlertmanagerSettings) -> tuple[Port, ...]:
    http = Port(name="http", number=config.PORT)
    if settings.replicas == 1:
        return (http,)
    tcp = Port(name="cluster-tcp", number=config.CLUSTER_PORT, served=False)
    udp = Port(name="cluster-udp", number=config.CLUSTER_PORT, served=False, protocol="UDP")
    return (http, tcp, udp)


def _accepts(settings: AlertmanagerSettings) -> Iterator[Accepts]:
    yield Accepts(source=Workloads(name="prometheus"), ports=("http",))
    yield Accepts(source=Workloads(name="grafana"), ports=("http",))
    if settings.replicas > 1:
        yield Accepts(source=Workloads(name=NAME), ports=("cluster-tcp", "cluster-udp"))


def _calls(settings: AlertmanagerSettings) -> Iterator[Calls]:
    if settings.receivers or settings.heartbeat:
        yield Calls(target=Outside())
    for cidr in settings.private_ranges:
        yield Calls(target=Outside(cidr=cidr, excluding=()))
    if settings.replicas > 1:
        yield Calls(target=Workloads(name=NAME))
