"""What every output shows, worked out once: reviews as a reader takes them in, all texts harmless and bounded.

Pure. Within it, environments stand as given, components by name, and `worst_first` gives a component's resources or all
of an environment's by what they put at risk.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cli.engine.model import Change, Effect, Mode, Operation, Plan
from cli.report import entries, facts, plain
from cli.report.entries import Entry
from cli.report.facts import Fact
from cli.report.masking import masked
from cli.review.model import Finding, Level, Reason, Reviewed

ENVIRONMENT = "environment"
"""Stands for the component of what has none."""
_TOGETHER = 3
"""As many resources with the same change are one line."""
_SHOWS_FIELDS = frozenset({Operation.UPDATE, Operation.REPLACE, Operation.REFRESH})
_WEIGHTS = {
    Operation.DELETE: 6,
    Operation.REPLACE: 5,
    Operation.UPDATE: 4,
    Operation.REFRESH: 3,
    Operation.CREATE: 2,
    Operation.IMPORT: 2,
}
_EFFECT_WEIGHTS = {
    Effect.DATA_AT_RISK: 100,
    Effect.DOWNTIME: 80,
    Effect.STOPS: 60,
    Effect.RESTARTS_PODS: 20,
    Effect.SCALES: 10,
}
_LEVEL_WEIGHT = 1000
_MODES = {
    Mode.HERMETIC: "hermetic: two commits rendered and compared, no cluster asked",
    Mode.STATE: "state: compared with the last state, no cluster asked",
    Mode.LIVE: "live: the API server was asked (server-side dry run)",
}
WORDS = {
    Operation.CREATE: "to create",
    Operation.UPDATE: "to update",
    Operation.REPLACE: "to replace",
    Operation.DELETE: "to delete",
    Operation.RETAIN: "kept in the cluster",
    Operation.READ: "to read",
    Operation.IMPORT: "to import",
    Operation.REFRESH: "to refresh",
    Operation.SAME: "unchanged",
}


@dataclass(frozen=True)
class ResourceView:
    """One changed resource. `folded`: of its entries, those that are shown once for many resources.

    `inputs`: of one that comes or goes, all of it.
    """

    urn: str
    kind: str
    name: str
    component: str
    operation: Operation
    level: Level
    weight: int
    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    certain: bool = True
    folded: tuple[Entry, ...] = ()
    inputs: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def title(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def told_by_others(self) -> bool:
        """Whether all that is to say of it is said once for many resources."""
        return bool(self.folded) and not self.entries and not self.notes and self.level.rank < Level.MEDIUM.rank


@dataclass(frozen=True)
class Shared:
    """The same change of many resources. `resources` have it, worst first."""

    entry: Entry
    operation: Operation
    level: Level
    resources: tuple[ResourceView, ...]

    @property
    def where(self) -> str:
        """`12 Deployments, 1 CronJob`."""
        counted = Counter(resource.kind for resource in self.resources)
        ordered = sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))
        return ", ".join(f"{count} {plural(kind, count)}" for kind, count in ordered)

    @property
    def effects(self) -> tuple[str, ...]:
        """What it means for most of them, with the rest of their changes."""
        counted = Counter(effect for resource in self.resources for effect in resource.effects)
        return tuple(effect for effect, count in counted.items() if 2 * count > len(self.resources))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(resource.name for resource in self.resources)


@dataclass(frozen=True)
class ComponentView:
    name: str
    level: Level
    resources: tuple[ResourceView, ...]


@dataclass(frozen=True)
class Said:
    """A message of the engine or a warning of ours."""

    severity: str
    text: str


@dataclass(frozen=True)
class Judged:
    """A reason of the risk, or a finding of a policy, as one line."""

    level: Level
    text: str
    note: str = ""
    more: str = ""


@dataclass(frozen=True)
class EnvironmentView:
    """One environment's review. `failed`: there is no plan, and why.

    `settled`: findings that the change under review neither brought nor is refused for.
    """

    name: str
    mode: Mode
    compared: str
    risk: Level
    summary: str
    tools: str
    empty: bool
    needs_approval: bool
    refused: bool
    failed: str
    reasons: tuple[Judged, ...]
    facts: tuple[Fact, ...]
    findings: tuple[Judged, ...]
    settled: tuple[Judged, ...]
    shared: tuple[Shared, ...]
    components: tuple[ComponentView, ...]
    said: tuple[Said, ...]
    edges: dict[str, tuple[str, ...]]

    @property
    def mode_text(self) -> str:
        return _MODES[self.mode]

    @property
    def worst_first(self) -> tuple[ResourceView, ...]:
        return by_worst(resource for component in self.components for resource in component.resources)

    @property
    def status(self) -> str:
        """What a reader must know first: `no plan`, `refused`, `needs approval` or nothing."""
        if self.failed:
            return "no plan"
        if self.refused:
            return "refused"
        return "needs approval" if self.needs_approval else ""


def of(reviews: Sequence[Reviewed]) -> tuple[EnvironmentView, ...]:
    """The views of reviews, free of secrets, in their order."""
    return tuple(_environment(review) for review in masked(reviews))


def by_worst(resources: Iterable[ResourceView]) -> tuple[ResourceView, ...]:
    return tuple(sorted(resources, key=lambda found: (-found.weight, found.component, found.title)))


def _environment(review: Reviewed) -> EnvironmentView:
    plan = review.plan
    resources = _resources(review)
    shared = _shared(resources)
    ordered = sorted(review.findings, key=_finding_order)
    return EnvironmentView(
        name=plain.name(plan.environment),
        mode=plan.mode,
        compared=_compared(plan),
        risk=review.risk,
        summary=_summary(plan),
        tools=" · ".join(plain.name(part) for part in (f"{plan.seconds:.1f} s", plan.engine, plan.provider) if part),
        empty=plan.empty,
        needs_approval=bool(review.approvals),
        refused=review.refused,
        failed=plain.message(review.failed),
        reasons=tuple(_reason(reason) for reason in sorted(review.reasons, key=lambda found: -found.level.rank)),
        facts=facts.of(review.blast),
        findings=tuple(_finding(finding) for finding in ordered if not _is_settled(finding)),
        settled=tuple(_finding(finding) for finding in ordered if _is_settled(finding)),
        shared=shared,
        components=_components(_without(resources, shared)),
        said=tuple(Said(entry.severity, plain.message(entry.message)) for entry in plan.diagnostics),
        edges=review.edges,
    )


def _compared(plan: Plan) -> str:
    return " → ".join(plain.name(side) for side in (plan.base, plan.head) if side)


def _summary(plan: Plan) -> str:
    if plan.empty:
        return f"no changes, {plan.resources} resources"
    counted = [(word, plan.counts.get(operation.value, 0)) for operation, word in WORDS.items()]
    return ", ".join(f"{count} {word}" for word, count in counted if count)


def _resources(review: Reviewed) -> list[ResourceView]:
    levels, reasons = _judgements(review)
    return [
        _resource(change, levels.get(change.urn, Level.NONE), reasons.get(change.urn, ())) for change in _told(review)
    ]


def _told(review: Reviewed) -> Iterable[Change]:
    return (change for change in review.plan.changes if change.operation is not Operation.SAME)


def _judgements(review: Reviewed) -> tuple[dict[str, Level], dict[str, tuple[str, ...]]]:
    """For each URN the worst level that a reason or finding gives it, and the reasons in words."""
    levels: dict[str, Level] = {}
    reasons: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for reason in review.reasons:
        for urn in reason.urns:
            levels[urn] = Level.worst((levels.get(urn, Level.NONE), reason.level))
            reasons[urn] += (plain.message(reason.text),)
    for finding in review.findings:
        if finding.refuses and finding.urn:
            levels[finding.urn] = Level.worst((levels.get(finding.urn, Level.NONE), Level.HIGH))
            reasons[finding.urn] += (plain.message(f"{finding.rule}: {finding.message}"),)
    return levels, reasons


def _resource(change: Change, level: Level, reasons: tuple[str, ...]) -> ResourceView:
    effects = sum(_EFFECT_WEIGHTS[effect] for effect in change.effects)
    return ResourceView(
        urn=change.urn,
        kind=plain.name(change.kind),
        name=plain.name(change.name),
        component=plain.name(change.component) or ENVIRONMENT,
        operation=change.operation,
        level=level,
        weight=level.rank * _LEVEL_WEIGHT + effects + _WEIGHTS.get(change.operation, 0),
        entries=entries.of(change) if change.operation in _SHOWS_FIELDS else (),
        notes=_notes(change),
        effects=tuple(effect.value for effect in change.effects),
        reasons=reasons,
        certain=change.certain,
        inputs=_whole(change),
    )


def _whole(change: Change) -> dict[str, Any]:
    if change.operation in (Operation.CREATE, Operation.IMPORT):
        return change.after
    return change.before if change.operation is Operation.DELETE else {}


def _notes(change: Change) -> tuple[str, ...]:
    noted = {
        f"renamed from {plain.name(change.renamed_from)}": bool(change.renamed_from),
        "kept in the cluster": change.operation is Operation.RETAIN,
        "again: it was not ready, or its run was cut off": change.again,
        "possible": not change.certain,
    }
    return tuple(note for note, holds in noted.items() if holds)


def _shared(resources: Iterable[ResourceView]) -> tuple[Shared, ...]:
    """Changes that at least so many resources have in common, the widest first."""
    having: dict[tuple[object, ...], list[tuple[Entry, ResourceView]]] = defaultdict(list)
    for resource in resources:
        for entry in resource.entries:
            having[(resource.operation, *entry.key)].append((entry, resource))
    together = [found for found in having.values() if len({resource.urn for _, resource in found}) >= _TOGETHER]
    return tuple(_one_for_all(found) for found in sorted(together, key=lambda found: -len(found)))


def _one_for_all(found: list[tuple[Entry, ResourceView]]) -> Shared:
    entry, first = found[0]
    resources = by_worst({resource.urn: resource for _, resource in found}.values())
    worst = Level.worst(resource.level for resource in resources)
    label = entry.common or entry.label
    return Shared(replace(entry, label=label, common=label), first.operation, worst, resources)


def _without(resources: Iterable[ResourceView], shared: Iterable[Shared]) -> list[ResourceView]:
    keys = {(one.operation, *one.entry.key) for one in shared}
    return [_split(resource, keys) for resource in resources]


def _split(resource: ResourceView, keys: set[tuple[object, ...]]) -> ResourceView:
    own = tuple(entry for entry in resource.entries if (resource.operation, *entry.key) not in keys)
    folded = tuple(entry for entry in resource.entries if (resource.operation, *entry.key) in keys)
    return replace(resource, entries=own, folded=folded)


def _components(resources: Iterable[ResourceView]) -> tuple[ComponentView, ...]:
    grouped: dict[str, list[ResourceView]] = defaultdict(list)
    for resource in resources:
        grouped[resource.component].append(resource)
    ordered = sorted(grouped.items(), key=lambda entry: (entry[0] != ENVIRONMENT, entry[0]))
    return tuple(ComponentView(name, Level.worst(one.level for one in found), tuple(found)) for name, found in ordered)


def _reason(reason: Reason) -> Judged:
    note = "refused by the settings" if reason.refused else "needs approval" if reason.approval else ""
    return Judged(reason.level, plain.message(reason.text), note)


def _finding_order(finding: Finding) -> tuple[bool, bool, bool, str, str]:
    return (not finding.refuses, not finding.new, bool(finding.excepted), finding.rule, finding.where)


def _is_settled(finding: Finding) -> bool:
    """Whether the change under review neither brought it nor is refused for it."""
    return not finding.new and not finding.refuses


def _finding(finding: Finding) -> Judged:
    level = Level.HIGH if finding.refuses else Level.NONE if finding.excepted else Level.LOW
    notes = [finding.level, "" if finding.new else "known before"]
    notes += [f"excepted: {plain.message(finding.excepted)}"] if finding.excepted else []
    where = f"{finding.where} {finding.path}".strip()
    text = f"{plain.name(finding.rule)}: {plain.name(where)}: {plain.message(finding.message)}"
    return Judged(level, text, ", ".join(plain.visible(note) for note in notes if note), plain.message(finding.remedy))


def plural(kind: str, count: int) -> str:
    if count == 1:
        return kind
    if kind.endswith("y"):
        return f"{kind[:-1]}ies"
    return f"{kind}es" if kind.endswith("s") else f"{kind}s"
