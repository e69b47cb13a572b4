from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cli.engine.model import Change
from cli.review.downtime import unavailable
from cli.review.judge import judge
from tests.unit.review.builder import (
    Manifest,
    Told,
    change,
    container,
    made,
    plan,
    pods,
    prod,
    replaced,
    running,
    service,
    told,
)

NEW = pods(hostname="new")
ONE: Manifest = {"replicas": 1}
CAREFUL: Manifest = {"strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}}
MONITORING = {"metadata": {"name": "loki", "namespace": "shop", "labels": {"app.kubernetes.io/part-of": "monitoring"}}}
NAMED = service(ports=[{"port": 80, "targetPort": "http"}])


def listening(port: str) -> Manifest:
    return pods(containers=[container(ports=[{"name": port, "containerPort": 8080}])])


RESTARTS = ("restarts-pods", "Deployment shop/api restarts its 2 pods")

CASES: dict[str, tuple[list[Change], list[Manifest], list[Told]]] = {
    "one copy that is started before the old one ends": (
        [change(running(**ONE, **CAREFUL), running(**ONE, **CAREFUL, template=NEW))],
        [service()],
        [("restarts-pods", "Deployment shop/api restarts its only pod")],
    ),
    "one copy that may be missing": (
        [
            change(
                running(**ONE),
                running(**ONE, template=NEW, strategy={"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 1}}),
            )
        ],
        [service()],
        [("only-copy", "Deployment shop/api restarts its only copy: shop/api does not answer meanwhile")],
    ),
    "all copies that may be missing": (
        [change(running(), running(template=NEW, strategy={"rollingUpdate": {"maxUnavailable": "100%"}}))],
        [service()],
        [("only-copy", "Deployment shop/api may restart all its 2 copies at once: shop/api does not answer meanwhile")],
    ),
    "one copy that nothing asks": (
        [change(running("StatefulSet", **ONE), running("StatefulSet", **ONE, template=NEW))],
        [],
        [("restarts-pods", "StatefulSet shop/api restarts its only pod")],
    ),
    "a set of one": (
        [change(running("StatefulSet", **ONE), running("StatefulSet", **ONE, template=NEW))],
        [service()],
        [("only-copy", "StatefulSet shop/api restarts its only copy: shop/api does not answer meanwhile")],
    ),
    "a set of two": (
        [change(running("StatefulSet"), running("StatefulSet", template=NEW))],
        [service()],
        [("restarts-pods", "StatefulSet shop/api restarts its 2 pods")],
    ),
    "one copy of the monitoring": (
        [
            change(
                running("StatefulSet", "loki", **ONE) | MONITORING,
                running("StatefulSet", "loki", **ONE, template=pods("loki", hostname="new")) | MONITORING,
            )
        ],
        [service("loki")],
        [
            (
                "pauses-monitoring",
                "StatefulSet shop/loki restarts its only copy, and the monitoring does without it meanwhile",
            )
        ],
    ),
    "all end before the first begins": (
        [change(running(), running(template=NEW, strategy={"type": "Recreate"}))],
        [service()],
        [("all-at-once", "Deployment shop/api ends its 2 pods before the first new one starts")],
    ),
    "all will end, the next time": (
        [change(running(), running(strategy={"type": "Recreate"}))],
        [service()],
        [("loses-rolling", "Deployment shop/api will have no copy left while it restarts the next time")],
    ),
    "some will end, the next time": (
        [change(running(**CAREFUL), running(strategy={"rollingUpdate": {"maxUnavailable": 1}}))],
        [service()],
        [],
    ),
    "made anew under its name": (
        [replaced(running(), running(selector={"matchLabels": {"app": "api"}}))],
        [service()],
        [("replaces-serving", "Deployment shop/api is deleted before it is made anew")],
    ),
    "a Service made anew": (
        [replaced(service(), service(clusterIP="None"))],
        [running()],
        [("replaces-serving", "Service shop/api is deleted before it is made anew")],
    ),
    "a worker made anew": (
        [replaced(running(), running(selector={"matchLabels": {"app": "api"}}))],
        [],
        [RESTARTS],
    ),
    "a Service that goes": (
        [change(service(), None)],
        [running()],
        [("deletes-serving", "Service shop/api goes, and callers find nothing there")],
    ),
    "a Service of another name": (
        [replaced(service(), {**service(), "metadata": {"name": "front", "namespace": "shop"}})],
        [running()],
        [("deletes-serving", "Service shop/api becomes shop/front: callers know the old name")],
    ),
    "no copy is kept": (
        [change(running(), running(replicas=0))],
        [],
        [("scales-to-zero", "Deployment shop/api keeps no copy")],
    ),
    "a selector that finds nothing": (
        [change(service(), service(selector={"app": "typo"}))],
        [running()],
        [("serves-nothing", "Service shop/api finds no pods any more")],
    ),
    "pods that a selector no longer finds": (
        [change(running(), running(template=pods("other")))],
        [service()],
        [("serves-nothing", "Service shop/api finds no pods any more"), RESTARTS],
    ),
    "what is behind a Service goes": (
        [change(running(), None)],
        [service()],
        [("serves-nothing", "Service shop/api finds no pods any more")],
    ),
    "one of two behind a Service goes": (
        [change(running("Deployment", "old", template=pods()), None)],
        [service(), running()],
        [("deletes", "Deployment shop/old is deleted")],
    ),
    "a selector that never found anything": (
        [change(service(selector={"app": "a"}), service(selector={"app": "b"}))],
        [],
        [],
    ),
    "a port that goes": (
        [change(service(), service(ports=[{"port": 81}]))],
        [running()],
        [("port-gone", "Service shop/api no longer listens on port 80/TCP")],
    ),
    "a port that only gets a name": (
        [change(service(ports=[{"port": 80}]), service(ports=[{"port": 80.0, "name": "x", "protocol": "TCP"}]))],
        [running()],
        [],
    ),
    "a port that pods name otherwise": (
        [change(running(template=listening("http")), running(template=listening("web")))],
        [NAMED],
        [("port-gone", "Service shop/api leads to the port http, which no pod behind it has"), RESTARTS],
    ),
    "a port that was never named": (
        [change(running(template=listening("web")), running(template=listening("other")))],
        [NAMED],
        [RESTARTS],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_when_nothing_answers(case: str) -> None:
    changes, beside, expected = CASES[case]
    assert told(*changes, beside=beside) == expected


def test_what_a_rollout_brings_has_no_gap() -> None:
    labels = {"metadata": {"name": "api", "namespace": "shop", "labels": {"app.kubernetes.io/name": "api"}}}
    before, after = (running(**ONE, template=template) | labels for template in (pods(), NEW))
    judged = judge(plan(change(before, after), beside=[service()]), prod())
    assert [reason.text for reason in judged.reasons] == ["Deployment shop/api gets new pods by a canary rollout"]


@pytest.mark.parametrize(
    ("copies", "strategy", "missing"),
    [
        (1, {}, 0),
        (4, {}, 1),
        (3, {"rollingUpdate": {"maxUnavailable": "34%"}}, 1),
        (1, {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 0}}, 1),
        (2, {"rollingUpdate": {"maxUnavailable": "50%", "maxSurge": 0}}, 1),
        (5, {"type": "Recreate"}, 5),
    ],
)
def test_how_many_may_be_missing_is_as_kubernetes_counts(copies: int, strategy: Manifest, missing: int) -> None:
    assert unavailable(made("Deployment", "api", {"strategy": strategy}), copies) == missing


@given(some.integers(1, 50), some.integers(0, 100), some.integers(0, 100))
def test_a_rollout_can_always_go_on(copies: int, missing: int, surge: int) -> None:
    rolling = {"maxUnavailable": f"{missing}%", "maxSurge": f"{surge}%"}
    found = unavailable(made("Deployment", "api", {"strategy": {"rollingUpdate": rolling}}), copies)
    assert 0 <= found <= copies
    assert found > 0 or surge > 0
