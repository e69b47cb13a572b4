"""The traps that show in what the program declares, whichever component wrote it: each a rule of its own.

What an object must be like whatever is rolled out is a policy (`infra.policies`) and no trap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from components.manifest import Manifest
from components.selectors import Speakers
from infra.reading import HIDDEN, borrowed_pause, grace, native_pause, number, pause, text
from infra.traps.trap import Trap, Version

NATIVE_SLEEP: Final[Version] = (1, 34)
"""Since when no server can be without it; it came switched on in 1.30."""
DRAIN_VARIABLE: Final = "DRAIN_SECONDS"
_GONE: Final[Mapping[str, Version]] = {
    "extensions/v1beta1": (1, 22),
    "apps/v1beta1": (1, 16),
    "apps/v1beta2": (1, 16),
    "networking.k8s.io/v1beta1": (1, 22),
    "rbac.authorization.k8s.io/v1beta1": (1, 22),
    "apiextensions.k8s.io/v1beta1": (1, 22),
    "scheduling.k8s.io/v1beta1": (1, 22),
    "batch/v1beta1": (1, 25),
    "discovery.k8s.io/v1beta1": (1, 25),
    "events.k8s.io/v1beta1": (1, 25),
    "policy/v1beta1": (1, 25),
    "autoscaling/v2beta1": (1, 25),
    "autoscaling/v2beta2": (1, 26),
    "flowcontrol.apiserver.k8s.io/v1beta2": (1, 29),
    "flowcontrol.apiserver.k8s.io/v1beta3": (1, 32),
}
"""Since which server a version is no longer served (kubernetes.io, "Deprecated API Migration Guide")."""


@dataclass(frozen=True)
class Seen:
    """Everything that is declared, and the server that it goes to; None: not known."""

    objects: Sequence[Manifest]
    server: Version | None = None

    def of(self, *kinds: str) -> Iterator[Manifest]:
        return (made for made in self.objects if made.get("kind") in kinds)

    def serves(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Whether a Service sends such pods traffic."""
        return bool(self._speakers.of("Service", namespace, labels))

    def find(self, kind: str, namespace: str, name: str) -> Manifest | None:
        return self._named.get((kind, namespace, name))

    @cached_property
    def _speakers(self) -> Speakers[Manifest]:
        return Speakers((made, made) for made in self.objects)

    @cached_property
    def _named(self) -> dict[tuple[str, str, str], Manifest]:
        """Of several with one name the one that changes in place."""
        fixed_first = sorted(self.objects, key=lambda made: not made.get("immutable"))
        return {(made["kind"], _namespace(made), made["metadata"].get("name", "")): made for made in fixed_first}


@dataclass(frozen=True)
class Running:
    """A Deployment or StatefulSet."""

    made: Manifest
    seen: Seen = field(repr=False)

    @property
    def spec(self) -> Manifest:
        found: Manifest = self.made["spec"]
        return found

    @property
    def pod(self) -> Manifest:
        found: Manifest = (self.spec.get("template") or {}).get("spec") or {}
        return found

    @property
    def containers(self) -> list[Manifest]:
        return list(self.pod.get("containers") or [])

    @property
    def labels(self) -> Mapping[str, str]:
        return ((self.spec.get("template") or {}).get("metadata") or {}).get("labels") or {}

    @property
    def served(self) -> bool:
        """Whether a Service sends it traffic."""
        return self.seen.serves(_namespace(self.made), self.labels)

    def trap(self, name: str, why: str, fix: str) -> Trap:
        return Trap(name, place(self.made), why, fix)


def of_objects(objects: Iterable[Manifest], server: Version | None = None) -> list[Trap]:
    """The traps in these objects, on a server of that version."""
    seen = Seen([made for made in objects if _is_whole(made)], server)
    running = [Running(made, seen) for made in seen.of("Deployment", "StatefulSet")]
    found = [trap for one in running for rule in _OF_RUNNING for trap in rule(one)]
    return [*found, *_old_versions(seen)]


def place(made: Manifest) -> str:
    """`Deployment dev/api-a`."""
    metadata = made.get("metadata") or {}
    return f"{made['kind']} {'/'.join(filter(None, (metadata.get('namespace'), metadata.get('name'))))}"


def _short_grace(one: Running) -> Iterator[Trap]:
    given = grace(one.pod)
    for container in one.containers:
        slept, longest = pause(container), _told_to_drain(container)
        if longest and (needed := slept + longest) > given:
            why = f"killed {given} s after it began to end, of which preStop takes {slept} and requests up to {longest}"
            fix = f"a grace period of {needed + 5} s, or `drain.longest_request` instead of {DRAIN_VARIABLE}"
            yield one.trap("short-grace", why, fix)


