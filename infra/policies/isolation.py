"""What keeps a container apart from its node: the Pod Security Standard "restricted", control by control. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from infra.policies.rule import ALWAYS, Fault, cis, nsa, pss, rule
from infra.policies.world import Container, Pod, World
from infra.reading import entries, mapping, number

PODS: Final = World.pods
_NSA_PODS: Final = nsa("Kubernetes Pod security: Pod security enforcement")
_HOST_NAMESPACES: Final = ("hostNetwork", "hostPID", "hostIPC")
_VOLUMES: Final = frozenset(
    {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
)
_ADDED: Final = "NET_BIND_SERVICE"
_SECCOMP: Final = ("RuntimeDefault", "Localhost")
_SELINUX_TYPES: Final = ("container_t", "container_init_t", "container_kvm_t", "container_engine_t")
_SYSCTLS: Final = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    }
)
"""Those that the Pod Security Standards hold to be safe."""
_HANDLERS: Final = ("livenessProbe", "readinessProbe", "startupProbe")


@rule(
    "privileged-container",
    PODS,
    why="a privileged container is root on its node: whoever takes it over has the node and every pod there",
    remedy="leave out `privileged` and `hostProcess`; ask for the one capability or volume that is needed instead",
    levels=ALWAYS,
    supports=(pss("Privileged Containers"), pss("HostProcess"), _NSA_PODS, cis("5.2.2"), cis("5.2.11")),
)
def privileged_container(pod: Pod) -> Iterator[Fault]:
    for one in pod.containers:
        if one.security.get("privileged"):
            yield Fault(one.at("securityContext.privileged"), f"{one.name} is privileged")
        if mapping(one.effective("windowsOptions")).get("hostProcess"):
            yield Fault(one.at("securityContext.windowsOptions"), f"{one.name} runs as a process of its Windows host")


@rule(
    "host-namespaces",
    PODS,
    why="in the node's own network, process or IPC namespace a pod sees and reaches what belongs to others",
    remedy="leave out `hostNetwork`, `hostPID` and `hostIPC`",
    levels=ALWAYS,
    supports=(pss("Host Namespaces"), _NSA_PODS, cis("5.2.3"), cis("5.2.4"), cis("5.2.5")),
)
def host_namespaces(pod: Pod) -> Iterator[Fault]:
    for name in _HOST_NAMESPACES:
        if pod.pod.get(name):
            yield Fault(f"{pod.path}.{name}", f"its pods share their node's namespace ({name})")


@rule(
    "host-path",
    PODS,
    why="a folder of the node outlives the pod, is shared with others, and may hold the node's own credentials",
    remedy="an emptyDir for scratch space, a claim for data, a ConfigMap or Secret for files",
    levels=ALWAYS,
    supports=(pss("HostPath Volumes"), _NSA_PODS, cis("5.2.12")),
)
def host_path(pod: Pod) -> Iterator[Fault]:
    for at, volume in enumerate(entries(pod.pod.get("volumes"))):
        if "hostPath" in volume:
            folder = mapping(volume["hostPath"]).get("path", "")
            yield Fault(f"{pod.path}.volumes[{at}].hostPath", f"mounts {folder} of its node")


@rule(
    "host-port",
    PODS,
    why="a port of the node goes round Services and network policies, and two such pods never fit on one node",
    remedy="leave out `hostPort`; a Service leads to the container's own port",
    levels=ALWAYS,
    supports=(pss("Host Ports"), cis("5.2.13")),
)
def host_port(pod: Pod) -> Iterator[Fault]:
    for one in pod.containers:
        for at, port in enumerate(entries(one.made.get("ports"))):
            if taken := number(port.get("hostPort"), 0):
                yield Fault(one.at(f"ports[{at}].hostPort"), f"{one.name} takes port {taken} of its node")


@rule(
    "probe-elsewhere",
    PODS,
    why="the kubelet asks in a probe's or hook's name: with another host it calls whatever the node can reach",
    remedy="leave out `host`: probes and hooks then ask the pod itself",
    levels=ALWAYS,
    supports=(pss("Host Probes / Lifecycle Hooks (v1.34+)"),),
)
def probe_elsewhere(pod: Pod) -> Iterator[Fault]:
    for one in pod.containers:
        for path, handler in _handlers(one):
            for kind in ("httpGet", "tcpSocket"):
                if host := mapping(handler.get(kind)).get("host"):
                    yield Fault(one.at(f"{path}.{kind}.host"), f"{one.name} has {host} asked in place of itself")


@rule(
    "capabilities",
    PODS,
    why="a container starts with a dozen of root's rights, forged packets among them, and needs none to serve",
    remedy="capabilities: {drop: [ALL]}, and add nothing but NET_BIND_SERVICE",
    levels=ALWAYS,
    supports=(pss("Capabilities (v1.22+)"), _NSA_PODS, cis("5.2.8"), cis("5.2.9"), cis("5.2.10")),
)
def capabilities(pod: Pod) -> Iterator[Fault]:
    for one in pod.containers:
        stated = mapping(one.security.get("capabilities"))
        if "ALL" not in (stated.get("drop") or ()):
            yield Fault(one.at("securityContext.capabilities.drop"), f"{one.name} does not drop ALL")
        if more := sorted(str(name) for name in stated.get("add") or () if name != _ADDED):
            yield Fault(one.at("securityContext.capabilities.add"), f"{one.name} adds {', '.join(more)}")


@rule(
    "privilege-escalation",
    PODS,
    why="a set-uid program in the image could give its caller more rights than the container began with",
    remedy="allowPrivilegeEscalation: false",
    levels=ALWAYS,
    supports=(pss("Privilege Escalation (v1.8+)"), _NSA_PODS, cis("5.2.6")),
)
def privilege_escalation(pod: Pod) -> Iterator[Fault]:
    for one in pod.containers:
        if one.security.get("allowPrivilegeEscalation") is not False:
            yield Fault(one.at("securityContext.allowPrivilegeEscalation"), f"{one.name} may gain privileges")


@rule(
    "run-as-non-root",
    PODS,
    why="root in a container is root on the node as soon as one fence falls",
    remedy="runAsNonRoot: true, with a user other than 0",
    levels=ALWAYS,
    supports=(
        pss("Running as Non-root"),
        pss("Running as Non-root user (v1.23+)"),
        nsa("Kubernetes Pod security: “Non-root” containers and “rootless” container engines"),
        cis("5.2.7"),
    ),
)
def run_as_non_root(pod: Pod) -> Iterator[Fault]:
    for one in pod.containers:
        if one.effective("runAsNonRoot") is not True:
            yield Fault(one.at("securityContext.runAsNonRoot"), f"{one.name} may run as root")
        elif number(one.effective("runAsUser"), -1) == 0:
            yield Fault(one.at("securityContext.runAsUser"), f"{one.name} runs as user 0")


@rule(
    "seccomp",
    PODS,
    why="without a profile every system call is open to a container, also those that exploits of the kernel need",
    remedy="seccompProfile: {type: RuntimeDefault}",
    levels=ALWAYS,
    supports=(pss("Seccomp (v1.19+)"), nsa("Kubernetes Pod security: Hardening container environments"), cis("5.7.2")),
)
def seccomp(pod: Pod) -> Iterator[Fault]:
    for one in pod.containers:
        if mapping(one.effective("seccompProfile")).get("type") not in _SECCOMP:
            yield Fault(one.at("securityContext.seccompProfile"), f"{one.name} has no seccomp profile")


@rule(
    "volume-types",
    PODS,
    why="the older volume types have the kubelet mount with the node's rights; only those of today are watched",
    remedy="a claim (persistentVolumeClaim, ephemeral, csi) where a network disk is wanted",
    levels=ALWAYS,
    supports=(pss("Volume Types"),),
)
def volume_types(pod: Pod) -> Iterator[Fault]:
    for at, volume in enumerate(entries(pod.pod.get("volumes"))):
        for kind in sorted(set(volume) - {"name", "hostPath"} - _VOLUMES):
            yield Fault(f"{pod.path}.volumes[{at}].{kind}", f"has a volume of type {kind}")


@rule(
    "kernel-fences",
    PODS,
    why="AppArmor, SELinux, a masked /proc and safe sysctls are the kernel's own fences between pods",
    remedy="leave `appArmorProfile`, `seLinuxOptions`, `procMount` and `sysctls` out",
    levels=ALWAYS,
    supports=(pss("AppArmor"), pss("SELinux"), pss("/proc Mount Type"), pss("Sysctls")),
)
def kernel_fences(pod: Pod) -> Iterator[Fault]:
    for path, name, context in _contexts(pod):
        if mapping(context.get("appArmorProfile")).get("type", "RuntimeDefault") not in _SECCOMP:
            yield Fault(f"{path}.appArmorProfile", f"{name} runs without AppArmor")
        if _own_selinux(mapping(context.get("seLinuxOptions"))):
            yield Fault(f"{path}.seLinuxOptions", f"{name} chooses its own SELinux user, role or type")
        if context.get("procMount", "Default") != "Default":
            yield Fault(f"{path}.procMount", f"{name} sees the unmasked /proc")
    for at, setting in enumerate(entries(pod.security.get("sysctls"))):
        if setting.get("name") not in _SYSCTLS:
            path = f"{pod.path}.securityContext.sysctls[{at}]"
            yield Fault(path, f"sets {setting.get('name')}, which reaches others")


def _contexts(pod: Pod) -> Iterator[tuple[str, str, dict[str, Any]]]:
    yield f"{pod.path}.securityContext", "the pod", pod.security
    for one in pod.containers:
        yield one.at("securityContext"), one.name, one.security


def _own_selinux(options: dict[str, Any]) -> bool:
    return bool(options.get("user") or options.get("role")) or options.get("type", "") not in ("", *_SELINUX_TYPES)


def _handlers(one: Container) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in _HANDLERS:
        yield name, mapping(one.made.get(name))
    for name in ("postStart", "preStop"):
        yield f"lifecycle.{name}", mapping(mapping(one.made.get("lifecycle")).get(name))


RULES: Final = (
    privileged_container,
    host_namespaces,
    host_path,
    host_port,
    probe_elsewhere,
    capabilities,
    privilege_escalation,
    run_as_non_root,
    seccomp,
    volume_types,
    kernel_fences,
)
