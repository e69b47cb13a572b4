"""The release that comes of taking only some services back: theirs as they were, all others as they are. Pure."""

from __future__ import annotations

from cli.rollout import contents, plan, records
from cli.rollout.control import Manifest, labels, namespace
from cli.rollout.records import Record
from components.names import RELEASE_RECORD


def merged(running: Record, restored: Record) -> tuple[Record, tuple[Manifest, ...]]:
    """The record, and the ConfigMaps to keep it in. `restored` holds the services that go back, and nothing else."""
    from components import record

    content = _content(running, restored)
    marks = labels(running.environment, RELEASE_RECORD) | {records.MERGED: "yes"}
    stored = record.stored(content, namespace(running.environment), marks)
    return records.decode(stored.manifests), tuple(stored.manifests)


def _content(running: Record, restored: Record) -> dict[str, object]:
    back = {workload.name for workload in restored.workloads}
    objects = [one for one in running.objects if contents.workload(one) not in back] + list(restored.objects)
    entries = [one for one in running.entries if contents.workload(one) not in back] + list(restored.entries)
    workloads = [one for one in running.workloads if one.name not in back] + list(restored.workloads)
    keys = {"/".join((place[1], place[0], place[2])) for place in map(plan.key, [*objects, *entries])}
    known = {**running.pulumi, **restored.pulumi}
    whole = Record(
        name="",
        environment=running.environment,
        objects=tuple(sorted(objects, key=plan.key)),
        workloads=tuple(sorted(workloads, key=lambda one: one.name)),
        pulumi={key: name for key, name in known.items() if key in keys},
        schema=min(running.schema, restored.schema),
        steps=running.steps,
        entries=tuple(sorted(entries, key=plan.key)),
    )
    document = whole.to_json()
    del document["name"]
    secrets = {place[2] for place in plan.references(objects) if place[0] == "Secret"}
    return document | {"secrets": sorted(secrets)}
