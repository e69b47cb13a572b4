"""What a rollout needs: objects frozen whole, named alone, whatever others moved; counts, bounds and rules ignored."""

from __future__ import annotations

from tests.parity.pair import Manifest, Move, Pair, Resource, change
from tests.parity.pairs.shapes import GROUP, config_map, deployment, obj, service, wide

_RBAC = "rbac.authorization.k8s.io"
_RULE = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
_SUBJECT = {"kind": "ServiceAccount", "name": "frozen"}
_NETWORK = {"podSelector": {"matchLabels": {"app": "a"}}, "policyTypes": ["Ingress"]}
_HPA = {
    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "nobody"},
    "minReplicas": 2,
    "maxReplicas": 4,
}
_WEIGHTS = [{"backends": [{"name": "a", "weight": 90}, {"name": "b", "weight": 10}]}]


def _frozen(name: str, before: Manifest, moved: Manifest | None = None) -> Pair:
    """Declared in full, then by its name alone with everything ignored; in between others may have moved something."""
    metadata = {key: value for key, value in before["metadata"].items() if key in ("name", "namespace")}
    head = {"apiVersion": before["apiVersion"], "kind": before["kind"], "metadata": metadata}
    after = Resource(name, head, ignore=["*"])
    return Pair(name, [Resource(name, before)], [after], moves=[Move(before, moved)] if moved else [])


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"apiGroup": _RBAC, "kind": kind, "name": name}


def _autoscaler(name: str) -> Manifest:
    return obj("autoscaling/v2", "HorizontalPodAutoscaler", name, {"spec": _HPA})


PAIRS = [
    _frozen("frozen-deployment", deployment("frozen-deployment"), {"spec": {"replicas": 1}}),
    _frozen("frozen-account", obj("v1", "ServiceAccount", "frozen-account", {"automountServiceAccountToken": False})),
    _frozen("frozen-role", obj(f"{_RBAC}/v1", "Role", "frozen-role", {"rules": [_RULE]})),
    _frozen(
        "frozen-binding",
        obj(f"{_RBAC}/v1", "RoleBinding", "frozen-binding", {"roleRef": _ref("Role", "x"), "subjects": [_SUBJECT]}),
    ),
    _frozen("frozen-cluster-role", wide(f"{_RBAC}/v1", "ClusterRole", "frozen", {"rules": [_RULE]})),
    _frozen(
        "frozen-cluster-binding",
        wide(f"{_RBAC}/v1", "ClusterRoleBinding", "frozen", {"roleRef": _ref("ClusterRole", "none"), "subjects": []}),
    ),
    _frozen("frozen-network", obj("networking.k8s.io/v1", "NetworkPolicy", "frozen-network", {"spec": _NETWORK})),
    _frozen(
        "frozen-budget",
        obj("policy/v1", "PodDisruptionBudget", "frozen-budget", {"spec": {"maxUnavailable": 1, "selector": {}}}),
    ),
    _frozen("frozen-autoscaler", _autoscaler("frozen-autoscaler"), {"spec": {"minReplicas": 3}}),
    _frozen("frozen-service", service("frozen-service"), {"spec": {"selector": {"app": "b"}}}),
    _frozen("frozen-map", {**config_map("frozen-map"), "immutable": True}),
    change(
        "bounds-moved",
        _autoscaler("bounds-moved"),
        {"spec/minReplicas": 1, "metadata/labels": {"a": "b"}},
        ignore=["spec.minReplicas", "spec.maxReplicas"],
        moves=[Move(_autoscaler("bounds-moved"), {"spec": {"minReplicas": 3}})],
    ),
    change(
        "rules-moved",
        obj(f"{GROUP}/v1", "Widget", "rules-moved", {"spec": {"rules": [{"backends": [{"name": "a"}]}]}}),
        {"metadata/labels": {"a": "b"}, "spec/rules": [{"backends": [{"name": "c"}]}]},
        ignore=["spec.rules"],
        moves=[Move(obj(f"{GROUP}/v1", "Widget", "rules-moved"), {"spec": {"rules": _WEIGHTS}})],
        options={"after": "widgets"},
    ),
]
