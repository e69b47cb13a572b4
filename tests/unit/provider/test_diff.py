import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.provider import diff as differ
from cli.provider import paths
from cli.provider.diff import Difference, diff, prune
from cli.provider.replacements import TABLE, Mutable
from cli.provider.values import UNKNOWN


def deployment(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "api", "namespace": "dev"},
        "spec": {"replicas": 2, **spec},
    }


def between(old: dict[str, Any], new: dict[str, Any], live: dict[str, Any] | None = None, **options: Any) -> Difference:
    return diff(live or old, old, new, namespaced=options.pop("namespaced", True), **options)


def rows(found: Difference) -> dict[str, tuple[str, bool]]:
    return {paths.write(change.path): (change.kind.value, change.replaces) for change in found.changes}


def test_nothing_changed() -> None:
    live = deployment(strategy={"type": "RollingUpdate"}, status=1)
    live["metadata"] |= {"uid": "u", "managedFields": [], "annotations": {"deployment.kubernetes.io/revision": "1"}}
    assert rows(between(deployment(), deployment(), live)) == {}


def test_each_difference_is_told_by_its_path() -> None:
    old = deployment(a=1, b={"c": 1, "gone": 2}, list=[{"x": 1}, {"y": 2}])
    new = deployment(a=2, b={"c": 1, "new": 3}, list=[{"x": 5}, {"y": 2}, {"z": 3}])
    assert rows(between(old, new)) == {
        "spec.a": ("update", False),
        "spec.b.gone": ("delete", False),
        "spec.b.new": ("add", False),
        "spec.list[0].x": ("update", False),
        "spec.list[2]": ("add", False),
    }


def test_drift_shows_only_where_something_was_asked_for() -> None:
    live = deployment(replicas=5, template={"by": "somebody"})
    assert rows(between(deployment(), deployment(), live)) == {"spec.replicas": ("update", False)}


def test_a_field_that_somebody_removed_comes_back() -> None:
    live = deployment()
    del live["spec"]["replicas"]
    assert rows(between(deployment(), deployment(), live)) == {"spec.replicas": ("add", False)}


def test_ignored_fields_do_not_show() -> None:
    live = deployment(selector={"app": "b"})
    old = deployment(selector={"app": "a"})
    assert rows(between(old, old, live, ignore=["spec.selector"])) == {}
    assert rows(between(old, old, live, ignore=["spec.sel"])) != {}


def test_no_namespace_is_the_default_namespace() -> None:
    old, new = deployment(), deployment()
    old["metadata"]["namespace"], new["metadata"]["namespace"] = "default", ""
    assert rows(between(old, new)) == {}
    del new["metadata"]["namespace"]
    assert rows(between(old, new)) == {}


def test_a_cluster_wide_object_has_no_namespace() -> None:
    old = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}
    new = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x", "namespace": "wrong"}}
    assert rows(between(old, new, namespaced=False)) == {}


def test_unknowns_are_possible_changes() -> None:
    found = between(deployment(), {**deployment(replicas=UNKNOWN, extra=UNKNOWN)})
    assert rows(found) == {"spec.replicas": ("update", False), "spec.extra": ("add", False)}


def test_spellings_are_compared_as_they_are() -> None:
    """Check brings both sides into one spelling; a custom resource keeps its own."""
    asked = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"cpu": "1000m"}}
    assert rows(between(asked, {**asked, "spec": {"cpu": "1"}})) == {"spec.cpu": ("update", False)}


def test_asking_for_null_takes_a_value_away() -> None:
    assert rows(between(deployment(paused=True), deployment(paused=None))) == {"spec.paused": ("delete", False)}
    assert rows(between(deployment(paused=None), deployment(paused=None))) == {}


