from __future__ import annotations

import pytest

from cli.engine.model import Change
from cli.review.judge import judge
from tests.unit.review.builder import Manifest, Told, change, made, plan, pods, prod, replaced, running, told


def claim(size: str = "10Gi", **spec: object) -> Manifest:
    return made("PersistentVolumeClaim", "data", {"resources": {"requests": {"storage": size}}, **spec})


def database(*volumes: str, size: str = "10Gi", **spec: object) -> Manifest:
    templates = [{"metadata": {"name": name}, "spec": claim(size)["spec"]} for name in volumes]
    return running("StatefulSet", "db", template=pods("db"), volumeClaimTemplates=templates, **spec)


def deleting(**when: str) -> Manifest:
    return {"persistentVolumeClaimRetentionPolicy": when}


def scaled(copies: int) -> Manifest:
    return database("data", replicas=copies, **deleting(whenScaled="Delete"))


def storage_class(policy: str) -> Manifest:
    return made("StorageClass", "fast", namespace="", reclaimPolicy=policy)


def volume(policy: str) -> Manifest:
    return made("PersistentVolume", "disk", {"persistentVolumeReclaimPolicy": policy}, namespace="")


def settings(name: str, text: str, *, content: str = "1") -> Manifest:
    labels = {"turnout.dev/content": content}
    made_of = made("ConfigMap", f"{name}-{content}", data={"config.yaml": text})
    return {**made_of, "metadata": {**made_of["metadata"], "labels": labels}}


def prometheus(*args: str) -> Manifest:
    return running("DaemonSet", "prometheus", template=pods("p", containers=[{"name": "p", "args": list(args)}]))


ANEW = ("restarts-pods", "StatefulSet shop/db restarts its 2 pods")
ORPHANED = ("no-way-back", "StatefulSet shop/db is not brought back by a rollback: databases are no part of a release")
STOPS = ("stops", "StatefulSet shop/db is deleted, and what it did is done no more")
NAMESPACE = made("Namespace", "shop", namespace="")
KIND = made("CustomResourceDefinition", "things", {"names": {"kind": "Thing"}}, namespace="")

