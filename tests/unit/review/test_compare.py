"""What changes between two renders: operations, fields, certainty, names, noise."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.engine.graph import Resource, ResourceGraph
from cli.engine.model import ABSENT, SECRET, Change, FieldChange, Operation
from cli.review.compare import Comparison, compare
from cli.review.fields import HASHED
from tests.unit.review.graphs import STACK, component, config_map, deployment, graph, resource, secret

API = deployment()


def container(**changed: Any) -> dict[str, Any]:
    found = copy.deepcopy(API)
    found["spec"]["template"]["spec"]["containers"][0] |= changed
    return found


def between(before: dict[str, Any], after: dict[str, Any], **options: Any) -> Comparison:
    return compare(graph(resource("prod/api", before)), graph(resource("prod/api", after, **options)))


def only(found: Comparison) -> Change:
    (change,) = found.changes
    return change


def test_a_changed_field_is_an_update_with_its_path_and_both_values() -> None:
    found = between(API, deployment(replicas=5))
    assert only(found).operation is Operation.UPDATE
    assert only(found).fields == (FieldChange("spec.replicas", 3, 5),)
    assert found.counts == {"update": 1}


def test_containers_and_variables_are_told_by_name() -> None:
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "3"}, {"name": "C", "value": "4"}]
    assert only(between(API, container(env=env))).fields == (
        FieldChange("spec.template.spec.containers.api.env.B.value", "2", "3"),
        FieldChange("spec.template.spec.containers.api.env.C", ABSENT, {"name": "C", "value": "4"}),
    )


def test_created_deleted_and_kept_resources() -> None:
    new = resource("prod/web", deployment("web"))
    gone = resource("prod/old", deployment("old", replicas=9, paused=True, minReadySeconds=7))
    kept = resource("prod/config", config_map("config", {"a": "b"}, content="0a1b2c3d4e"), retain_on_delete=True)
    found = compare(graph(gone, kept), graph(new))
    assert [(change.name, change.operation) for change in found.changes] == [
        ("prod/web", Operation.CREATE),
        ("prod/config", Operation.RETAIN),
        ("prod/old", Operation.DELETE),
    ]
    assert found.changes[0].before == {} and found.changes[0].after["metadata"]["name"] == "web"
    assert found.changes[2].after == {} and found.changes[2].before["metadata"]["name"] == "old"
    assert found.counts == {"create": 1, "delete": 1, "retain": 1}


@pytest.mark.parametrize(
    "path", [("spec", "selector", "matchLabels"), ("metadata",)], ids=["an immutable field", "its name"]
)
def test_what_cannot_be_changed_in_place_is_replaced(path: tuple[str, ...]) -> None:
    after: dict[str, Any] = copy.deepcopy(API)
    place = after
    for step in path:
        place = place[step]
    place["name"] = "other"
    change = only(between(API, after))
    assert change.operation is Operation.REPLACE
    assert [field.replaces for field in change.fields] == [True]


def test_the_program_says_what_else_replaces_and_what_is_ignored() -> None:
    after = deployment(replicas=5)
    assert only(between(API, after, replace_on_changes=("spec.replicas",))).operation is Operation.REPLACE
    assert between(API, after, ignore_changes=("spec.replicas",)).changes == ()
    assert between(API, after, ignore_changes=("*",)).changes == ()


def test_an_ignored_field_that_is_new_or_gone_is_none() -> None:
    without = copy.deepcopy(API)
    del without["spec"]["replicas"]
    for before, after in ((API, without), (without, API)):
        assert between(before, after, ignore_changes=("spec.replicas",)).changes == ()


EQUAL = {
    "cpu": ({"requests": {"cpu": "1"}}, {"requests": {"cpu": "1000m"}}),
    "memory": ({"requests": {"memory": "1Gi"}}, {"requests": {"memory": "1024Mi"}}),
    "a number": ({"limits": {"cpu": "2"}}, {"limits": {"cpu": 2}}),
    "exponents": ({"limits": {"memory": "1e3"}}, {"limits": {"memory": "1e3"}}),
    "an empty mapping": ({"limits": {"cpu": "2"}}, {"limits": {"cpu": "2"}, "requests": {}}),
}


@pytest.mark.parametrize("name", EQUAL)
def test_equal_spellings_are_no_change(name: str) -> None:
    before, after = EQUAL[name]
    assert between(container(resources=before), container(resources=after)).changes == ()


def test_an_unequal_quantity_is_one() -> None:
    found = between(
        container(resources={"requests": {"cpu": "1"}}), container(resources={"requests": {"cpu": "1001m"}})
    )
    assert only(found).fields[0].after == "1001m"


def shuffled(value: Any, random: Any) -> Any:
    """The same object with the keys of its mappings in another order."""
    if isinstance(value, dict):
        keys = list(value)
        random.shuffle(keys)
        return {key: shuffled(value[key], random) for key in keys}
    return [shuffled(item, random) for item in value] if isinstance(value, list) else value


@settings(deadline=None, max_examples=30)
@given(st.randoms(use_true_random=False))
def test_the_order_of_keys_and_of_resources_is_no_change(random: Any) -> None:
    names = [f"prod/{letter}" for letter in "abcdef"]
    before = [resource(name, deployment(name[-1])) for name in names]
    after = [resource(name, shuffled(deployment(name[-1]), random)) for name in names]
    random.shuffle(after)
    found = compare(graph(*before), graph(*after))
    assert (found.changes, found.counts) == ((), {"same": 6})


def test_the_order_of_a_list_is_one_and_told_by_names() -> None:
    env = list(reversed(API["spec"]["template"]["spec"]["containers"][0]["env"]))
    path = "spec.template.spec.containers.api.env"
    assert only(between(API, container(env=env))).fields == (FieldChange(path, ["A", "B"], ["B", "A"]),)


def test_components_are_counted_and_not_told() -> None:
    before, after = graph(component("old"), component("same")), graph(component("new"), component("same"))
    found = compare(before, after)
    assert (found.changes, found.counts) == ((), {"create": 1, "delete": 1, "same": 1})


def content_named(value: str, content: str) -> Resource:
    return resource(
        "prod/config",
        config_map("config", {"a": value}, content=content),
        kind="core/v1:ConfigMap",
        retain_on_delete=True,
    )


def test_configuration_that_is_named_by_its_content_is_one_resource() -> None:
    change = only(compare(graph(content_named("1", "aaaaaaaaaa")), graph(content_named("2", "bbbbbbbbbb"))))
    assert change.operation is Operation.REPLACE
    assert FieldChange("metadata.name", "config-aaaaaaaaaa", "config-bbbbbbbbbb", replaces=True) in change.fields
    assert FieldChange("data.a", "1", "2", replaces=True) in change.fields


def record(name: str, data: str, images: str) -> Resource:
    inputs = config_map(name, {}, labels={"turnout.dev/kind": "release-record"})
    inputs["binaryData"] = {"record": data}
    inputs["metadata"]["annotations"] = {"turnout.dev/images": images}
    return resource("turnout-prod/release.0", inputs, kind="core/v1:ConfigMap")


def test_the_release_record_is_one_line_and_none_when_it_is_the_same() -> None:
    one, other = record("release-0a1b2c3d4e5f", "QQ==", "[1]"), record("release-f5e4d3c2b1a0", "QUE=", "[2]")
    change = only(compare(graph(one), graph(other)))
    assert [field.path for field in change.fields] == ["metadata.name"]
    assert "f5e4d3c2b1a0" not in json.dumps([change.to_json(), change.before, change.after])
    assert compare(graph(one), graph(record("release-0a1b2c3d4e5f", "QQ==", "[1]"))).changes == ()


OLD, NEW = "placeholder" + "a" * 32, "placeholder" + "b" * 32


def with_secret(value: str, content: str, *, replicas: int = 3) -> ResourceGraph:
    pod = deployment(replicas=replicas)
    pod["spec"]["template"]["spec"]["containers"][0]["envFrom"] = [{"secretRef": {"name": f"db-{content}"}}]
    kept = resource(
        "prod/db", secret("db", value, content), kind="core/v1:Secret", secret=("stringData",), retain_on_delete=True
    )
    return graph(kept, resource("prod/api", pod))


def test_a_ciphertext_that_alone_changed_is_a_possible_change_of_all_that_follow_it() -> None:
    before, after = with_secret(OLD, "aaaaaaaaaa"), with_secret(NEW, "bbbbbbbbbb")
    found = compare(before, after, unrotated=before)
    assert [(change.name, change.certain) for change in found.changes] == [("prod/db", False), ("prod/api", False)]
    assert [field.certain for change in found.changes for field in change.fields] == [False] * 4


def test_what_changed_beside_the_ciphertext_is_certain() -> None:
    before, after = with_secret(OLD, "aaaaaaaaaa"), with_secret(NEW, "bbbbbbbbbb", replicas=5)
    found = compare(before, after, unrotated=with_secret(OLD, "aaaaaaaaaa", replicas=5))
    _, api = found.changes
    assert api.certain
    assert {field.path: field.certain for field in api.fields} == {
        "spec.template.spec.containers.api.envFrom[0].secretRef.name": False,
        "spec.replicas": True,
    }


def test_neither_secrets_nor_what_stands_for_them_nor_their_hashes_are_shown() -> None:
    before, after = with_secret(OLD, "aaaaaaaaaa"), with_secret(NEW, "bbbbbbbbbb")
    found = compare(before, after)
    told = json.dumps([[change.to_json(), change.before, change.after] for change in found.changes])
    for word in (OLD, NEW, "aaaaaaaaaa", "bbbbbbbbbb"):
        assert word not in told
    assert FieldChange("data", SECRET, SECRET, secret=True, replaces=True) in found.changes[0].fields
    assert FieldChange("metadata.name", f"db-{HASHED}", f"db-{HASHED}", replaces=True) in found.changes[0].fields


def test_a_stand_in_within_another_text_is_not_shown() -> None:
    url, encoded = f"postgres://app:{OLD}@db", base64.b64encode(NEW.encode()).decode()
    config = resource("prod/config", config_map("config", {"url": url, "encoded": encoded}), kind="core/v1:ConfigMap")
    assert only(compare(graph(), graph(config))).after["data"] == {
        "url": f"postgres://app:{SECRET}@db",
        "encoded": SECRET,
    }


def test_an_alias_is_a_rename_for_certain_and_no_change_by_itself() -> None:
    old, alias = resource("prod/api", API), f"{STACK}::kubernetes:apps/v1:Deployment::prod/api"
    assert compare(graph(old), graph(resource("prod/web", API, aliases=(alias,)))).counts == {"same": 1}
    change = only(
        compare(graph(old), graph(resource("prod/web", deployment(replicas=5), aliases=((("name", "prod/api"),),))))
    )
    assert (change.operation, change.renamed_from) == (Operation.UPDATE, "prod/api")


def test_children_move_with_their_component() -> None:
    old, new = component("api"), component("web", aliases=((("name", "api"),),))
    chain = "turnout:workload:Workload"
    before = resource("api-pods", API, chain=chain, parent=old.urn)
    after = resource("web-pods", API, chain=chain, parent=new.urn)
    assert compare(graph(old, before), graph(new, after)).counts == {"same": 2}


def test_without_an_alias_a_rename_is_what_it_is_and_named() -> None:
    found = compare(graph(resource("prod/api", API)), graph(resource("prod/web", deployment("web"))))
    assert [(change.operation, change.name, change.renamed_from) for change in found.changes] == [
        (Operation.CREATE, "prod/web", "prod/api"),
        (Operation.DELETE, "prod/api", ""),
    ]


def test_another_resource_of_the_kind_is_no_rename() -> None:
    other = deployment("web", replicas=1, strategy={"type": "Recreate"}, paused=True, minReadySeconds=3)
    other["spec"]["template"]["spec"]["containers"] = [{"name": "web", "image": "other:2", "args": ["--serve"]}]
    found = compare(graph(resource("prod/api", API)), graph(resource("prod/web", other)))
    assert [change.renamed_from for change in found.changes] == ["", ""]


def test_no_letter_of_a_track_is_named() -> None:
    labelled = deployment()
    labelled["metadata"]["labels"] |= {"turnout.dev/track": "a"}
    assert only(compare(graph(), graph(resource("prod/api-a", labelled)))).name == "prod/api"
    assert only(compare(graph(), graph(resource("prod/plan-a", API)))).name == "prod/plan-a"


def test_one_object_under_two_names_in_the_program_is_warned_of() -> None:
    found = compare(graph(resource("prod/api", API)), graph(resource("prod/api-2", API)))
    assert [entry.severity for entry in found.diagnostics] == ["warning"]
    assert "alias" in found.diagnostics[0].message


def test_a_protected_resource_cannot_go() -> None:
    found = compare(graph(resource("prod/api", API, protect=True)), graph())
    assert [entry.severity for entry in found.diagnostics] == ["error"]


def cluster(identity: str) -> Resource:
    token = "pulumi:providers:kubernetes"
    return resource("cluster", {"clusterIdentifier": identity}, token=token)


def test_a_provider_of_another_cluster_replaces_all_that_is_in_it() -> None:
    def at(identity: str) -> ResourceGraph:
        provider = cluster(identity)
        return graph(provider, resource("prod/api", API, provider=f"{provider.urn}::id"))

    found = compare(at("context prod"), at("context other"))
    assert [(change.name, change.operation) for change in found.changes] == [
        ("cluster", Operation.REPLACE),
        ("prod/api", Operation.REPLACE),
    ]
    assert compare(at("context prod"), at("context prod")).changes == ()


def test_a_value_that_only_an_apply_knows_is_possible() -> None:
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    change = only(between(API, container(image=unknown)))
    assert (change.certain, change.fields[0].certain) == (False, False)
