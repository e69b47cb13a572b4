"""Access, storage, scheduling, admission, coordination: mostly cluster-wide kinds."""

from __future__ import annotations

from tests.parity.pair import GONE, NAMESPACE, change
from tests.parity.pairs.shapes import SKIP, TURNOUT, claim, obj, wide

_RBAC = "rbac.authorization.k8s.io"
_RULE = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
_SUBJECT = {"kind": "ServiceAccount", "name": "a", "namespace": NAMESPACE}
_VOLUME = {
    "capacity": {"storage": "1024Mi"},
    "accessModes": ["ReadWriteOnce"],
    "storageClassName": "turnout-nobodys",
    "hostPath": {"path": "/nowhere"},
}
_CLASS = {"provisioner": "example.com/none", "parameters": {"a": "1"}, "volumeBindingMode": "WaitForFirstConsumer"}
_NEVER = {"matchLabels": {"turnout.dev/never": "true"}}
_CALLED = {
    "apiGroups": ["nowhere.example.com"],
    "apiVersions": ["v1"],
    "operations": ["CREATE"],
    "resources": ["nothings"],
}
_HOOK = {
    "name": "hook.example.com",
    "admissionReviewVersions": ["v1"],
    "sideEffects": "None",
    "failurePolicy": "Ignore",
    "clientConfig": {"url": "https://127.0.0.1:1/", "caBundle": ""},
    "namespaceSelector": _NEVER,
    "rules": [_CALLED],
}
_ADMISSION = "admissionregistration.k8s.io/v1"
_POLICY = {
    "failurePolicy": "Ignore",
    "matchConstraints": {"namespaceSelector": _NEVER, "resourceRules": [_CALLED]},
    "validations": [{"expression": "true", "message": "never"}],
}
_BINDING = {"policyName": f"{NAMESPACE}-none", "validationActions": ["Deny"]}
_LEASE = {"holderIdentity": "a", "leaseDurationSeconds": 30, "renewTime": "2026-01-01T00:00:00.000000Z"}


def _ref(name: str, kind: str = "Role") -> dict[str, str]:
    return {"apiGroup": _RBAC, "kind": kind, "name": name}


def _volume(name: str) -> dict[str, object]:
    return wide("v1", "PersistentVolume", name, {"spec": _VOLUME}, annotations={**TURNOUT, **SKIP})


PAIRS = [
    change("namespace", wide("v1", "Namespace", "space"), {"metadata/labels": {"a": "b"}}),
    change("namespace-placed", wide("v1", "Namespace", "placed"), {"metadata/namespace": "default"}),
    change("account", obj("v1", "ServiceAccount", "account"), {"automountServiceAccountToken": False}),
    change(
        "account-auto",
        obj("v1", "ServiceAccount", "account-auto", {"automountServiceAccountToken": False}),
        {"automountServiceAccountToken": GONE},
    ),
    change("role", obj(f"{_RBAC}/v1", "Role", "role", {"rules": [_RULE]}), {"rules/0/verbs/1": "watch"}),
    change(
        "role-verb-added",
        obj(f"{_RBAC}/v1", "Role", "role-verb-added", {"rules": [_RULE]}),
        {"rules/0/verbs/2": "watch"},
    ),
    change(
        "role-rule-removed",
        obj(f"{_RBAC}/v1", "Role", "role-rule-removed", {"rules": [_RULE, _RULE]}),
        {"rules": [_RULE]},
    ),
    change(
        "role-binding",
        obj(f"{_RBAC}/v1", "RoleBinding", "role-binding", {"roleRef": _ref("a"), "subjects": [_SUBJECT]}),
        {"roleRef/name": "b"},
    ),
    change(
        "role-binding-subject",
        obj(f"{_RBAC}/v1", "RoleBinding", "role-binding-subject", {"roleRef": _ref("a"), "subjects": [_SUBJECT]}),
        {"subjects/0/name": "b"},
    ),
    change(
        "cluster-role",
        wide(f"{_RBAC}/v1", "ClusterRole", "role", {"rules": [_RULE]}),
        {"rules/0/resources": ["services"]},
    ),
    change(
        "cluster-binding",
        wide(f"{_RBAC}/v1", "ClusterRoleBinding", "binding", {"roleRef": _ref("none", "ClusterRole"), "subjects": []}),
        {"roleRef/name": "none-2"},
    ),
    change("claim-nothing", claim("claim-nothing")),
    change("claim-class", claim("claim-class"), {"spec/storageClassName": "turnout-nowhere-2"}),
    change("claim-modes", claim("claim-modes"), {"spec/accessModes/0": "ReadWriteMany"}),
    change("claim-labels", claim("claim-labels"), {"metadata/labels": {"a": "b"}}),
    change("volume-same", _volume("volume-same"), {"spec/capacity/storage": "1Gi"}),
    change("volume-source", _volume("volume-source"), {"spec/hostPath/path": "/elsewhere"}),
    change("volume-policy", _volume("volume-policy"), {"spec/persistentVolumeReclaimPolicy": "Delete"}),
    change("storage-class", wide("storage.k8s.io/v1", "StorageClass", "class", _CLASS), {"parameters/a": "2"}),
    change(
        "storage-class-label",
        wide("storage.k8s.io/v1", "StorageClass", "class-label", _CLASS),
        {"metadata/labels": {"a": "b"}},
    ),
    change(
        "storage-driver",
        wide("storage.k8s.io/v1", "CSIDriver", "driver", {"spec": {"attachRequired": False}}),
        {"metadata/labels": {"a": "b"}},
    ),
    change(
        "priority", wide("scheduling.k8s.io/v1", "PriorityClass", "priority", {"value": 0}), {"description": "none"}
    ),
    change(
        "runtime",
        wide("node.k8s.io/v1", "RuntimeClass", "runtime", {"handler": "none"}),
        {"metadata/labels": {"a": "b"}},
    ),
    change("lease", obj("coordination.k8s.io/v1", "Lease", "lease", {"spec": _LEASE}), {"spec/holderIdentity": "b"}),
    change(
        "lease-time",
        obj("coordination.k8s.io/v1", "Lease", "lease-time", {"spec": _LEASE}),
        {"spec/renewTime": "2026-01-01T01:00:00.000000+01:00"},
    ),
    change(
        "webhook",
        wide(_ADMISSION, "ValidatingWebhookConfiguration", "webhook", {"webhooks": [_HOOK]}),
        {"webhooks/0/timeoutSeconds": 3},
    ),
    change(
        "webhook-mutating",
        wide(_ADMISSION, "MutatingWebhookConfiguration", "mutating", {"webhooks": [_HOOK]}),
        {"webhooks/0/sideEffects": "NoneOnDryRun"},
    ),
    change(
        "admission",
        wide(_ADMISSION, "ValidatingAdmissionPolicy", "admission", {"spec": _POLICY}),
        {"spec/validations/0/message": "no"},
    ),
    change(
        "admission-binding",
        wide(_ADMISSION, "ValidatingAdmissionPolicyBinding", "binding", {"spec": _BINDING}),
        {"metadata/labels": {"a": "b"}},
    ),
]
