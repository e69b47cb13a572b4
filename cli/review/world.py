"""What is declared before and after a plan, and each change between the two. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cli.engine.model import Change, Operation, Plan
from cli.review import objects
from cli.review.facts import Fact
from cli.review.objects import Key, Manifest, Objects
from components.manifest import CONTENT_LABEL
from components.names import KIND, RELEASE_RECORD, WORKLOAD

if TYPE_CHECKING:
    from cli.engine.graph import ResourceGraph
    from infra.model import Settings

_KUBERNETES = "kubernetes:"
_GONE = (Operation.DELETE, Operation.RETAIN)
_PART_OF = "app.kubernetes.io/part-of"
_MONITORING = ("monitoring", "agents")


@dataclass(frozen=True)
class Touched:
    """One Kubernetes object that a plan changes. A side where it does not exist is empty."""

    change: Change
    key: Key
    before: Manifest
    after: Manifest

    @property
    def urn(self) -> str:
        return self.change.urn

    @property
    def kind(self) -> str:
        return self.key.kind

    @property
    def is_new(self) -> bool:
        return not self.before and bool(self.after)

    @property
    def deleted(self) -> bool:
        """Gone from the cluster: what is only let go of stays there."""
        return self.change.operation is Operation.DELETE

    @property
    def replaced(self) -> bool:
        return self.change.operation is Operation.REPLACE

    @property
    def moved(self) -> bool:
        """Replaced by an object of another name: the old one goes only when the new one is there."""
        return self.replaced and renamed(self.change)

    @property
    def about(self) -> str:
        """`Deployment shop/api`; without the hash of its content where its name has one."""
        content = objects.text(self.after or self.before, "metadata", "labels", CONTENT_LABEL)
        return str(self.key).removesuffix(f"-{content}") if content else str(self.key)

    def fact(self, code: str, said: str) -> Fact:
        return Fact(code, self.about, said, (self.urn,))

    def touches(self, *paths: str) -> bool:
        """Whether a field there differs, by the plan's own list."""
        found = [field.path for field in self.change.fields]
        return any(_is_under(path, prefix) for path in found for prefix in paths)


@dataclass(frozen=True)
class World:
    """A plan's changes of Kubernetes objects, among all that is declared.

    `strategies`: how a new release of a service takes over where that is another way than pod by pod. `final`: jobs
    after which there is no way back. Both by the workload's name.
    """

    touched: tuple[Touched, ...]
    before: Objects
    after: Objects
    strategies: Mapping[str, str] = field(default_factory=dict)
    final: frozenset[str] = frozenset()

    def of(self, *kinds: str) -> Iterator[Touched]:
        return (one for one in self.touched if one.kind in kinds)

    def copies_before(self, one: Touched) -> int:
        """The pods that it keeps until the plan is applied."""
        return self.before.copies(one.before) if one.before else 0

    def strategy(self, one: Touched) -> str:
        """`canary` or `blue-green`, where a rollout brings it; empty: pods are replaced where they are."""
        return self.strategies.get(workload(one.after), "") if one.kind == "Deployment" else ""


def renamed(change: Change) -> bool:
    """Whether the object has another name, namespace or kind afterwards."""
    before, after = (objects.key(side, change.name) for side in (change.before, change.after))
    return bool(change.before) and bool(change.after) and before != after


def kept(change: Change) -> bool:
    """Whether the old one stays beside the new one: configuration and records that are named by their content."""
    labels = objects.mapping(change.after, "metadata", "labels")
    by_content = CONTENT_LABEL in labels or labels.get(KIND) == RELEASE_RECORD
    return change.after.get("immutable") is True and (by_content or renamed(change))


def workload(made: Manifest) -> str:
    """The workload that an object belongs to."""
    return objects.text(made, "metadata", "labels", WORKLOAD)


def is_monitoring(made: Manifest) -> bool:
    """Whether it watches the environment instead of being it."""
    return objects.text(made, "metadata", "labels", _PART_OF) in _MONITORING


def build(plan: Plan, settings: Settings | None = None, graph: ResourceGraph | None = None) -> World:
    """`graph`: of the settings after the change; without it the plan's own list of what is declared."""
    touched = tuple(_touched(change) for change in plan.changes if change.type.startswith(_KUBERNETES))
    declared = list(plan.declared) or [one.inputs for one in graph or () if one.is_kubernetes]
    after: dict[Key, Manifest] = {objects.key(made): made for made in declared}
    after |= {one.key: one.after for one in touched if one.after}
    new = {one.key for one in touched if one.after}
    before = {wanted: made for wanted, made in after.items() if wanted not in new}
    before |= {objects.key(one.before, one.change.name): one.before for one in touched if one.before}
    strategies, final = _of_settings(settings)
    return World(touched, Objects(before.values()), Objects(after.values()), strategies, final)


def _touched(change: Change) -> Touched:
    after = {} if change.operation in _GONE else change.after
    return Touched(change, objects.key(after or change.before, change.name), change.before, after)


def _of_settings(settings: Settings | None) -> tuple[dict[str, str], frozenset[str]]:
    if settings is None:
        return {}, frozenset()
    services = settings.app.services.items()
    strategies = {name: service.rollout.strategy for name, service in services if service.rollout.two_tracks}
    final = frozenset(name for name, job in settings.app.jobs.items() if not job.reversible)
    return dict(strategies), final


def _is_under(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith((f"{prefix}.", f"{prefix}["))


def names(found: Iterable[Touched]) -> tuple[str, ...]:
    """Each object once, in order of its name."""
    return tuple(sorted({str(one.key) for one in found}))
