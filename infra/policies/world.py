"""What rules look at: the objects that are declared, and pods as one shape whatever makes them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeVar

from components import selectors
from components.manifest import CONTENT_LABEL, Manifest
from components.selectors import Labelled, Speakers
from components.tracks import TRACK_LABEL
from infra.reading import entries, mapping, number

_TEMPLATES: Final[Mapping[str, tuple[str, ...]]] = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}
Group = TypeVar("Group")
Member = TypeVar("Member")
_GROUPS: Final = ("initContainers", "containers", "ephemeralContainers")


class World:
    """Everything that one environment declares. A workload that is only named (a frozen track) makes no pods."""

    def __init__(self, objects: Iterable[Manifest]) -> None:
        self.objects = [made for made in objects if isinstance(made.get("metadata"), Mapping) and made.get("kind")]

    def everything(self) -> Iterator[Thing]:
        return iter(self._things)

    def of(self, *kinds: str) -> Iterator[Thing]:
        return (thing for kind in kinds for thing in self._kinds.get(kind, ()))

    def beside(self, kind: str, namespace: str) -> list[Thing]:
        """The objects of a kind in a namespace."""
        return self._placed.get((kind, namespace), [])

    def find(self, kind: str, namespace: str, name: str) -> Thing | None:
        return self._named.get((kind, namespace, name))

    def pods(self) -> Iterator[Pod]:
        return iter(self._pods)

    def lasting(self) -> Iterator[Pod]:
        """What runs until it is ended."""
        return (pod for pod in self._pods if pod.kind not in ("Job", "CronJob"))

    def speaking_of(self, pod: Pod, kind: str) -> list[Thing]:
        """The Services or budgets whose selector picks these pods."""
        return self._speakers.of(kind, pod.namespace, pod.pod_labels)

    def picked_by(self, thing: Thing) -> list[Pod]:
        """The pods that a Service or a budget picks."""
        selector = selectors.asked(thing.made)
        return [] if selector is None else self.met(thing.namespace, selector)

    def met(self, namespace: str, selector: Mapping[str, Any]) -> list[Pod]:
        """The pods of a namespace that a label selector picks."""
        there = self._labelled.get(namespace)
        return there.meeting(selector) if there else []

    def scaler(self, pod: Pod) -> Thing | None:
        return self._scalers.get((pod.namespace, pod.kind, pod.name))

    @cached_property
    def _things(self) -> tuple[Thing, ...]:
        return tuple(Thing(made, self) for made in self.objects)

    @cached_property
    def _kinds(self) -> dict[str, list[Thing]]:
        return _grouped((thing.kind, thing) for thing in self._things)

    @cached_property
    def _placed(self) -> dict[tuple[str, str], list[Thing]]:
        return _grouped(((thing.kind, thing.namespace), thing) for thing in self._things)

    @cached_property
    def _named(self) -> dict[tuple[str, str, str], Thing]:
        """Of several with one name the first."""
        return {(thing.kind, thing.namespace, thing.name): thing for thing in reversed(self._things)}

    @cached_property
    def _speakers(self) -> Speakers[Thing]:
        return Speakers((thing.made, thing) for thing in self._things)

    @cached_property
    def _labelled(self) -> dict[str, Labelled[Pod]]:
        found = _grouped((pod.namespace, (pod.pod_labels, pod)) for pod in self._pods)
        return {namespace: Labelled(there) for namespace, there in found.items()}

    @cached_property
    def _scalers(self) -> dict[tuple[str, str, str], Thing]:
        found: dict[tuple[str, str, str], Thing] = {}
        for each in self.of("HorizontalPodAutoscaler"):
            target = mapping(each.spec.get("scaleTargetRef"))
            found.setdefault((each.namespace, str(target.get("kind")), str(target.get("name"))), each)
        return found

    @cached_property
    def _pods(self) -> list[Pod]:
        return [pod for pod in self._workloads if pod.is_known]

    @cached_property
    def veiled(self) -> frozenset[str]:
        """The namespaces with workloads of which nobody can tell here what their pods are."""
        return frozenset(pod.namespace for pod in self._workloads if not pod.is_known)

    @cached_property
    def namespaces(self) -> frozenset[str]:
        """Those that are declared."""
        return frozenset(each.name for each in self.of("Namespace"))

    def bindings(self) -> Iterator[Thing]:
        return self.of("RoleBinding", "ClusterRoleBinding")

    @cached_property
    def bound(self) -> frozenset[tuple[str, str]]:
        """The accounts that a role is bound to: namespace and name."""
        subjects = (each for binding in self.bindings() for each in entries(binding.made.get("subjects")))
        accounts = (each for each in subjects if each.get("kind") == "ServiceAccount")
        return frozenset((str(each.get("namespace") or ""), str(each.get("name"))) for each in accounts)

    @cached_property
    def _workloads(self) -> list[Pod]:
        return [Pod(made, self) for made in self.objects if made["kind"] in _TEMPLATES]


@dataclass(frozen=True)
class Thing:
    """One object among the others."""

    made: Manifest
    world: World = field(repr=False)

    @property
    def kind(self) -> str:
        return str(self.made["kind"])

    @property
    def name(self) -> str:
        return str(self.made["metadata"].get("name", ""))

    @property
    def namespace(self) -> str:
        return str(self.made["metadata"].get("namespace") or "")

    @property
    def spec(self) -> Manifest:
        return mapping(self.made.get("spec"))

    @property
    def labels(self) -> Mapping[str, Any]:
        return mapping(self.made["metadata"].get("labels"))

    @property
    def place(self) -> str:
        """`Deployment prod/api-a`; without the hash of its content, which would name another one at each change."""
        content = f"-{self.labels.get(CONTENT_LABEL, '')}"
        return f"{self.kind} {'/'.join(filter(None, (self.namespace, self.name.removesuffix(content))))}"


@dataclass(frozen=True)
class Pod(Thing):
    """A workload of any kind, seen as the pods that it makes."""

    @property
    def _template(self) -> Manifest:
        found: Any = self.made
        for step in _TEMPLATES[self.kind]:
            found = mapping(mapping(found).get(step))
        return mapping(found)

    @property
    def pod(self) -> Manifest:
        """The pods' own spec."""
        return mapping(self._template.get("spec"))

    @property
    def is_known(self) -> bool:
        return bool(entries(self.pod.get("containers")))

    @property
    def path(self) -> str:
        return ".".join((*_TEMPLATES[self.kind], "spec"))

    @property
    def pod_labels(self) -> Mapping[str, Any]:
        return mapping(mapping(self._template.get("metadata")).get("labels"))

    @property
    def security(self) -> Manifest:
        return mapping(self.pod.get("securityContext"))

    @property
    def account(self) -> str:
        return str(self.pod.get("serviceAccountName") or self.pod.get("serviceAccount") or "default")

    @cached_property
    def containers(self) -> list[Container]:
        """All of them, those that only prepare included."""
        return [
            Container(entry, f"{self.path}.{group}[{at}]", self, group == "initContainers")
            for group in _GROUPS
            for at, entry in enumerate(entries(self.pod.get(group)))
        ]

    @property
    def serving(self) -> list[Container]:
        """Those that run as long as the pod does."""
        return [one for one in self.containers if not one.first or one.made.get("restartPolicy") == "Always"]

    @property
    def services(self) -> list[Thing]:
        return self.world.speaking_of(self, "Service")

    @property
    def budgets(self) -> list[Thing]:
        return self.world.speaking_of(self, "PodDisruptionBudget")

    @property
    def scaler(self) -> Thing | None:
        """The autoscaler that counts its copies."""
        return self.world.scaler(self)

    @property
    def idle(self) -> bool:
        """A service's second track is declared with no copies; its rollout sees to them, and to its autoscaler."""
        return self.spec.get("replicas") == 0 and TRACK_LABEL in self.labels

    @property
    def copies(self) -> int:
        """How many there are at least; those on every node are not counted."""
        scaler = self.scaler
        return number(scaler.spec.get("minReplicas"), 1) if scaler else number(self.spec.get("replicas"), 1)


@dataclass(frozen=True)
class Container:
    """One container of a pod. `first`: it belongs to those that start before the others."""

    made: Manifest
    path: str
    pod: Pod = field(repr=False)
    first: bool

    @property
    def name(self) -> str:
        return str(self.made.get("name", ""))

    @property
    def security(self) -> Manifest:
        return mapping(self.made.get("securityContext"))

    def effective(self, key: str) -> Any:
        """What holds for it: its own word, else its pod's."""
        own = self.security.get(key)
        return self.pod.security.get(key) if own is None else own

    def at(self, path: str) -> str:
        return f"{self.path}.{path}"


def _grouped(pairs: Iterable[tuple[Group, Member]]) -> dict[Group, list[Member]]:
    found: dict[Group, list[Member]] = {}
    for group, member in pairs:
        found.setdefault(group, []).append(member)
    return found