def _ends_at_once(one: Running) -> Iterator[Trap]:
    if one.served and one.made["kind"] == "Deployment" and not any(map(pause, one.containers)):
        why = "a pod's address is forgotten while it ends, not before: new and kept-alive connections still reach it"
        yield one.trap("no-pause", why, "a preStop sleep of 5 or more seconds")


def _takes_away(one: Running) -> Iterator[Trap]:
    if one.made["kind"] != "Deployment" or not one.served:
        return
    strategy = one.spec.get("strategy") or {}
    allowed = text((strategy.get("rollingUpdate") or {}).get("maxUnavailable", "25%"))
    if strategy.get("type") == "Recreate":
        yield one.trap("max-unavailable", "Recreate ends every pod before the first new one starts", "RollingUpdate")
    elif allowed not in ("0", "0%"):
        why = f"a rollout may take {allowed} of its pods away before new ones are ready"
        yield one.trap("max-unavailable", why, "maxUnavailable: 0 with maxSurge: 1 or more")


def _never_settles(one: Running) -> Iterator[Trap]:
    if one.served and one.made["kind"] == "Deployment" and not one.spec.get("minReadySeconds"):
        why = "minReadySeconds is 0: a pod that is ready once and then falls over lets the rollout go on"
        yield one.trap("min-ready", why, "minReadySeconds: 1 or more")


def _unknown_sleep(one: Running) -> Iterator[Trap]:
    native = any(map(native_pause, one.containers))
    server = one.seen.server
    if native and server and server < NATIVE_SLEEP:
        certain = "is not known to" if server < (1, 30) else "can be switched off on"
        why = f"preStop's own sleep {certain} a server of version {server[0]}.{server[1]}"
        yield one.trap("native-sleep", why, "a server from 1.34 on, or exec: sleep, which the image then has to hold")


def _borrowed_sleep(one: Running) -> Iterator[Trap]:
    server = one.seen.server
    if any(map(borrowed_pause, one.containers)) and (server is None or server >= NATIVE_SLEEP):
        why = "preStop runs the image's own sleep: without such a program the pod ends at once"
        yield one.trap("exec-sleep", why, "preStop.sleep, which needs no program")


def _changing_configuration(one: Running) -> Iterator[Trap]:
    """Such an object serves the old pods and the new ones alike; what replaces it takes it from the old ones."""
    for kind, name in sorted(set(_references(one.pod))):
        made = one.seen.find(kind, _namespace(one.made), name)
        if made and not made.get("immutable"):
            why = f"{place(made)} changes in place: pods of the release before get the new content, rolled back or not"
            yield one.trap("configuration-in-place", why, "a name with the content's hash, and immutable: true")


def _old_versions(seen: Seen) -> Iterator[Trap]:
    for made in seen.objects:
        gone = _GONE.get(made.get("apiVersion", ""))
        if gone is None:
            continue
        after = f"since Kubernetes {gone[0]}.{gone[1]}"
        if seen.server and seen.server < gone:
            why = f"{made['apiVersion']} is no longer served {after}: a later rollback could not bring it back"
        else:
            why = f"{made['apiVersion']} is not served {after}"
        yield Trap("old-version", place(made), why, "the version that the deprecation guide names")


def _told_to_drain(container: Manifest) -> int:
    said = {entry["name"]: str(entry.get("value", "")) for entry in container.get("env") or []}
    return number(said.get(DRAIN_VARIABLE), 0)


def _references(pod: Manifest) -> Iterator[tuple[str, str]]:
    for volume in pod.get("volumes") or []:
        if name := (volume.get("configMap") or {}).get("name"):
            yield "ConfigMap", name
        if name := (volume.get("secret") or {}).get("secretName"):
            yield "Secret", name
    for container in (*(pod.get("containers") or []), *(pod.get("initContainers") or [])):
        for source in container.get("envFrom") or []:
            for field_name, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                if name := (source.get(field_name) or {}).get("name"):
                    yield kind, name


def _is_whole(made: Manifest) -> bool:
    """Whether the program says what it is, and the plan does not hide it: a frozen track is only named."""
    named = isinstance(made.get("metadata"), dict) and bool(made.get("kind"))
    if not named or made["kind"] in ("ConfigMap", "Secret"):
        return named
    return isinstance(made.get("spec"), dict) and not _hides(made["spec"])


def _hides(value: Any) -> bool:
    """Whether text that a plan puts in the place of a secret or unknown value stands in it; variables may have one."""
    if isinstance(value, Mapping):
        return any(_hides(item) for name, item in value.items() if name != "env" or not isinstance(item, list))
    if isinstance(value, list):
        return any(map(_hides, value))
    return value in HIDDEN


def _namespace(made: Manifest) -> str:
    return made["metadata"].get("namespace") or ""


_OF_RUNNING: Final[tuple[Callable[[Running], Iterator[Trap]], ...]] = (
    _short_grace,
    _ends_at_once,
    _takes_away,
    _never_settles,
    _unknown_sleep,
    _borrowed_sleep,
    _changing_configuration,
)
