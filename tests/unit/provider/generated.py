"""Random Kubernetes objects that an API server accepts, of kinds that our components use, and what it makes of them.

`objects()` draws an object as a program would declare it; `given_back(...)` draws what a server could give back for it:
its own fields and defaults added, quantities in its own spelling. Left out is what the official provider, too, shows as
a change for ever: a Role without rules, a Secret with data, labels or annotations that are empty.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from cli.provider.paths import Path, get, put
from cli.provider.values import UNKNOWN, Secret

Object = dict[str, Any]
Draw = st.DrawFn

QUANTITIES = {
    "100m": "100m",
    "1": "1",
    1: "1",
    "0.5": "500m",
    "1000m": "1",
    2: "2",
    "1.5": "1500m",
    "64Mi": "64Mi",
    "1024Mi": "1Gi",
    "1Gi": "1Gi",
    "1e3": "1e3",
    "1000k": "1M",
    "2G": "2G",
}
"""As a program may write a quantity, and as the server gives it back."""
AMOUNTS = ("cpu", "memory", "storage")
CPUS = ("100m", "1", 1, "0.5", "1000m", "1.5")
MEMORIES = ("64Mi", "1024Mi", "1Gi", "1e3", "1000k", "2G")

words = st.text("abc", min_size=1, max_size=3)
keys = st.sampled_from(["a", "b", "app", "e.io/x", "app.kubernetes.io/name", "x_y", "a-b"])
texts = st.sampled_from(["", "x", "yes", "true", "1", "0", "a b", "é\n", '{"a": [1]}', "$(VAR)"])
labels = st.dictionaries(keys, st.sampled_from(["", "x", "true", "1", "a-b"]), max_size=3)
flags = st.booleans()
small = st.integers(0, 3)


def some(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Object]:
    """An object with any of these fields."""
    return st.fixed_dictionaries({}, optional=optional)


def resources() -> st.SearchStrategy[Object]:
    """Requests no larger than the limits: both the same, or only one of them."""
    amounts = st.sampled_from(["limits", "requests"])
    return st.tuples(amounts, some(cpu=st.sampled_from(CPUS), memory=st.sampled_from(MEMORIES))).map(
        lambda drawn: {drawn[0]: drawn[1]}
    )


probes = st.fixed_dictionaries(
    {"httpGet": st.fixed_dictionaries({"port": st.sampled_from([80, "http"])}, optional={"path": st.just("/x")})},
    optional={"periodSeconds": st.integers(1, 9), "initialDelaySeconds": small},
)
references = st.one_of(
    st.fixed_dictionaries({"value": texts}),
    st.just({"valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}),
    st.just({"valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": False}}}),
)


@st.composite
def containers(draw: Draw, name: str) -> Object:
    names = draw(st.lists(words, max_size=2, unique=True))
    env = [{"name": each.upper(), **draw(references)} for each in names]
    numbers = draw(st.lists(st.integers(1, 99), max_size=2, unique=True))
    ports = [{"containerPort": number, "name": f"p{number}"} for number in numbers]
    security = some(readOnlyRootFilesystem=flags, runAsNonRoot=flags, capabilities=st.just({"drop": ["ALL"]}))
    return {
        "name": name,
        "image": draw(st.sampled_from(["nginx", "nginx:1", "e.io/a@sha256:" + "0" * 64])),
        **draw(
            some(
                command=st.lists(texts, max_size=2),
                args=st.lists(texts, max_size=2),
                env=st.just(env),
                ports=st.just(ports),
                resources=resources(),
                readinessProbe=probes,
                securityContext=security,
                tty=flags,
                workingDir=st.sampled_from(["", "/x"]),
            )
        ),
    }


@st.composite
def pods(draw: Draw, fixed: Object) -> Object:
    own = [draw(containers(name)) for name in ("c", "d")[: draw(st.integers(1, 2))]]
    volume: st.SearchStrategy[Object] = st.sampled_from(
        [{"emptyDir": {}}, {"emptyDir": {"medium": ""}}, {"configMap": {"name": "x"}}]
    )
    spec = draw(
        some(
            nodeSelector=labels.map(lambda found: dict.fromkeys(found, "x")),
            hostNetwork=st.just(False),
            automountServiceAccountToken=flags,
            terminationGracePeriodSeconds=small,
            serviceAccountName=st.sampled_from(["", "x"]),
            securityContext=some(fsGroup=small, runAsNonRoot=flags),
            tolerations=st.lists(st.just({"key": "a", "operator": "Exists"}), max_size=1),
            initContainers=st.just([{"name": "i", "image": "x"}]),
            volumes=volume.map(lambda source: [{"name": "v", **source}]),
        )
    )
    return {**spec, "containers": own, **fixed}


def templates(**fixed: Any) -> st.SearchStrategy[Object]:
    metadata = {"labels": {"app": "x"}}
    return pods(fixed).map(lambda spec: {"metadata": metadata, "spec": spec})


SELECTOR = {"matchLabels": {"app": "x"}}
counts = st.one_of(small, st.sampled_from(["25%", "50%"]))
claims = st.fixed_dictionaries(
    {
        "accessModes": st.just(["ReadWriteOnce"]),
        "resources": st.sampled_from(MEMORIES).map(lambda size: {"requests": {"storage": size}}),
    },
    optional={"storageClassName": st.sampled_from(["", "fast"]), "volumeMode": st.just("Filesystem")},
)
rolling = st.one_of(
    st.just({"type": "Recreate"}),
    st.fixed_dictionaries({"type": st.just("RollingUpdate")}, optional={"rollingUpdate": some(maxSurge=counts)}),
)
specs: dict[tuple[str, str], st.SearchStrategy[Object]] = {
    ("apps/v1", "Deployment"): st.fixed_dictionaries(
        {"selector": st.just(SELECTOR), "template": templates()},
        optional={"replicas": small, "paused": flags, "minReadySeconds": small, "strategy": rolling},
    ),
    ("apps/v1", "StatefulSet"): st.fixed_dictionaries(
        {"selector": st.just(SELECTOR), "template": templates(), "serviceName": st.sampled_from(["", "x"])},
        optional={"replicas": small, "podManagementPolicy": st.sampled_from(["Parallel", "OrderedReady"])},
    ),
    ("apps/v1", "DaemonSet"): st.fixed_dictionaries({"selector": st.just(SELECTOR), "template": templates()}),
    ("batch/v1", "Job"): st.fixed_dictionaries(
        {"template": templates(restartPolicy="Never")}, optional={"backoffLimit": small, "suspend": flags}
    ),
    ("batch/v1", "CronJob"): st.fixed_dictionaries(
        {
            "schedule": st.just("*/5 * * * *"),
            "jobTemplate": templates(restartPolicy="OnFailure").map(lambda pod: {"spec": {"template": pod}}),
        },
        optional={"suspend": flags, "successfulJobsHistoryLimit": small},
    ),
    ("v1", "Service"): st.fixed_dictionaries(
        {"ports": st.sampled_from([[{"port": 80}], [{"port": 80, "targetPort": "http", "name": "x"}]])},
        optional={"selector": labels, "type": st.just("ClusterIP"), "publishNotReadyAddresses": flags},
    ),
    ("v1", "PersistentVolumeClaim"): claims,
    ("v1", "ResourceQuota"): st.fixed_dictionaries(
        {"hard": some(cpu=st.sampled_from(CPUS), memory=st.sampled_from(MEMORIES), pods=small.map(str))}
    ),
    ("policy/v1", "PodDisruptionBudget"): st.fixed_dictionaries(
        {"selector": st.sampled_from([{}, SELECTOR]), "maxUnavailable": counts}
    ),
    ("networking.k8s.io/v1", "NetworkPolicy"): st.fixed_dictionaries(
        {"podSelector": st.sampled_from([{}, SELECTOR]), "policyTypes": st.just(["Ingress", "Egress"])},
        optional={"ingress": st.sampled_from([[], [{}], [{"from": [{"podSelector": {}}]}]])},
    ),
    ("autoscaling/v2", "HorizontalPodAutoscaler"): st.fixed_dictionaries(
        {
            "scaleTargetRef": st.just({"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}),
            "maxReplicas": st.integers(3, 9),
        },
        optional={"minReplicas": st.integers(1, 3)},
    ),
}
rules = st.lists(st.just({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}), min_size=1, max_size=2)
encoded = st.sampled_from([b"", b"x", b"\xff\x00"]).map(lambda raw: base64.b64encode(raw).decode())
bodies: dict[tuple[str, str], st.SearchStrategy[Object]] = {
    **{row: spec.map(lambda spec: {"spec": spec}) for row, spec in specs.items()},
    ("v1", "ConfigMap"): some(
        data=st.dictionaries(words, texts, max_size=3),
        binaryData=st.dictionaries(words.map(str.upper), encoded, max_size=2),
        immutable=flags,
    ),
    ("v1", "Secret"): some(
        data=st.dictionaries(words, encoded, min_size=1, max_size=2),
        stringData=st.dictionaries(words, texts, min_size=1, max_size=2),
        type=st.just("Opaque"),
    ),
    ("v1", "ServiceAccount"): some(automountServiceAccountToken=flags),
    ("rbac.authorization.k8s.io/v1", "Role"): st.fixed_dictionaries({"rules": rules}),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): st.fixed_dictionaries(
        {"roleRef": st.just({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "x"})},
        optional={"subjects": st.just([{"kind": "ServiceAccount", "name": "x", "namespace": "y"}])},
    ),
}


@st.composite
def objects(draw: Draw, namespace: str = "dev") -> Object:
    """An object as a program declares it, valid for the API server."""
    api_version, kind = draw(st.sampled_from(sorted(bodies)))
    notes = draw(some(labels=labels, annotations=labels))
    if kind == "Secret":
        notes = {key: value for key, value in notes.items() if value}
    metadata = {"name": "x", "namespace": namespace, **notes}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **draw(bodies[api_version, kind])}


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of everything below an object's identity that holds no further fields."""
    rows = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [leaf for key, item in rows for leaf in leaves(item, (*path, key))]
    yield from found or [path]


