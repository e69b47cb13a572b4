from __future__ import annotations

from cli.review.judge import judge
from tests.unit.review.builder import Manifest, change, made, plan, prod, told


def job(name: str) -> Manifest:
    found = made("Job", f"{name}-1", {"template": {}})
    return {**found, "metadata": {**found["metadata"], "labels": {"app.kubernetes.io/name": name}}}


def kind(*versions: str) -> Manifest:
    served = [{"name": name, "served": True} for name in versions]
    return made("CustomResourceDefinition", "things", {"names": {"kind": "Thing"}, "versions": served}, namespace="")


def test_after_a_job_that_the_settings_call_irreversible_there_is_no_way_back() -> None:
    assert judge(plan(change(None, job("migrate"))), prod()).blast.rollback == (
        "Job shop/migrate-1 cannot be undone once it ran (`reversible: false`)",
    )
    assert judge(plan(change(None, job("sweep"))), prod()).blast.rollback == ()
    assert judge(plan(change(job("migrate"), None)), prod()).blast.rollback == ()


def test_a_version_that_older_releases_need() -> None:
    assert told(change(kind("v1beta1", "v1"), kind("v1"))) == [
        (
            "no-way-back",
            "CustomResourceDefinition things no longer serves Thing as v1beta1, in which older releases have it",
        )
    ]
    assert told(change(kind("v1"), kind("v1", "v2"))) == []


def test_a_set_of_the_monitoring_is_no_part_of_a_release_that_comes_back() -> None:
    found = made("StatefulSet", "loki", {"replicas": 1})
    found["metadata"]["labels"] = {"app.kubernetes.io/part-of": "monitoring"}
    assert judge(plan(change(found, None))).blast.rollback == ()
