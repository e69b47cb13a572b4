"""Whether a rollback will be possible after a plan, as far as the plan itself tells. Pure.

What only the cluster knows (images on nodes, pins, records that were pruned) `cli.rollout.possible` asks it.
"""

from __future__ import annotations

from collections.abc import Iterator

from cli.review import objects
from cli.review.data import empties
from cli.review.facts import Fact
from cli.review.objects import mapping, rows, text
from cli.review.world import Touched, World, is_monitoring, workload


def facts(there: World) -> Iterator[Fact]:
    for one in there.touched:
        if one.kind == "Job" and one.after and workload(one.after) in there.final and (one.is_new or one.replaced):
            yield one.fact("no-way-back", "cannot be undone once it ran (`reversible: false`)")
        elif _is_emptied(one):
            yield one.fact("no-way-back", "is not filled again by a rollback")
        elif one.kind == "StatefulSet" and (one.moved or one.deleted) and not is_monitoring(one.before):
            yield one.fact("no-way-back", "is not brought back by a rollback: databases are no part of a release")
        elif one.kind == "CustomResourceDefinition" and one.before:
            yield from (one.fact("no-way-back", said) for said in _gone(one.before, one.after))


def _is_emptied(one: Touched) -> bool:
    if one.kind == "PersistentVolumeClaim":
        return one.replaced or one.deleted
    return empties(one) and not is_monitoring(one.before)


def _gone(before: objects.Manifest, after: objects.Manifest) -> Iterator[str]:
    if not after:
        yield "goes, and every object of its kind with it"
    for row in rows(before, "spec", "versions"):
        served = {text(each, "name") for each in rows(after, "spec", "versions") if each.get("served") is not False}
        name = text(row, "name")
        if after and row.get("served") is not False and name not in served:
            kind = text(mapping(before, "spec", "names"), "kind")
            yield f"no longer serves {kind} as {name}, in which older releases have it"
