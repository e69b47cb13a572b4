"""Who reaches whom, and how: closed by default, encrypted at the edge, and nothing that leads nowhere. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from components.tracks import TRACK_LABEL
from infra.policies.rule import ALWAYS, SERVING, Fault, cis, nsa, rule
from infra.policies.world import Container, Pod, Thing, World
from infra.reading import entries, mapping, number, text

_NSA_POLICIES: Final = nsa("Network separation and hardening: Network policies")
_BOTH: Final = ("Ingress", "Egress")
_ENFORCE: Final = "pod-security.kubernetes.io/enforce"
_NAMESPACED: Final = (
    *("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "Service", "ConfigMap", "Secret"),
    *("Ingress", "HTTPRoute", "NetworkPolicy", "ServiceAccount", "Role", "RoleBinding", "PersistentVolumeClaim"),
    *("PodDisruptionBudget", "HorizontalPodAutoscaler"),
)


def peopled(world: World) -> Iterator[Thing]:
    """The namespaces with workloads, also those that somebody else made."""
    declared = {each.name: each for each in world.of("Namespace")}
    for name in sorted({pod.namespace for pod in world.pods() if pod.namespace}):
        yield declared.get(name) or Thing({"kind": "Namespace", "metadata": {"name": name}}, world)


@rule(
    "default-deny",
    peopled,
    why="without it a pod that one policy forgot reaches every other, the API server and the internet",
    remedy="a NetworkPolicy with an empty podSelector and policyTypes [Ingress, Egress]",
    levels=ALWAYS,
    supports=(_NSA_POLICIES, cis("5.3.2")),
)
def default_deny(namespace: Thing) -> Iterator[Fault]:
    there = namespace.world.beside("NetworkPolicy", namespace.name)
    for direction in _BOTH:
        if not any(_denies(policy, direction) for policy in there):
            yield Fault("", f"what no policy speaks of is open ({direction.lower()})")


@rule(
    "pod-security-enforced",
    lambda world: (each for each in peopled(world) if each.labels),
    why="these rules see what is declared here; the namespace's own label also stops whatever else is put there",
    remedy=f"the label {_ENFORCE}: restricted",
    levels=ALWAYS,
    supports=(nsa("Kubernetes Pod security: Pod security enforcement"), cis("5.2.1")),
)
def pod_security_enforced(namespace: Thing) -> Iterator[Fault]:
    level = namespace.labels.get(_ENFORCE)
    if level != "restricted":
        yield Fault(f'metadata.labels["{_ENFORCE}"]', f"enforces {level or 'nothing'}")


@rule(
    "default-namespace",
    lambda world: world.of(*_NAMESPACED),
    why="the default namespace is where everything lands that names none: no boundary holds there",
    remedy="a namespace of its own for each environment and purpose",
    levels=ALWAYS,
    supports=(nsa("Network separation and hardening: Namespaces"), cis("5.7.1"), cis("5.7.4")),
)
def default_namespace(made: Thing) -> Iterator[Fault]:
    if made.namespace in ("", "default"):
        yield Fault("metadata.namespace", "lies in the default namespace")


@rule(
    "service-backend",
    lambda world: world.of("Service"),
    why="a Service that picks no pod, or a port that none opens, answers nobody; the API server says nothing",
    remedy="the labels of the pods' template as selector, and a named port of their containers as targetPort",
    levels=ALWAYS,
)
def service_backend(service: Thing) -> Iterator[Fault]:
    selector = mapping(service.spec.get("selector"))
    if not selector:
        return
    behind = service.world.picked_by(service)
    if not behind and service.namespace not in service.world.veiled and not _waits_for_its_track(service):
        yield Fault("spec.selector", "picks no pod that is declared")
    for at, port in enumerate(entries(service.spec.get("ports"))):
        for pod in behind:
            if not _opens(pod, port):
                wanted = port.get("targetPort", port.get("port"))
                yield Fault(f"spec.ports[{at}].targetPort", f"{pod.place} opens no port {text(wanted)}")


def _waits_for_its_track(service: Thing) -> bool:
    """Whether only the other track has pods: no rollout has brought this one yet."""
    selector = service.spec["selector"]
    if TRACK_LABEL not in selector:
        return False
    others = {name: value for name, value in selector.items() if name != TRACK_LABEL}
    return bool(service.world.met(service.namespace, {"matchLabels": others}))


@rule(
    "route-backend",
    lambda world: world.of("Ingress", "HTTPRoute"),
    why="a route to a Service or a port that is not there answers 404 or 503 to everybody",
    remedy="the name and port of a Service in the same namespace",
    levels=ALWAYS,
)
def route_backend(route: Thing) -> Iterator[Fault]:
    for path, name, port in _backends(route):
        service = route.world.find("Service", route.namespace, name)
        if not service:
            yield Fault(path, f"there is no Service {name} beside it")
        elif port not in _served(service):
            yield Fault(path, f"Service {name} has no port {text(port)}")


@rule(
    "exposed-service",
    lambda world: world.of("Service"),
    why="a port on every node, or a load balancer of its own, goes round the gateway with its TLS and its log",
    remedy="type ClusterIP behind an Ingress or a Gateway; where it is wanted, an exception says by whom",
    levels=ALWAYS,
    supports=(_NSA_POLICIES,),
)
def exposed_service(service: Thing) -> Iterator[Fault]:
    kind = service.spec.get("type", "ClusterIP")
    if kind in ("NodePort", "LoadBalancer"):
        yield Fault("spec.type", f"is of type {kind}")
    if service.spec.get("externalIPs"):
        yield Fault("spec.externalIPs", "takes traffic for addresses of its own choice")


@rule(
    "tls",
    lambda world: world.of("Ingress", "Gateway", "HTTPRoute"),
    why="without TLS whoever is on the way reads and rewrites what users send, their sessions included",
    remedy="`tls` on an Ingress, an HTTPS listener on a Gateway; on a route its name as sectionName (`route.listener`)",
    levels=SERVING,
    supports=(nsa("Network separation and hardening: Encryption"),),
)
def tls(made: Thing) -> Iterator[Fault]:
    yield from _TLS[made.kind](made)


def _ingress_tls(ingress: Thing) -> Iterator[Fault]:
    covered = {host for each in entries(ingress.spec.get("tls")) for host in each.get("hosts") or ("",)}
    for at, one in enumerate(entries(ingress.spec.get("rules"))):
        host = str(one.get("host", ""))
        if not ({host, "", f"*.{host.partition('.')[2]}"} & covered):
            yield Fault(f"spec.rules[{at}]", f"{host or 'every host'} is served without TLS")


def _gateway_tls(gateway: Thing) -> Iterator[Fault]:
    for at, each in enumerate(entries(gateway.spec.get("listeners"))):
        if each.get("protocol") in ("HTTP", "TCP") or mapping(each.get("tls")).get("mode") == "None":
            yield Fault(f"spec.listeners[{at}]", f"the listener {each.get('name')} takes plain {each.get('protocol')}")


def _route_tls(route: Thing) -> Iterator[Fault]:
    for at, parent in enumerate(entries(route.spec.get("parentRefs"))):
        namespace = parent.get("namespace") or route.namespace
        declared = route.world.find("Gateway", str(namespace), str(parent.get("name")))
        if not declared and not parent.get("sectionName"):
            said = f"answers on every listener of {namespace}/{parent.get('name')}, plain HTTP included"
            yield Fault(f"spec.parentRefs[{at}].sectionName", said)


_TLS: Final = {"Ingress": _ingress_tls, "Gateway": _gateway_tls, "HTTPRoute": _route_tls}


def _denies(policy: Thing, direction: str) -> bool:
    """Whether it closes that direction for pods that no other policy speaks for."""
    if not policy.spec or mapping(policy.spec.get("podSelector")):
        return False
    stated = policy.spec.get("policyTypes") or ("Ingress", *(("Egress",) if "egress" in policy.spec else ()))
    return direction in stated and not any(not each for each in policy.spec.get(direction.lower()) or ())


def _opens(pod: Pod, port: dict[str, Any]) -> bool:
    wanted = port.get("targetPort", port.get("port"))
    open_ports = [each for one in pod.containers for each in _ports(one)]
    if isinstance(wanted, str) and not wanted.isdigit():
        return any(each.get("name") == wanted for each in open_ports)
    return any(number(each.get("containerPort"), -1) == number(wanted, 0) for each in open_ports)


def _ports(one: Container) -> list[dict[str, Any]]:
    return entries(one.made.get("ports"))


def _served(service: Thing) -> set[str]:
    """Its ports, by number and by name, as text."""
    ports = entries(service.spec.get("ports"))
    return {text(port.get("port")) for port in ports} | {str(port["name"]) for port in ports if port.get("name")}


def _backends(route: Thing) -> Iterator[tuple[str, str, str]]:
    """Where it leads: the path of the field, the Service, its port as text."""
    for at, one in enumerate(entries(route.spec.get("rules"))):
        if route.kind == "HTTPRoute":
            for index, to in enumerate(entries(one.get("backendRefs"))):
                if to.get("kind", "Service") == "Service" and not to.get("namespace"):
                    yield f"spec.rules[{at}].backendRefs[{index}]", str(to.get("name")), text(to.get("port"))
            continue
        for index, path in enumerate(entries(mapping(one.get("http")).get("paths"))):
            to = mapping(mapping(path.get("backend")).get("service"))
            port = mapping(to.get("port"))
            if to:
                place = f"spec.rules[{at}].http.paths[{index}].backend"
                yield place, str(to.get("name")), text(port.get("number") or port.get("name"))


RULES: Final = (
    default_deny,
    pod_security_enforced,
    default_namespace,
    service_backend,
    route_backend,
    exposed_service,
    tls,
)
