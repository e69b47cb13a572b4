import base64
from typing import Any

import pytest

from cli.provider.check import Failure, Naming, check, normalise, unknown_fields
from cli.provider.kinds import Type
from cli.provider.values import UNKNOWN, Secret

DEPLOYMENT = Type("apps/v1", "Deployment")
NAMING = Naming("web", b"seed")


def inputs(new: dict[str, Any], old: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    found, failures = check(
        new, old or {}, given.get("type", DEPLOYMENT), given.get("naming", NAMING), given.get("namespace", "dev")
    )
    assert failures == []
    return found


def test_kind_version_and_namespace_are_filled_in() -> None:
    assert inputs({"metadata": {"name": "x"}}) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "x", "namespace": "dev"},
    }


def test_a_given_namespace_stays_and_cluster_wide_kinds_get_none() -> None:
    assert inputs({"metadata": {"name": "x", "namespace": "other"}})["metadata"]["namespace"] == "other"
    found = inputs({"metadata": {"name": "x"}}, type=Type("v1", "Namespace"), namespace=None)
    assert "namespace" not in found["metadata"]


def test_an_unnamed_object_is_named_the_same_for_the_same_seed() -> None:
    one, two = inputs({}), inputs({})
    assert one == two
    name = one["metadata"]["name"]
    assert name.startswith("web-") and len(name) == len("web-") + 8 and int(name[-8:], 16) >= 0
    assert one["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}
    assert inputs({}, naming=Naming("web", b"other"))["metadata"]["name"] != name


def test_the_engines_own_name_wins() -> None:
    assert inputs({}, naming=Naming("web", b"", "web-proposed"))["metadata"]["name"] == "web-proposed"


def test_an_autonamed_object_keeps_its_name() -> None:
    old = {"metadata": {"name": "web-12345678", "annotations": {"pulumi.com/autonamed": "true"}}}
    assert inputs({"metadata": {"labels": {"a": "b"}}}, old)["metadata"]["name"] == "web-12345678"


def test_an_unknown_name_is_left_to_the_update() -> None:
    assert inputs({"metadata": {"name": UNKNOWN}})["metadata"]["name"] is UNKNOWN
    assert inputs({"metadata": UNKNOWN})["metadata"] is UNKNOWN


@pytest.mark.parametrize(
    ("new", "naming", "property"),
    [
        ({"metadata": {"generateName": "x-"}}, NAMING, "metadata.generateName"),
        ({}, Naming("web", disabled=True), "metadata.name"),
        ({"kind": "Pod", "metadata": {"name": "x"}}, NAMING, "kind"),
        ({"apiVersion": "v1", "metadata": {"name": "x"}}, NAMING, "apiVersion"),
    ],
)
def test_what_cannot_be_is_refused(new: dict[str, Any], naming: Naming, property: str) -> None:
    _, failures = check(new, {}, DEPLOYMENT, naming, "dev")
    assert [failure.property for failure in failures] == [property]
    assert isinstance(failures[0], Failure)


def test_a_patch_names_its_object() -> None:
    patch = Type("v1", "ConfigMap", patch=True)
    assert check({"metadata": {"name": "x"}}, {}, patch, NAMING, "dev")[1] == []
    assert [failure.property for failure in check({}, {}, patch, NAMING, "dev")[1]] == ["metadata.name"]


def test_secrets_stay_secret() -> None:
    spec = {"replicas": Secret(2), "paused": Secret(False), "revisionHistoryLimit": None}
    assert inputs({"metadata": {"name": "x"}, "spec": spec})["spec"] == {"replicas": Secret(2)}


def test_an_object_that_lost_its_name_is_named_only_when_it_is_made_anew() -> None:
    assert "name" not in inputs({"metadata": {}}, {"metadata": {"name": "x"}})["metadata"]


def test_fields_that_a_kind_does_not_have_are_told() -> None:
    misspelled = {
        "metadata": {"name": "x", "uid": "u"},
        "spec": {"replcas": 1, "template": {"spec": {"hostNet": True}}},
    }
    assert unknown_fields(misspelled, DEPLOYMENT) == ["spec.replcas", "spec.template.spec.hostNet"]
    assert unknown_fields(misspelled, Type("example.com/v1", "Widget")) == []


def test_a_secrets_text_becomes_data_as_the_server_has_it() -> None:
    type_ = Type("v1", "Secret")
    found = inputs(
        {"metadata": {"name": "x"}, "stringData": {"p": Secret("hunter2")}, "data": {"q": "YQ=="}}, type=type_
    )
    assert "stringData" not in found
    assert found["data"] == Secret({"q": "YQ==", "p": base64.b64encode(b"hunter2").decode()})


def test_text_that_is_not_known_yet_stays_text() -> None:
    found = inputs({"metadata": {"name": "x"}, "stringData": {"p": UNKNOWN}}, type=Type("v1", "Secret"))
    assert found["stringData"] == Secret({"p": UNKNOWN})


def test_what_only_the_server_sets_is_not_asked_for() -> None:
    metadata = {"name": "x", "uid": "u", "resourceVersion": "1", "managedFields": [], "generation": 2}
    assert normalise({"kind": "Pod", "metadata": metadata}) == {"kind": "Pod", "metadata": {"name": "x"}}


def test_a_secrets_data_is_written_without_line_breaks() -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "x"},
        "data": {"q": "YQ==\n", "r": "no base64"},
    }
    assert normalise(secret)["data"] == {"q": "YQ==", "r": "no base64"}