REPLACING = [
    ("apps/v1", "Deployment", "spec.selector.matchLabels.app"),
    ("apps/v1", "StatefulSet", "spec.serviceName"),
    ("apps/v1", "StatefulSet", "spec.volumeClaimTemplates"),
    ("apps/v1", "StatefulSet", "spec.podManagementPolicy"),
    ("apps/v1", "DaemonSet", "spec.selector"),
    ("batch/v1", "Job", "spec.template.spec.restartPolicy"),
    ("batch/v1", "Job", "spec.parallelism"),
    ("v1", "PersistentVolumeClaim", "spec.storageClassName"),
    ("v1", "PersistentVolume", "spec.local.path"),
    ("v1", "Pod", "spec.containers[0].image"),
    ("v1", "Pod", "spec.nodeName"),
    ("v1", "Service", "spec.clusterIP"),
    ("v1", "ConfigMap", "data.key"),
    ("v1", "ConfigMap", "binaryData"),
    ("v1", "Secret", "type"),
    ("v1", "Secret", "data"),
    ("v1", "ResourceQuota", "spec.scopes"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", "roleRef.name"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "roleRef"),
    ("storage.k8s.io/v1", "StorageClass", "provisioner"),
    ("apps/v1", "Deployment", "metadata.name"),
    ("apps/v1", "Deployment", "metadata.namespace"),
]
IN_PLACE = [
    ("apps/v1", "Deployment", "spec.template.spec.containers"),
    ("apps/v1", "StatefulSet", "spec.replicas"),
    ("batch/v1", "Job", "spec.backoffLimit"),
    ("batch/v1", "CronJob", "spec.jobTemplate"),
    ("v1", "PersistentVolumeClaim", "spec.resources.requests.storage"),
    ("v1", "Service", "spec.selector"),
    ("v1", "Service", "spec.ports"),
    ("v1", "ConfigMap", "metadata.labels"),
    ("rbac.authorization.k8s.io/v1", "Role", "rules"),
    ("policy/v1", "PodDisruptionBudget", "spec.minAvailable"),
    ("networking.k8s.io/v1", "NetworkPolicy", "spec.podSelector"),
    ("autoscaling/v2", "HorizontalPodAutoscaler", "spec.maxReplicas"),
]


def built(api_version: str, kind: str, path: str, value: str) -> dict[str, Any]:
    obj: dict[str, Any] = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": "dev"}}
    at: Any = obj
    *parents, last = paths.parse(path)
    for step, following in zip(parents, [*parents, last][1:], strict=True):
        if isinstance(following, int):
            at[step] = [{}]
        at = at.setdefault(step, {}) if isinstance(at, dict) else at[0]
    at[last] = value
    return obj


@pytest.mark.parametrize(("api_version", "kind", "path"), REPLACING)
def test_fields_that_mean_a_new_object(api_version: str, kind: str, path: str) -> None:
    found = between(built(api_version, kind, path, "a"), built(api_version, kind, path, "b"))
    assert found.replaces == [path]


@pytest.mark.parametrize(("api_version", "kind", "path"), IN_PLACE)
def test_fields_that_are_changed_in_place(api_version: str, kind: str, path: str) -> None:
    found = between(built(api_version, kind, path, "a"), built(api_version, kind, path, "b"))
    assert [paths.write(change.path) for change in found.changes] == [path] and found.replaces == []


def test_the_old_goes_first_only_when_both_have_one_name() -> None:
    old, new = built("v1", "ConfigMap", "data.a", "1"), built("v1", "ConfigMap", "data.a", "2")
    assert between(old, new).delete_first
    renamed = copy.deepcopy(new)
    renamed["metadata"]["name"] = "y"
    assert not between(old, renamed).delete_first
    moved = copy.deepcopy(new)
    moved["metadata"]["namespace"] = "other"
    assert not between(old, moved).delete_first
    autonamed = copy.deepcopy(new)
    autonamed["metadata"]["annotations"] = {"pulumi.com/autonamed": "true"}
    assert not between(old, autonamed).delete_first


def test_mutable_settings_and_immutable_objects() -> None:
    mutable = Mutable(config_maps=True, secrets=True)
    for kind in ("ConfigMap", "Secret"):
        old, new = built("v1", kind, "data.a", "1"), built("v1", kind, "data.a", "2")
        assert between(old, new, mutable=mutable).replaces == []
        for obj in (old, new):
            obj["immutable"] = True
        assert between(old, new, mutable=mutable).replaces == ["data.a"]


def test_a_patch_is_replaced_only_for_another_object() -> None:
    old, new = built("v1", "ConfigMap", "data.a", "1"), built("v1", "ConfigMap", "data.a", "2")
    assert between(old, new, patch=True).replaces == []
    assert between(old, {**new, "metadata": {"name": "y", "namespace": "dev"}}, patch=True).replaces == [
        "metadata.name"
    ]


def test_a_deleted_parent_does_not_replace_for_what_it_held() -> None:
    old, new = built("batch/v1", "Job", "spec.template.a", "1"), built("batch/v1", "Job", "spec.other", "1")
    assert rows(between(old, new))["spec.template"] == ("delete", True)
    assert rows(between(old, {key: value for key, value in old.items() if key != "spec"}))["spec"] == ("delete", False)


def test_every_rule_of_the_table_can_be_read() -> None:
    assert all(paths.parse(name) for names in TABLE.values() for name in names)


def test_pruning_keeps_to_the_shape_of_the_inputs() -> None:
    live = {"a": {"b": 1, "c": 2}, "list": [{"x": 1, "y": 2}, {"x": 3}], "typed": [1], "gone": 1}
    shape = {"a": {"b": 9}, "list": [{"x": 9}], "typed": [{"k": 1}], "missing": 1}
    assert prune(live, shape) == {"a": {"b": 1}, "list": [{"x": 1}], "typed": [1]}


words = st.text("abcxyz", min_size=1, max_size=4)
scalars = st.one_of(st.integers(-5, 5), st.booleans(), words)
bodies = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
    max_leaves=12,
)
objects = st.dictionaries(words, bodies, max_size=4).map(lambda spec: deployment(**spec))
decorations = st.dictionaries(st.text("mnop", min_size=1, max_size=3), bodies, max_size=3)


@given(objects, decorations)
def test_an_object_does_not_differ_from_itself(obj: dict[str, Any], extra: dict[str, Any]) -> None:
    """Whatever the server adds beside what was asked for."""
    live = {**obj, "spec": {**extra, **obj["spec"]}, "status": extra}
    assert between(obj, obj, live).changes == []


@given(objects, objects)
def test_after_an_update_nothing_is_left(old: dict[str, Any], new: dict[str, Any]) -> None:
    before = between(old, new)
    assert bool(before.changes) == (not differ.same(old, new) and _json(old) != _json(new))
    assert between(new, new, {**new, "status": {}}).changes == []


def _json(value: Any) -> Any:
    import json

    return json.dumps(value, sort_keys=True)
