"""Prometheus as a workload. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from components.alertmanager.config import PORT as ALERTMANAGER_PORT
from components.collector.config import METRICS_PORT as COLLECTOR_PORT
from components.environment import Placement
from components.grafana.config import PORT as GRAFANA_PORT
from components.loki.config import HTTP_PORT as LOKI_PORT
from components.node_exporter.workload import PORT as NODE_EXPORTER_PORT
from components.prometheus import config
from components.prometheus.ruleset import Sources
from components.prometheus.settings import PrometheusSettings
from components.workload import (
    Accepts,
    ApiServer,
    Calls,
    ConfigFiles,
    Drain,
    Nodes,
    Port,
    Probe,
    Probes,
    Rule,
    Spread,
    Storage,
    Workloads,
    WorkloadSpec,
)

NAME = "prometheus"


def workload(settings: PrometheusSettings, placement: Placement, image: str, sources: Sources) -> WorkloadSpec:
    """Prometheus of one environment. A change of configuration or rules changes a ConfigMap's name and restarts it."""
    return WorkloadSpec(
        name=NAME,
        image=image,
        runs="stateful",
        replicas=settings.replicas,
        args=(
            f"--config.file={config.CONFIG_PATH}/{config.CONFIG_FILE}",
            f"--storage.tsdb.path={config.DATA_PATH}",
            f"--web.listen-address=:{config.PORT}",
            "--log.format=json",
        ),
        env_from_pod={"POD_NAME": "metadata.name"},
        ports=(Port(name="http", number=config.PORT),),
        config=(
            ConfigFiles(
                name="config",
                path=config.CONFIG_PATH,
                files=config.files(settings, placement.environment, placement.namespaces),
            ),
            ConfigFiles(name="rules", path=config.RULES_PATH, files=config.rule_files(settings, sources)),
        ),
        storage=(
            Storage(name="data", path=config.DATA_PATH, size=settings.storage, storage_class=settings.storage_class),
        ),
        resources=settings.resources.resources(),
        probes=_probes(),
        drain=Drain(pause=0, longest_request=30),
        accepts=(
            Accepts(source=Workloads(name=NAME)),
            Accepts(source=Workloads(name="grafana")),
        ),
        calls=tuple(_calls(settings)),
        rules=tuple(_rights(settings)),
        api_token=True,
        spread=Spread(required=placement.tier == "prod"),
    )


def _probes() -> Probes:
    """It may replay its write-ahead log for a quarter of an hour before it is ready."""
    return Probes(
        startup=Probe(port="http", path="/-/ready", period=2, failures=450),
        readiness=Probe(port="http", path="/-/ready", period=5),
        liveness=Probe(port="http", path="/-/healthy", period=10, timeout=5, failures=6),
    )


def _calls(settings: PrometheusSettings) -> Iterator[Calls]:
    own = (config.PORT, ALERTMANAGER_PORT, LOKI_PORT, GRAFANA_PORT)
    yield Calls(target=ApiServer())
    yield Calls(target=Workloads(stack="app"))
    yield Calls(target=Workloads(stack="monitoring"), ports=own)
    yield Calls(target=Workloads(stack="agents"), ports=(COLLECTOR_PORT, NODE_EXPORTER_PORT))
    if settings.kubelet.enabled:
        yield Calls(target=Nodes(), ports=(config.KUBELET_PORT,))
    if settings.kube_state_metrics:
        yield Calls(target=Nodes(), ports=(int(settings.kube_state_metrics.rsplit(":", 1)[1]),))


def _rights(settings: PrometheusSettings) -> Iterator[Rule]:
    """Beside reading pods, which it may in its environment's namespaces only (`monitoring.access`)."""
    if settings.kubelet.enabled:
        yield Rule(resources=("nodes",), cluster=True)
        yield Rule(resources=("nodes/metrics",), verbs=("get",), cluster=True)
