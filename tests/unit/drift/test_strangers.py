"""What nobody declared, and what has an explanation."""

from __future__ import annotations

from typing import Any

from cli.drift.strangers import strangers
from components.manifest import CONTENT_LABEL
from tests.unit.drift.world import EARLY, at, declared, deployment, owner


def thing(kind: str, name: str, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "dev", "creationTimestamp": EARLY, **metadata},
    }


def test_what_somebody_put_there_is_told_with_who_and_when() -> None:
    made = thing("ConfigMap", "mine", managedFields=[owner("kubectl-create", at("data"), at=EARLY)])
    [found] = strangers([made, deployment()], [declared(deployment())])
    assert (found.place.address, found.at, [author.word for author in found.by]) == (
        "ConfigMap/dev/mine",
        EARLY,
        ["kubectl create"],
    )


def test_what_controllers_turnout_and_kubernetes_put_there_is_not() -> None:
    stateful = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db", "namespace": "dev"},
        "spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}}]},
    }
    explained = [
        thing("Pod", "web-1", ownerReferences=[{"uid": "u"}]),
        thing("ConfigMap", "kube-root-ca.crt"),
        thing("ServiceAccount", "default"),
        thing("ConfigMap", "cursor", labels={"turnout.dev/kind": "cursor"}),
        thing("ConfigMap", "web-config-1", labels={CONTENT_LABEL: "1"}),
        thing("Secret", "token-1", annotations={"kubernetes.io/service-account.name": "web"}),
        thing("PersistentVolumeClaim", "data-db-0"),
    ]
    assert strangers(explained, [declared(stateful)]) == ()
    mine = thing("PersistentVolumeClaim", "data-db-old")
    [found] = strangers([*explained, mine], [declared(stateful)])
    assert found.place.name == "data-db-old"


def test_an_autoscaler_says_whose_pods_it_counts() -> None:
    scaler = thing("HorizontalPodAutoscaler", "h") | {"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}}}
    [found] = strangers([scaler], [])
    assert found.note == "counts the pods of Deployment web"
