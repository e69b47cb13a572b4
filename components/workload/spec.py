"""What a workload is, apart from any platform: the description that a Kubernetes cluster or a Docker engine can run.

Quantities are canonical: CPU in whole millicores, memory and storage in bytes-like `MiB` integers, times in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from components.secret import Secret

Runs = Literal["replicated", "stateful", "every-node", "once", "scheduled"]
Strategy = Literal["rolling", "blue-green", "canary"]
"""How a new release takes over: pod by pod; beside the old one, then all at once; beside it, share by share."""


@dataclass(frozen=True, kw_only=True)
class Port:
    """A port that the workload listens on. `served` ports are reachable under the workload's own name."""

    name: str
    number: int
    served: bool = True
    protocol: Literal["TCP", "UDP"] = "TCP"
    served_as: int | None = None
    """The Service's port, where it differs from the container's."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One health question. Exactly one of `path` (HTTP GET on `port`), `command`, or `port` alone (TCP connect)."""

    port: str = ""
    path: str = ""
    command: tuple[str, ...] = ()
    period: int = 5
    timeout: int = 2
    failures: int = 3
    delay: int = 0


@dataclass(frozen=True, kw_only=True)
class Probes:
    startup: Probe | None = None
    readiness: Probe | None = None
    liveness: Probe | None = None


@dataclass(frozen=True, kw_only=True)
class Resources:
    """CPU in millicores, memory in MiB. Memory is requested and limited alike unless `memory_limit` says more.

    No CPU limit by default: a limit below a burst throttles a service that has idle cores beside it.
    """

    cpu: int
    memory: int
    memory_limit: int | None = None
    cpu_limit: int | None = None


@dataclass(frozen=True, kw_only=True)
class ConfigFiles:
    """Plain files, mounted read-only as the directory `path`; a change makes a new immutable object."""

    path: str
    files: Mapping[str, str]
    name: str = "config"


@dataclass(frozen=True, kw_only=True)
class SecretFiles:
    """Secret files, mounted read-only as the directory `path`; a change makes a new immutable object."""

    path: str
    files: Mapping[str, Secret]
    name: str = "secret"


@dataclass(frozen=True, kw_only=True)
class Scratch:
    """An empty writable directory that lives as long as the pod. `size` in MiB."""

    name: str
    path: str
    size: int = 64
    memory: bool = False


@dataclass(frozen=True, kw_only=True)
class Storage:
    """A writable directory that outlives the pod. `size` in MiB. `storage_class` empty: the cluster's default."""

    name: str
    path: str
    size: int
    storage_class: str = ""


@dataclass(frozen=True, kw_only=True)
class Workloads:
    """Pods of a named workload (or of every workload, when `name` is empty) of a stack of this environment."""

    name: str = ""
    stack: str = ""
    """`app`, `monitoring` or `agents`; empty: the workload's own stack."""


@dataclass(frozen=True, kw_only=True)
class Outside:
    """Addresses outside the cluster. By default the public internet without the private ranges."""

    cidr: str = "0.0.0.0/0"
    excluding: tuple[str, ...] = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16")


@dataclass(frozen=True, kw_only=True)
class ApiServer:
    """The cluster's own API server."""


@dataclass(frozen=True, kw_only=True)
class Nodes:
    """The cluster's nodes themselves: the kubelet, or a daemon with the host's network."""


@dataclass(frozen=True, kw_only=True)
class Accepts:
    """An opening for incoming connections, to the named ports (all of the workload's ports when empty)."""

    source: Workloads | Outside | Nodes
    ports: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Calls:
    """An opening for outgoing connections, to port numbers as the receiving pod listens on them."""

    target: Workloads | Outside | ApiServer | Nodes
    ports: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What the workload may do with the cluster's API. `cluster`: in every namespace."""

    resources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ("get", "list", "watch")
    groups: tuple[str, ...] = ("",)
    urls: tuple[str, ...] = ()
    cluster: bool = False


@dataclass(frozen=True, kw_only=True)
class Autoscale:
    minimum: int
    maximum: int
    cpu_percent: int = 70


@dataclass(frozen=True, kw_only=True)
class Drain:
    """How a pod ends: it serves on for `pause` seconds while endpoints forget it, then SIGTERM and up to
    `longest_request` seconds."""

    pause: int = 5
    longest_request: int = 30


@dataclass(frozen=True, kw_only=True)
class Schedule:
    cron: str
    time_zone: str = "Etc/UTC"
    overlap: Literal["Allow", "Forbid", "Replace"] = "Forbid"


@dataclass(frozen=True, kw_only=True)
class Route:
    """How a Gateway leads requests under `path` to the workload's first served port."""

    gateway: str
    namespace: str = ""
    """Of the Gateway; empty: the workload's own."""
    listener: str = ""
    """Of the Gateway; empty: every one."""
    hostnames: tuple[str, ...] = ()
    path: str = "/"


@dataclass(frozen=True, kw_only=True)
class HostPath:
    name: str
    host: str
    path: str
    propagation: Literal["None", "HostToContainer"] = "None"
    kind: str = ""
    writable: bool = False


@dataclass(frozen=True, kw_only=True)
class HostAccess:
    """A written exception from Pod Security "restricted" for a workload that must read its host."""

    reason: str
    paths: tuple[HostPath, ...] = ()
    network: bool = False
    processes: bool = False
    user: int | None = None
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Spread:
    """`required` refuses to place two replicas on one node while another node could take one."""

    required: bool = False


@dataclass(frozen=True, kw_only=True)
class WorkloadSpec:
    """What a workload is. Everything a platform does not need to know about is left out."""

    name: str
    image: str
    runs: Runs = "replicated"
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    env_from_pod: Mapping[str, str] = field(default_factory=dict)
    """Environment variable to pod field (`status.podIP`, `spec.nodeName`)."""
    ports: tuple[Port, ...] = ()
    config: tuple[ConfigFiles, ...] = ()
    secrets: tuple[SecretFiles, ...] = ()
    scratch: tuple[Scratch, ...] = ()
    storage: tuple[Storage, ...] = ()
    replicas: int = 1
    autoscale: Autoscale | None = None
    resources: Resources
    probes: Probes = field(default_factory=Probes)
    drain: Drain = field(default_factory=Drain)
    settle: int = 1
    """Seconds that a new pod must stay ready before it counts as available."""
    deadline: int = 300
    """Seconds without progress after which a start counts as failed."""
    user: int = 65532
    accepts: tuple[Accepts, ...] = ()
    calls: tuple[Calls, ...] = ()
    rules: tuple[Rule, ...] = ()
    api_token: bool = False
    """Mount a token for the cluster's API. Needed when `rules` are to be of use."""
    host: HostAccess | None = None
    spread: Spread = field(default_factory=Spread)
    schedule: Schedule | None = None
    retries: int = 2
    """For workloads that run once or on a schedule."""
    tracked: bool = False
    """Whether a second copy may run beside this one during a rollout: its objects' names end in the track's letter."""
    strategy: Strategy = "rolling"
    route: Route | None = None
    when: Literal["before", "after"] = "before"
    """Of one that runs once: before the release's services start, or after they serve."""
    reversible: bool = True
    """Of one that runs once: whether the release before still works after it."""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    """On the pods."""
