"""The hermetic preview: two commits rendered, each with its own code and settings, and compared.

It needs git and the two commits: no cluster, no network, no passphrase, no state.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cli.engine.graph import ResourceGraph
from cli.engine.model import Diagnostic, Mode, Plan
from cli.errors import TurnoutError, UsageError
from cli.garbage import seldom_collected
from cli.review import checkout, planned, renders, scope
from cli.review.checkout import Tree
from cli.review.planned import Planned
from cli.review.renders import Rendered

if TYPE_CHECKING:
    from cli.progress import Progress

ENGINE: Final = "rendered"
PROVIDER: Final = "no cluster"


@dataclass(frozen=True)
class Between:
    """The two sides of a preview, and what to know about them."""

    base: Tree
    head: Tree
    notes: tuple[str, ...] = ()


def between(root: Path, base: str, head: str = "") -> Between:
    """The files of both; an empty `head` is the working tree. Raises UsageError for a commit that is not here."""
    older = checkout.commit(root, base)
    newer = checkout.commit(root, head) if head else checkout.working_tree(root)
    return Between(older, newer, (*newer.notes, *checkout.behind(root, older, newer)))


def environments(sides: Between, named: Sequence[str], *, every: bool) -> tuple[str, ...]:
    """Those named, or every one that has settings on either side."""
    if not every:
        return scope.environments(sides.head.folder, named, every=False)
    scope.environments(sides.head.folder, named, every=True)
    return tuple(dict.fromkeys((*scope.known(sides.head.folder), *scope.known(sides.base.folder))))


def plans(sides: Between, names: Sequence[str], progress: Progress) -> Iterator[Planned]:
    """A plan for each environment; one that cannot be rendered has its reason, and the others go on.

    Each comes as soon as it is there, so it can be judged while the others are being rendered.
    """
    began = time.monotonic()
    rendering = progress.step(f"rendering {sides.base.label} and {sides.head.label}", usually=2)
    with seldom_collected(), rendering:
        for name, before, after in renders.both(sides.base, sides.head, names):
            yield _timed(_planned(name, sides, before, after), began)
    checkout.clean()


def _planned(name: str, sides: Between, before: Rendered, after: Rendered) -> Planned:
    labels = {"base": sides.base.label, "head": sides.head.label}
    if error := before.error or after.error or _unknown(name, sides, before, after):
        return planned.failed(name, Mode.HERMETIC, error, **labels)
    if after.graph is None:
        return Planned(_plan(name, sides, notes=(_removed(name),)), base=before.graph)
    from cli.review import compare

    found = compare.compare(before.graph or _empty(name), after.graph, after.unrotated)
    said = (Diagnostic(severity, text) for severity, text in after.said)
    plan = replace(
        _plan(name, sides, notes=sides.notes),
        changes=found.changes,
        counts=found.counts,
        declared=tuple(resource.inputs for resource in after.graph if resource.is_kubernetes),
    )
    plan = replace(plan, diagnostics=(*plan.diagnostics, *said, *found.diagnostics))
    return Planned(
        plan,
        after.graph,
        scope.settings(sides.head.folder, name),
        before.graph,
        scope.settings(sides.base.folder, name),
    )


def _plan(name: str, sides: Between, *, notes: Sequence[str] = ()) -> Plan:
    return Plan(
        environment=name,
        changes=(),
        counts={},
        seconds=0.0,
        engine=ENGINE,
        provider=PROVIDER,
        diagnostics=tuple(Diagnostic("warning", note) for note in notes),
        mode=Mode.HERMETIC,
        base=sides.base.label,
        head=sides.head.label,
    )


def _timed(found: Planned, began: float) -> Planned:
    return replace(found, plan=replace(found.plan, seconds=time.monotonic() - began))


def _unknown(name: str, sides: Between, before: Rendered, after: Rendered) -> TurnoutError | None:
    if before.graph or after.graph:
        return None
    known = ", ".join(scope.known(sides.head.folder))
    return UsageError(f"there is no environment {name} at either commit", next=f"use one of: {known}")


def _removed(name: str) -> str:
    return (
        f"Pulumi.{name}.yaml is gone at the head: nothing is applied to {name} any more, and what runs goes on; "
        f"`turnout destroy {name}` at the base ends it"
    )


def _empty(name: str) -> ResourceGraph:
    return ResourceGraph(name, (), {})
