"""The programs a sandbox is made of, each pinned by the Go module folder that builds it.

The order of `PARTS` is the order of building: what others wait for comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cli.errors import UsageError
from components import versions

MODULES: Final = Path(__file__).parent / "modules"


@dataclass(frozen=True)
class Program:
    """A binary and the Go package that it is built from; `aliases` are links to it, for a binary that
    looks at the name it was started under."""

    binary: str
    package: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """What one Go module folder builds. `usual_seconds` is a cold build on two cores after the parts before it, with
    which it shares packages; this machine's own last time replaces it."""

    name: str
    folder: str
    programs: tuple[Program, ...]
    usual_seconds: float
    tags: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def module(self) -> Path:
        return MODULES / self.folder

    @property
    def binaries(self) -> tuple[str, ...]:
        """Every name that the part can be started under."""
        return tuple(name for program in self.programs for name in (program.binary, *program.aliases))


_CNI: Final = "github.com/containernetworking/plugins/plugins"
_COMPONENT_VERSION: Final = "k8s.io/component-base/version"
_PROMETHEUS_VERSION: Final = "github.com/prometheus/common/version.Version"
_PROMETHEUS_TAGS: Final = ("remove_all_sd", "enable_kubernetes_sd", "enable_dns_sd")
_LOKI_VERSION: Final = "github.com/grafana/loki/v3/pkg/util/build.Version"
_WITHOUT_XDS: Final = ("disable_grpc_modules",)  # Google's storage over gRPC, and all of Envoy's API with it
_KUBERNETES_MAJOR, _KUBERNETES_MINOR, _ = versions.KUBERNETES.split(".")

