"""What puts a drifted object right, computed before anything is written."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from cli.drift import handing, reverting
from cli.drift.choosing import chosen, only
from cli.drift.managed import Item
from cli.drift.model import Report
from cli.errors import Interrupted, TurnoutError, UsageError
from cli.interrupts import Asked
from cli.kube.operations import Server
from cli.kube.requests import Answer
from cli.progress import Silent
from cli.rollout.cursor import Cursor
from tests.unit.drift.world import CONTAINER, at, declared, deployment, drifted, edited, live_of, owner, sealed, tree
from tests.unit.kube.script import Script, answer, refusal

WEB = declared(deployment())
LIVE = live_of(deployment())
SIDECAR = {"name": "proxy", "image": "proxy:1"}


def changed() -> dict[str, Any]:
    """Its image, a sidecar, and a label beside."""

    def change(live: dict[str, Any]) -> None:
        live["spec"]["template"]["spec"]["containers"][0]["image"] = "shop:2"
        live["spec"]["template"]["spec"]["containers"].append(SIDECAR)
        live["metadata"]["labels"]["team"] = "x"

    leaf = {'k:{"name":"proxy"}': tree(SIDECAR, "item")}
    return edited(
        LIVE,
        change,
        owner("kubectl-edit", at(*CONTAINER, "image")),
        owner(
            "injector", {**at("spec", "template", "spec", "containers", leaf=leaf), **at("metadata", "labels", "team")}
        ),
        forget=(*CONTAINER, "image"),
    )


def test_what_was_declared_is_applied_and_what_was_added_is_handed_over_first() -> None:
    live = changed()
    found = drifted(WEB, live)
    assert found
    made = reverting.plan(found, WEB, live, Cursor())
    assert (made.verb, made.manifest) == ("apply", deployment())
    patch = made.handing(live)
    assert patch
    test, replaced = patch
    assert test == {"op": "test", "path": "/metadata/resourceVersion", "value": "8"}
    owners = {row["manager"]: row["fieldsV1"] for row in replaced["value"]}
    assert owners.keys() == {"kubectl-edit", "injector", "turnout"}
    assert owners["injector"]["f:metadata"] == {"f:labels": {"f:team": {}}}
    assert 'k:{"name":"proxy"}' not in str(owners["injector"])
    assert 'k:{"name":"proxy"}' in owners["turnout"]["f:spec"]["f:template"]["f:spec"]["f:containers"]


def test_what_is_passed_over_keeps_its_live_value() -> None:
    live = changed()
    found = drifted(WEB, live)
    assert found
    kept = replace(found, fields=tuple(replace(field, ignored="by anna") for field in found.fields))
    made = reverting.plan(kept, WEB, live, Cursor())
    [container] = made.manifest["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "shop:2"
    assert 'k:{"name":"proxy"}' in str(
        [row for row in live["metadata"]["managedFields"] if row["manager"] == "injector"]
    )
    patch = made.handing(live)
    assert not patch or "proxy" not in str(patch[1]["value"][-1])


def test_a_field_that_a_rollout_moved_stays_as_it_is() -> None:
    two = declared(deployment(), ignoreChanges=["spec.replicas"])
    by = owner("turnout-rollout", at("spec", "replicas"))
    live = edited(LIVE, lambda live: live["spec"].update(replicas=5), by, forget=("spec", "replicas"))
    live["spec"]["template"]["spec"]["containers"][0]["image"] = "shop:2"
    found = drifted(two, live)
    assert found
    assert "replicas" not in reverting.plan(found, two, live, Cursor()).manifest["spec"]


def test_a_deleted_way_in_leads_to_the_track_that_serves() -> None:
    entry = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "dev", "labels": {"app.kubernetes.io/name": "web"}},
        "spec": {"selector": {"app": "web", "turnout.dev/track": "a"}},
    }
    one = declared(entry)
    found = drifted(one, None)
    assert found
    made = reverting.plan(found, one, None, Cursor().serving("web", "b"))
    assert (made.verb, made.manifest["spec"]["selector"]) == ("create", {"app": "web", "turnout.dev/track": "b"})
    assert reverting.plan(found, one, None, Cursor()).manifest == entry


def test_what_cannot_be_changed_is_made_anew() -> None:
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c", "namespace": "dev"},
        "data": {"a": "1"},
        "immutable": True,
    }
    live = live_of(config, "kubectl-create")
    live["data"] = {"a": "2"}
    one = declared(config)
    found = drifted(one, live)
    assert found
    assert reverting.plan(found, one, live, Cursor()).verb == "replace"


def test_a_secret_that_stays_closed_is_not_written() -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "dev"},
        "data": sealed("v1:x"),
    }
    one = declared(secret)
    found = drifted(one, None)
    assert found
    with pytest.raises(TurnoutError, match="could not be opened"):
        reverting.plan(found, one, None, Cursor())


class Scripted:
    """What reverting asks of a client."""

    def __init__(self, *outcomes: Answer) -> None:
        self.server, self.script = Server(), Script(*outcomes)
        self.run, self.applied = self.script.run, 0

    def apply(self, *_: Any, force: bool, dry_run: bool = False) -> None:  # noqa: ARG002
        self.applied += not dry_run


def test_an_object_whose_status_changes_meanwhile_is_put_right_all_the_same() -> None:
    live = changed()
    found = drifted(WEB, live)
    assert found
    later = {**live, "metadata": {**live["metadata"], "resourceVersion": "9"}}
    kube = Scripted(refusal(422, "Invalid"), answer(200, later), answer(200, later))
    reverting.carry_out(kube, [reverting.plan(found, WEB, live, Cursor())], Silent(), lambda: None, Asked())  # type: ignore[arg-type]
    assert [request.method for request in kube.script.asked] == ["PATCH", "GET", "PATCH"]
    test, _ = json.loads(kube.script.asked[-1].body or b"")
    assert test["value"] == "9"
    assert kube.applied == 1


def test_nothing_is_handed_over_twice() -> None:
    live = changed()
    path = ("spec", "template", "spec", "containers", Item((("name", "proxy"),)))
    once = handing.handed(live["metadata"]["managedFields"], [path], "turnout")
    assert handing.handed(once, [path], "turnout") == once


def test_an_end_that_was_asked_for_comes_between_two_objects() -> None:
    asked = Asked()
    asked.now = True
    found = drifted(WEB, None)
    assert found
    with pytest.raises(Interrupted, match="put back until then: nothing"):
        reverting.carry_out(None, [reverting.plan(found, WEB, None, Cursor())], Silent(), lambda: None, asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["Deployment/dev/web-a", "deployment/web-a", "app", WEB.urn])
def test_an_object_goes_by_address_component_or_urn(text: str) -> None:
    found = drifted(WEB, None)
    assert found
    report = Report("dev", (found,))
    assert chosen(report, [text]) == [found]
    assert only(report, [text]).objects == (found,)
    with pytest.raises(UsageError, match="nothing named app/other has drifted"):
        chosen(report, [text, "app/other"])
