"""Whether a deployment is one that the engine accepts: the rules that it applies at each load, all faults at once.

Source: VerifyIntegrity in pkg/resource/deploy/snapshot.go and pkg/resource/stack/snapshot/integrity.go of
pulumi/pulumi. Pure: nothing is read but what is given.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cli import protocol

JSON = Mapping[str, Any]
Kind = Literal[
    "shape", "magic", "resource", "provider", "reference", "order", "duplicate", "foreign", "pending", "secrets", "file"
]
"""What a problem is about. `reference`: to a resource that is not there; `order`: to one that comes later."""


@dataclass(frozen=True)
class Problem:
    """One fault, told in a line. `fatal`: the engine refuses the state for it; else it is a warning."""

    kind: Kind
    text: str
    urn: str = ""
    fatal: bool = True

    def __str__(self) -> str:
        return self.text

    def to_json(self) -> dict[str, str | bool]:
        return {"kind": self.kind, "text": self.text, "urn": self.urn, "fatal": self.fatal}


def verify(deployment: JSON) -> list[Problem]:
    """Every problem of a deployment (`deployment` of an export, `checkpoint.latest` of a state file); empty when whole.

    Never raises, whatever the deployment holds. Pending operations are a warning, as the engine has it.
    """
    if not isinstance(deployment, Mapping):
        return [Problem("shape", "the deployment is not an object")]
    resources = deployment.get("resources") or []
    shape = list(_shape(resources))
    checks = shape or [*_resources(resources), *_duplicates(resources)]
    return [*_magic(deployment), *checks, *_pending(deployment)]


def whole(problems: Sequence[Problem]) -> bool:
    """Whether the engine would take it."""
    return not any(problem.fatal for problem in problems)


def foreign(deployment: JSON, project: str, stack: str) -> list[Problem]:
    """The resources that belong to another project or stack, told once for each of them."""
    resources = _entries(deployment.get("resources"))
    found = Counter(_owner(entry) for entry in resources if isinstance(entry, Mapping))
    return [
        Problem("foreign", f"{count} resources belong to stack {owner[1]} of project {owner[0]}")
        for owner, count in found.items()
        if owner and owner != (project, stack)
    ]


def name(urn: str) -> str:
    """`Deployment api`: a resource for people."""
    kind, _, last = urn.rpartition("::")
    return f"{kind.rpartition(':')[2]} {last}" if kind else urn


def _entries(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _owner(entry: JSON) -> tuple[str, str] | None:
    parts = str(entry.get("urn") or "").removeprefix("urn:pulumi:").split("::")
    return (parts[1], parts[0]) if len(parts) >= 4 else None


def _magic(deployment: JSON) -> Iterator[Problem]:
    manifest = deployment.get("manifest") or {}
    if not isinstance(manifest, Mapping):
        yield Problem("shape", "its manifest is not an object")
        return
    version = str(manifest.get("version") or "")
    wanted = hashlib.sha256(version.encode()).hexdigest() if version else ""
    if (manifest.get("magic") or "") != wanted:
        yield Problem("magic", "its mark does not fit the engine's version: it was edited by hand or is damaged")


def _shape(resources: Any) -> Iterator[Problem]:
    if not isinstance(resources, list):
        yield Problem("shape", "its resources are not a list")
        return
    for index, entry in enumerate(resources):
        if not isinstance(entry, Mapping):
            yield Problem("shape", f"resource {index} is not an object")
        elif not isinstance(entry.get("urn"), str) or not entry["urn"]:
            yield Problem("shape", f"resource {index} has no urn")


def _resources(resources: Sequence[JSON]) -> Iterator[Problem]:
    last = {entry["urn"]: index for index, entry in enumerate(resources)}
    seen: set[str] = set()
    providers: set[str] = set()
    for index, entry in enumerate(resources):
        yield from _itself(entry)
        yield from _own_provider(entry, providers)
        for role, target in references(entry):
            if target not in seen:
                yield _unmet(entry, role, target, later=last.get(target, -1) > index)
        seen.add(entry["urn"])


def _itself(entry: JSON) -> Iterator[Problem]:
    urn = entry["urn"]
    if not isinstance(entry.get("type"), str) or not entry["type"]:
        yield Problem("resource", f"{name(urn)} has no type", urn)
    if not entry.get("custom") and entry.get("id"):
        yield Problem("resource", f"{name(urn)} is a component, yet has an id", urn)


def _own_provider(entry: JSON, providers: set[str]) -> Iterator[Problem]:
    """Notes a provider; tells of a resource whose provider did not come before it."""
    urn = entry["urn"]
    if str(entry.get("type", "")).startswith(protocol.PROVIDERS):
        if not _is_provider_urn(urn):
            yield Problem("provider", f"provider {name(urn)} has an urn that is not a provider's", urn)
        providers.add(f"{urn}::{entry.get('id') or protocol.UNKNOWN}")
    reference = entry.get("provider")
    if not reference:
        return
    if not isinstance(reference, str) or not _is_provider_urn(reference.rpartition("::")[0]):
        yield Problem("provider", f"{name(urn)} names a provider in a form that is none", urn)
    elif reference not in providers and not entry.get("pendingReplacement"):
        yield Problem("provider", f"{name(urn)} needs provider {name(reference.rpartition('::')[0])}: unknown", urn)


def _is_provider_urn(urn: str) -> bool:
    parts = urn.split("::")
    return (
        urn.startswith("urn:pulumi:") and len(parts) >= 4 and parts[2].rpartition("$")[2].startswith(protocol.PROVIDERS)
    )


def references(entry: JSON) -> Iterator[tuple[str, str]]:
    """Every resource that this one has to come after: `(role, urn)`."""
    for role in ("parent", "deletedWith"):
        if entry.get(role):
            yield role, str(entry[role])
    for role in ("dependencies", "replaceWith"):
        for urn in _listed(entry.get(role)):
            yield role, urn
    by_property = entry.get("propertyDependencies")
    if isinstance(by_property, Mapping):
        for key, urns in by_property.items():
            for urn in _listed(urns):
                yield f"propertyDependencies.{key}", urn


def _listed(value: Any) -> list[str]:
    return [str(urn) for urn in _entries(value)]


def _unmet(entry: JSON, role: str, target: str, *, later: bool) -> Problem:
    where = "comes after it" if later else "is missing"
    text = f"{name(entry['urn'])}: its {role} {name(target)} {where}"
    return Problem("order" if later else "reference", text, entry["urn"])


def _duplicates(resources: Sequence[JSON]) -> Iterator[Problem]:
    live = Counter(entry["urn"] for entry in resources if not entry.get("delete"))
    for urn, count in live.items():
        if count > 1:
            yield Problem("duplicate", f"{name(urn)} is there {count} times", urn)


def _pending(deployment: JSON) -> Iterator[Problem]:
    for entry in _entries(deployment.get("pending_operations")):
        resource = entry.get("resource") if isinstance(entry, Mapping) else None
        if not isinstance(resource, Mapping) or not isinstance(resource.get("urn"), str):
            yield Problem("shape", "one of its pending operations is not whole")
        else:
            text = f"a run was cut off while {entry.get('type', 'working on')} {name(resource['urn'])}"
            yield Problem("pending", text, resource["urn"], fatal=False)
