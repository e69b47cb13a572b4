"""Reviews by hand, for tests of what shows them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from cli.engine.model import ABSENT, Change, FieldChange, Mode, Operation, Plan
from cli.review.model import Reviewed

APPS, CORE = "kubernetes:apps/v1", "kubernetes:core/v1"


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:prod::shop::{kind}::{name}"


def change(
    name: str = "prod/api",
    *fields: FieldChange,
    kind: str = f"{APPS}:Deployment",
    operation: Operation = Operation.UPDATE,
    component: str = "app/api",
    **more: Any,
) -> Change:
    return Change(urn(kind, name), kind, name, operation, component=component, fields=fields, **more)


def config(name: str, file: str, before: str, after: str) -> Change:
    """A ConfigMap whose file changes, and with it the name."""
    fields = (
        FieldChange("metadata.name", f"{name}-0123456789", f"{name}-abcdef0123", replaces=True),
        FieldChange('metadata.labels["turnout.dev/content"]', "0123456789", "abcdef0123"),
        FieldChange(f'data["{file}"]', before, after),
    )
    return change(f"prod/{name}", *fields, kind=f"{CORE}:ConfigMap", operation=Operation.REPLACE, component=name)


def image(name: str, container: str = "", before: str = "shop:1", after: str = "shop:2") -> Change:
    container = container or name
    path = f"spec.template.spec.containers.{container}.image"
    inputs = {"spec": {"template": {"spec": {"containers": [{"name": container, "image": after}]}}}}
    return change(f"prod/{name}", FieldChange(path, before, after), component=f"app/{name}", after=inputs)


def plan(*changes: Change, environment: str = "prod", same: int = 3, **more: Any) -> Plan:
    counts = Counter(change.operation.value for change in changes)
    given = {"mode": Mode.HERMETIC, "base": "origin/main 3f2a91c", "head": "working tree"} | more
    return Plan(environment, changes, dict(counts) | {"same": same}, 1.25, "pulumi 3.259.0", "own", **given)


def review(*changes: Change, environment: str = "prod", **more: Any) -> Reviewed:
    return Reviewed(plan(*changes, environment=environment), **more)


def added(path: str, value: Any) -> FieldChange:
    return FieldChange(path, ABSENT, value)