CASES: dict[str, tuple[list[Change], list[Manifest], list[Told]]] = {
    "a claim that goes": (
        [change(claim(), None)],
        [],
        [
            ("deletes-data", "PersistentVolumeClaim shop/data is deleted with what it holds"),
            ("no-way-back", "PersistentVolumeClaim shop/data is not filled again by a rollback"),
        ],
    ),
    "a claim made anew": (
        [replaced(claim(), claim(storageClassName="fast"))],
        [],
        [
            ("replaces-data", "PersistentVolumeClaim shop/data is deleted with what it holds, and made anew without"),
            ("no-way-back", "PersistentVolumeClaim shop/data is not filled again by a rollback"),
        ],
    ),
    "a claim that shrinks": (
        [change(claim("1Ti"), claim("500Gi"))],
        [],
        [("shrinks-volume", "PersistentVolumeClaim shop/data asks for 500Gi instead of 1Ti: a volume does not shrink")],
    ),
    "a claim that grows": ([change(claim("1Gi"), claim("2Gi"))], [], []),
    "a claim of the same size": ([change(claim("1Gi"), claim("1024Mi"))], [], []),
    "a volume that is kept where it is stored": (
        [change(volume("Retain"), None)],
        [],
        [
            (
                "orphans-data",
                "PersistentVolume disk goes; what it holds stays where it is stored, and nothing leads there",
            )
        ],
    ),
    "a volume that is not": (
        [change(volume("Delete"), None)],
        [],
        [("deletes-data", "PersistentVolume disk is deleted with what it holds")],
    ),
    "a volume that is kept no longer": (
        [change(volume("Retain"), volume("Delete"))],
        [],
        [("reclaims-data", "PersistentVolume disk is deleted with its claim from now on")],
    ),
    "a volume that is kept from now on": ([change(volume("Delete"), volume("Retain"))], [], []),
    "a class that keeps no longer": (
        [change(storage_class("Retain"), storage_class("Delete"))],
        [],
        [("reclaims-data", "StorageClass fast no longer keeps its volumes when their claims go")],
    ),
    "a database that goes": (
        [change(database("data"), None)],
        [],
        [
            ("orphans-data", "StatefulSet shop/db is deleted; its volumes data stay, and nothing uses them"),
            ORPHANED,
            STOPS,
        ],
    ),
    "a database that goes with its volumes": (
        [change(database("data", **deleting(whenDeleted="Delete")), None)],
        [],
        [("deletes-data", "StatefulSet shop/db is deleted with its volumes data"), ORPHANED, STOPS],
    ),
    "a database that is made anew, and its volumes go": (
        [replaced(database("data", **deleting(whenDeleted="Delete")), database("data", serviceName="other"))],
        [],
        [
            ("deletes-data", "StatefulSet shop/db is deleted with its volumes data, and made anew without"),
            ("no-way-back", "StatefulSet shop/db is not filled again by a rollback"),
            ANEW,
        ],
    ),
    "a database that is made anew, with other volumes, and its own go": (
        [replaced(database("data", **deleting(whenDeleted="Delete")), database("fresh", size="20Gi"))],
        [],
        [
            ("deletes-data", "StatefulSet shop/db is deleted with its volumes data, and made anew without"),
            ("no-way-back", "StatefulSet shop/db is not filled again by a rollback"),
            ANEW,
        ],
    ),
    "a database that is made anew on its volumes": (
        [replaced(database("data"), database("data", serviceName="other"))],
        [],
        [ANEW],
    ),
    "a set without volumes that is made anew": (
        [replaced(database(**deleting(whenDeleted="Delete")), database(serviceName="other"))],
        [],
        [ANEW],
    ),
    "a database whose volumes are asked for otherwise": (
        [replaced(database("data"), database("data", size="20Gi"))],
        [],
        [
            ("keeps-old-volumes", "StatefulSet shop/db asks for other volumes data; those that exist stay as they are"),
            ANEW,
        ],
    ),
    "a database that starts empty": (
        [replaced(database("data"), database("fresh"))],
        [],
        [
            ("replaces-data", "StatefulSet shop/db starts with empty volumes fresh"),
            ("orphans-data", "StatefulSet shop/db no longer uses its volumes data, which stay"),
            ANEW,
        ],
    ),
    "a database that keeps its volumes no longer": (
        [change(database("data"), database("data", **deleting(whenDeleted="Delete", whenScaled="Delete")))],
        [],
        [
            ("reclaims-data", "StatefulSet shop/db deletes its volumes when it has fewer copies from now on"),
            ("reclaims-data", "StatefulSet shop/db deletes its volumes when it is deleted from now on"),
        ],
    ),
    "fewer copies, and their volumes go": (
        [change(scaled(3), scaled(2))],
        [],
        [
            ("deletes-data", "StatefulSet shop/db deletes the volumes of 1 of its 3 copies"),
            ("fewer-copies", "StatefulSet shop/db has 2 copies instead of 3"),
        ],
    ),
    "a namespace that goes": (
        [change(NAMESPACE, None)],
        [database("data"), made("ConfigMap", "a")],
        [
            (
                "deletes-data",
                "Namespace shop is deleted with the 2 objects in it that are declared, StatefulSet shop/db among them,"
                " and whatever else is there",
            )
        ],
    ),
    "a kind that goes": (
        [change(KIND, None)],
        [],
        [
            ("deletes-data", "CustomResourceDefinition things is deleted with every Thing in the cluster"),
            ("no-way-back", "CustomResourceDefinition things goes, and every object of its kind with it"),
        ],
    ),
    "logs kept for a shorter time": (
        [
            replaced(
                settings("loki", "limits_config:\n  retention_period: 30d\n"),
                settings("loki", "limits_config:\n  retention_period: 168h\n", content="2"),
            )
        ],
        [],
        [("shortens-retention", "ConfigMap shop/loki keeps logs for 168h instead of 30d")],
    ),
    "the same time in other words": (
        [
            change(
                settings("loki", "limits_config:\n  retention_period: 7d\n"),
                settings("loki", "limits_config:\n  retention_period: 168h\n"),
            )
        ],
        [],
        [],
    ),
    "metrics kept for a shorter time": (
        [
            change(
                settings("prometheus", "storage: {tsdb: {retention: {time: 30d}}}"),
                settings("prometheus", "storage: {tsdb: {retention: {time: 15d}}}"),
            )
        ],
        [],
        [("shortens-retention", "ConfigMap shop/prometheus keeps metrics for 15d instead of 30d")],
    ),
    "metrics kept longer": (
        [
            change(
                settings("prometheus", "storage: {tsdb: {retention: {time: 15d}}}"),
                settings("prometheus", "storage: {tsdb: {retention: {time: 30d}}}"),
            )
        ],
        [],
        [],
    ),
    "no YAML": ([change(settings("a", "retention_period: ["), settings("a", "retention_period: {"))], [], []),
}


@pytest.mark.parametrize("case", CASES)
def test_what_happens_to_data(case: str) -> None:
    changes, beside, expected = CASES[case]
    assert told(*changes, beside=beside) == expected


def test_prod_asks_for_an_approval_before_a_set_is_emptied() -> None:
    before, after = (database("data", **deleting(whenDeleted="Delete"), serviceName=name) for name in ("a", "b"))
    judged = judge(plan(replaced(before, after)), prod())
    assert [reason.code for reason in judged.approvals] == ["deletes-data"]


def test_arguments_tell_how_long_metrics_are_kept_too() -> None:
    flag = "--storage.tsdb.retention.time="
    both = change(prometheus(f"{flag}30d"), prometheus(f"{flag}1w"))
    assert judge(plan(both)).blast.data_at_risk == ("DaemonSet shop/prometheus keeps metrics for 1w instead of 30d",)
