from __future__ import annotations

from typing import Any

import pytest

from cli.engine.model import Change, Operation
from cli.review.judge import judge
from cli.review.model import Level
from tests.unit.review.builder import (
    Manifest,
    Told,
    change,
    container,
    made,
    plan,
    pods,
    replaced,
    running,
    service,
    told,
)

NEW = pods(containers=[container(args=["--new"])])
PROBED = pods(containers=[container(readinessProbe={"tcpSocket": {"port": 80}})])
BUDGET = made("PodDisruptionBudget", "api", {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "api"}}})
JOB = made("Job", "migrate", {"template": pods("migrate")})

CASES: dict[str, tuple[list[Change], list[Manifest], list[Told]]] = {
    "another template restarts all pods": (
        [change(running(), running(template=NEW))],
        [],
        [("restarts-pods", "Deployment shop/api restarts its 2 pods")],
    ),
    "of an autoscaled one at least as many as it keeps": (
        [change(running(), running(template=NEW))],
        [
            made(
                "HorizontalPodAutoscaler",
                "api",
                {"minReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "api"}},
            )
        ],
        [("restarts-pods", "Deployment shop/api restarts its 5 pods")],
    ),
    "the same for two is said once": (
        [
            change(running("Deployment", name), running("Deployment", name, template=pods(name, hostname="x")))
            for name in ("one", "two")
        ],
        [],
        [("restarts-pods", "Deployment shop/one and Deployment shop/two: each restarts its 2 pods")],
    ),
    "labels and counts restart nothing": ([change(running(), running(replicas=3))], [], []),
    "a paused Deployment restarts nothing": ([change(running(), running(template=NEW, paused=True))], [], []),
    "a set that waits for its pods to be deleted restarts nothing": (
        [change(running("StatefulSet"), running("StatefulSet", template=NEW, updateStrategy={"type": "OnDelete"}))],
        [],
        [],
    ),
    "agents restart on every node": (
        [change(running("DaemonSet"), running("DaemonSet", template=NEW))],
        [],
        [("restarts-every-node", "DaemonSet shop/api restarts on every node")],
    ),
    "a new job runs": ([change(None, JOB)], [], [("runs-job", "Job shop/migrate runs once")]),
    "a job that is cleared away stops nothing": (
        [change(JOB, None)],
        [],
        [("deletes", "Job shop/migrate is deleted")],
    ),
    "a worker that goes stops": (
        [change(running(), None)],
        [],
        [("stops", "Deployment shop/api is deleted, and what it did is done no more")],
    ),
    "a budget that goes": (
        [change(BUDGET, None)],
        [running()],
        [
            ("loses-budget", "Deployment shop/api loses its disruption budget: a drain may take all its pods at once"),
        ],
    ),
    "a budget that goes with its pods": (
        [change(BUDGET, None), change(running(), None)],
        [],
        [
            ("stops", "Deployment shop/api is deleted, and what it did is done no more"),
            ("deletes", "PodDisruptionBudget shop/api is deleted"),
        ],
    ),
    "another budget takes its place": (
        [change(BUDGET, None)],
        [running(), {**BUDGET, "metadata": {"name": "other", "namespace": "shop"}}],
        [("deletes", "PodDisruptionBudget shop/api is deleted")],
    ),
    "a probe that goes": (
        [change(running(template=PROBED), running())],
        [service()],
        [
            ("loses-readiness", "Deployment shop/api loses the readiness probe of app"),
            ("restarts-pods", "Deployment shop/api restarts its 2 pods"),
        ],
    ),
    "a probe of what gets no traffic": (
        [change(running(template=PROBED), running())],
        [],
        [("restarts-pods", "Deployment shop/api restarts its 2 pods")],
    ),
    "what nothing worse is said of": (
        [
            change(made("ServiceAccount", "api"), None),
            replaced(made("Secret", "a", type="x"), made("Secret", "a", type="y")),
        ],
        [],
        [
            ("deletes", "ServiceAccount shop/api is deleted"),
            ("replaces", "Secret shop/a is deleted and made anew"),
        ],
    ),
    "a new name for the same configuration": (
        [replaced(made("ConfigMap", "a-1", immutable=True), made("ConfigMap", "a-2", immutable=True))],
        [],
        [],
    ),
    "what is only let go of": ([change(made("ConfigMap", "a"), None, Operation.RETAIN)], [], []),
}


@pytest.mark.parametrize("case", CASES)
def test_what_restarts_or_stops(case: str) -> None:
    changes, beside, expected = CASES[case]
    assert told(*changes, beside=beside) == expected


def test_the_blast_names_pods_services_and_what_goes() -> None:
    other = made("Service", "front", {"selector": {"app": "api"}, "ports": []})
    agents = change(running("DaemonSet", "agent"), running("DaemonSet", "agent", template=NEW))
    changes = [change(running(), running(template=NEW)), agents, change(made("Secret", "old"), None)]
    blast = judge(plan(*changes, beside=[service(), other])).blast
    assert (blast.pods_restarted, blast.every_node) == (2, ("DaemonSet shop/agent",))
    assert blast.services == ("shop/api", "shop/front")
    assert blast.deleted == ("Secret shop/old",)


def test_hidden_or_misshapen_objects_are_no_error() -> None:
    hidden: list[Manifest] = [
        {"spec": "[secret]"},
        {"metadata": {"name": "a", "labels": None}},
        {"spec": {"template": []}},
    ]
    for broken in hidden:
        whole: dict[str, Any] = {**running("Deployment", "a"), **broken}
        assert judge(plan(change(running("Deployment", "a"), whole))).risk.rank <= Level.CRITICAL.rank