def touchable(obj: Object) -> list[Path]:
    identity = {("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")}
    return [path for path in leaves(obj) if path not in identity]


@st.composite
def sprinkled(draw: Draw, source: st.SearchStrategy[Object] | None = None, *, unknowns: bool = True) -> Object:
    """An object some of whose values are secret, or not known yet."""
    obj: Object = draw(objects() if source is None else source)
    places = touchable(obj)
    if not places:
        return obj
    for path in draw(st.lists(st.sampled_from(places), max_size=4, unique=True)):
        value = get(obj, path)
        free = isinstance(value, str) and path[-1] not in AMOUNTS
        kinds: list[Any] = [Secret("hush" if free else value), *([UNKNOWN] if unknowns else [])]
        obj = put(obj, path, draw(st.sampled_from(kinds)))
    return obj


@st.composite
def given_back(draw: Draw, asked: Object) -> Object:
    """What a server could give back for an object that it was asked for (plain, and without unknowns)."""
    body = {key: _served(draw, value) for key, value in asked.items() if key not in ("apiVersion", "kind", "metadata")}
    metadata = {
        **_served(draw, asked["metadata"]),
        "uid": "u",
        "resourceVersion": "1",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [{"manager": "pulumi-kubernetes", "operation": "Update"}],
    }
    status = draw(some(status=st.just({"replicas": 1})))
    return {"apiVersion": asked["apiVersion"], "kind": asked["kind"], "metadata": metadata, **body, **status}


def _served(draw: Draw, value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        own = {"ofTheServer": draw(small)} if draw(st.integers(0, 9)) == 0 and key not in ("data", "hard") else {}
        return {**own, **{name: _served(draw, item, name) for name, item in value.items()}}
    if isinstance(value, list):
        return [_served(draw, item) for item in value]
    return QUANTITIES.get(value, value) if key in AMOUNTS else value
