from __future__ import annotations

import pytest

from cli.engine.model import Change, Effect
from cli.review.judge import judge
from tests.unit.review.builder import Manifest, change, made, plan, pods, replaced, running, service

CLAIM = made("PersistentVolumeClaim", "data")
HOSTED = pods(hostname="new")
FEWER, MORE = (made("HorizontalPodAutoscaler", "x", {"minReplicas": 2, "maxReplicas": most}) for most in (3, 9))


def database(size: str) -> Manifest:
    claim = {"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": size}}}}
    return running("StatefulSet", "db", template=pods("db"), volumeClaimTemplates=[claim])


CASES: dict[str, tuple[Change, tuple[Effect, ...]]] = {
    "another template": (change(running(), running(template=HOSTED)), (Effect.RESTARTS_PODS,)),
    "another count": (change(running(), running(replicas=3)), (Effect.SCALES,)),
    "other bounds": (change(FEWER, MORE), (Effect.SCALES,)),
    "both": (change(running(), running(replicas=3, template=HOSTED)), (Effect.RESTARTS_PODS, Effect.SCALES)),
    "made anew": (
        replaced(running(), running(selector={"matchLabels": {"app": "api"}})),
        (Effect.RESTARTS_PODS, Effect.DOWNTIME),
    ),
    "data": (change(CLAIM, None), (Effect.DATA_AT_RISK,)),
    "volumes that stay as they are": (
        replaced(database("1Gi"), database("2Gi")),
        (Effect.RESTARTS_PODS,),
    ),
    "a worker": (change(running("Deployment", "worker", template=pods("worker")), None), (Effect.STOPS,)),
    "nothing": (change(made("ConfigMap", "a"), None), ()),
}


@pytest.mark.parametrize("case", CASES)
def test_each_change_is_told_with_its_effects(case: str) -> None:
    found, expected = CASES[case]
    [judged] = judge(plan(found, beside=[service()])).plan.changes
    assert judged.effects == expected


def test_a_release_record_is_not_lost_whose_name_no_preview_can_know() -> None:
    record = made("ConfigMap", "release-[hash]", immutable=True)
    record["metadata"]["labels"] = {"turnout.dev/kind": "release-record"}
    judged = judge(plan(replaced(record, {**record, "data": {"more": "x"}})))
    assert (judged.reasons, judged.blast.replaced) == ((), ())


def test_configuration_that_is_named_by_its_content_is_not_lost() -> None:
    old, new = (made("ConfigMap", f"files-{content}", immutable=True) for content in ("1", "2"))
    other, fresh = (made("PersistentVolumeClaim", name) for name in ("a", "b"))
    assert judge(plan(replaced(old, new), replaced(other, fresh))).blast.replaced == ("PersistentVolumeClaim shop/b",)