PARTS: Final[tuple[Part, ...]] = (
    Part(
        "kubernetes",
        "kubernetes",
        (
            Program(
                "hyperkube",
                ".",
                (
                    "kube-apiserver",
                    "kube-controller-manager",
                    "kube-scheduler",
                    "kubelet",
                    "kube-proxy",
                    "kubectl",
                ),
            ),
        ),
        usual_seconds=259,
        variables=(
            (f"{_COMPONENT_VERSION}.gitVersion", f"v{versions.KUBERNETES}"),
            (f"{_COMPONENT_VERSION}.gitMajor", _KUBERNETES_MAJOR),
            (f"{_COMPONENT_VERSION}.gitMinor", _KUBERNETES_MINOR),
            (f"{_COMPONENT_VERSION}.gitTreeState", "clean"),
        ),
    ),
    Part("etcd", "etcd", (Program("etcd", "go.etcd.io/etcd/server/v3"),), usual_seconds=8),
    Part(
        "cni",
        "cni",
        (
            Program("bridge", f"{_CNI}/main/bridge"),
            Program("loopback", f"{_CNI}/main/loopback"),
            Program("host-local", f"{_CNI}/ipam/host-local"),
            Program("portmap", f"{_CNI}/meta/portmap"),
        ),
        usual_seconds=2,
    ),
    Part(
        "small",
        "small",
        (Program("pause", "./pause"), Program("postgres-entrypoint", "./postgres-entrypoint")),
        usual_seconds=1,
    ),
    Part("coredns", "coredns", (Program("coredns", "."),), usual_seconds=8),
    Part(
        "pulumi",
        "engine",
        (Program("pulumi", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"),),
        usual_seconds=113,
        tags=_WITHOUT_XDS,
        variables=(("github.com/pulumi/pulumi/sdk/v3/go/common/version.Version", versions.PULUMI_ENGINE),),
    ),
    Part(
        "prometheus",
        "prometheus",
        (Program("prometheus", "github.com/prometheus/prometheus/cmd/prometheus"),),
        usual_seconds=42,
        tags=_PROMETHEUS_TAGS,
        variables=((_PROMETHEUS_VERSION, versions.PROMETHEUS),),
    ),
    Part(
        "alertmanager",
        "alertmanager",
        (Program("alertmanager", "github.com/prometheus/alertmanager/cmd/alertmanager"),),
        usual_seconds=7,
        variables=((_PROMETHEUS_VERSION, versions.ALERTMANAGER),),
    ),
    Part(
        "node-exporter",
        "node-exporter",
        (Program("node_exporter", "github.com/prometheus/node_exporter"),),
        usual_seconds=3,
        variables=((_PROMETHEUS_VERSION, versions.NODE_EXPORTER),),
    ),
    Part(
        "collector",
        "collector",
        (Program("otelcol", "."),),
        usual_seconds=54,
        variables=(("main.version", versions.COLLECTOR),),
    ),
    Part(
        "loki",
        "loki",
        (Program("loki", "github.com/grafana/loki/v3/cmd/loki"),),
        usual_seconds=114,
        tags=_WITHOUT_XDS,
        variables=((_LOKI_VERSION, versions.LOKI),),
    ),
    Part(
        "kwok",
        "kwok",
        (Program("kwok", "sigs.k8s.io/kwok/cmd/kwok"),),
        usual_seconds=24,
        variables=(("sigs.k8s.io/kwok/pkg/consts.Version", f"v{versions.KWOK}"),),
    ),
    Part(
        "kube-state-metrics",
        "kube-state-metrics",
        (Program("kube-state-metrics", "k8s.io/kube-state-metrics/v2"),),
        usual_seconds=71,
        variables=((_PROMETHEUS_VERSION, versions.KUBE_STATE_METRICS),),
    ),
    Part(
        "metrics-server",
        "metrics-server",
        (Program("metrics-server", "sigs.k8s.io/metrics-server/cmd/metrics-server"),),
        usual_seconds=14,
        variables=(("k8s.io/client-go/pkg/version.gitVersion", f"v{versions.METRICS_SERVER}"),),
    ),
    Part(
        "promtool",
        "prometheus",
        (Program("promtool", "github.com/prometheus/prometheus/cmd/promtool"),),
        usual_seconds=4,
        tags=_PROMETHEUS_TAGS,
        variables=((_PROMETHEUS_VERSION, versions.PROMETHEUS),),
    ),
    Part(
        "amtool",
        "alertmanager",
        (Program("amtool", "github.com/prometheus/alertmanager/cmd/amtool"),),
        usual_seconds=2,
        variables=((_PROMETHEUS_VERSION, versions.ALERTMANAGER),),
    ),
    Part(
        "logcli",
        "loki",
        (Program("logcli", "github.com/grafana/loki/v3/cmd/logcli"),),
        usual_seconds=7,
        tags=_WITHOUT_XDS,
        variables=((_LOKI_VERSION, versions.LOKI),),
    ),
    Part("object-store", "object-store", (Program("object-store", "."),), usual_seconds=36),
    Part(
        "actionlint",
        "actionlint",
        (Program("actionlint", "github.com/rhysd/actionlint/cmd/actionlint"),),
        usual_seconds=5,
    ),
)

CONTROL_PLANE: Final = ("kubernetes", "etcd")
REAL: Final = ("cni", "small", "coredns")
SIMULATED: Final = ("kwok",)
ENGINE: Final = ("pulumi",)
MONITORING: Final = ("prometheus", "alertmanager", "node-exporter", "collector", "loki")
ADDONS: Final = ("kube-state-metrics", "metrics-server")
VALIDATORS: Final = ("promtool", "amtool", "logcli")
DEMO: Final = (*CONTROL_PLANE, *REAL, *ENGINE, *MONITORING)
BUCKETS: Final = ("object-store",)
LINTERS: Final = ("actionlint",)
TESTS: Final = (*DEMO, *SIMULATED, *VALIDATORS, *BUCKETS, *LINTERS)


def find(names: Sequence[str]) -> list[Part]:
    """The parts that hold `names` (of parts or of binaries), each once, in building order.

    Raises UsageError for a name that no part holds.
    """
    unknown = [name for name in names if not any(_holds(part, name) for part in PARTS)]
    if unknown:
        raise UsageError(
            f"no part of the sandbox is called {', '.join(unknown)}",
            why=f"there are: {', '.join(part.name for part in PARTS)}",
        )
    return [part for part in PARTS if any(_holds(part, name) for name in names)]


def _holds(part: Part, name: str) -> bool:
    return name == part.name or name in part.binaries
