"""Approvals on a real API server: by an approver, in their own name, for the open rollout, never by its starter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cli.engine.model import Change, Operation, Plan
from cli.errors import Refused
from cli.kube import client
from cli.kube.client import Kube
from cli.review.judge import judge
from cli.review.model import Reviewed
from cli.rollout import approvals, audit, consent, identity, opened, releases
from cli.rollout.opened import Rollout
from cli.rollout.where import Cluster
from components.guard import approval, control
from components.guard.policy import anchor
from tests.harness import eventually
from tests.integration import accounts
from tests.integration.accounts import refused
from tests.integration.stage import Stage, staged

pytestmark = pytest.mark.cluster


@dataclass
class Scene:
    """An environment whose rollouts are guarded, and three people: two deployers and an approver."""

    stage: Stage
    folder: Path
    people: dict[str, Kube]

    @property
    def name(self) -> str:
        return self.stage.name

    def begin(self, who: str, id: str) -> Rollout:
        """A rollout begun by one of them."""
        kube = self.people[who]
        return opened.begin(kube, self.name, Rollout(id, starter=identity.username(kube), began="2026-01-01T00:00:00Z"))

    def account(self, who: str) -> str:
        return f"system:serviceaccount:{self.name}:{who}"

    def approve(self, who: str, *options: str, expect: int = 0) -> Any:
        words = ("approve", self.name, "--yes", "--reason", "looks good", *options)
        return self.stage.turnout(*words, cwd=self.folder, kubeconfig=self.folder / f"{who}.kubeconfig", expect=expect)


@pytest.fixture(scope="module")
def scene(kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("people")
    with staged(kubeconfig) as stage:
        spaces = [f"{stage.name}-monitoring", f"{stage.name}-agents"]
        place = accounts.environment(stage.name).place("control", "guard")
        policies = [*approval.manifests(place), *control.manifests(place)]
        try:
            for name in spaces:
                stage.kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, "test")
            for manifest in (*anchor(), *policies):
                stage.kube.apply(manifest, "turnout")
            made = Scene(stage, folder, dict(_people(stage, folder)))
            yield made
            for kube in made.people.values():
                kube.close()
        finally:
            accounts.remove_cluster_roles(stage.kube, stage.name)
            for manifest in policies:
                stage.kube.delete(manifest["apiVersion"], manifest["kind"], manifest["metadata"]["name"])
            for name in spaces:
                stage.kube.delete("v1", "Namespace", name)


def _people(stage: Stage, folder: Path) -> Iterator[tuple[str, Kube]]:
    for who, role in (("anna", "deployer"), ("bea", "deployer"), ("carl", "approver")):
        file = accounts.with_role(stage.kube, stage.name, role, stage.kubeconfig, folder, who)  # type: ignore[arg-type]
        yield who, client.connect(Cluster(file, None))


@pytest.fixture(autouse=True)
def nothing_open(scene: Scene) -> Iterator[None]:
    _soon_guarded(scene)
    yield
    for row in scene.stage.kube.list("v1", "ConfigMap", scene.stage.control):
        if row["metadata"]["name"].startswith(("approval-", "rollout")):
            scene.stage.kube.delete("v1", "ConfigMap", row["metadata"]["name"], scene.stage.control)


def _soon_guarded(scene: Scene) -> None:
    """Until the API server has compiled the policies."""
    forged = written(scene, "rollout", {"id": "forged", "starter": "nobody"})
    eventually(lambda: refused(lambda: scene.stage.kube.create(forged, "test", dry_run=True)))


def written(scene: Scene, name: str, data: dict[str, str], **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": scene.stage.control}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data, **fields}


def approving(scene: Scene, id: str, by: str, **fields: Any) -> dict[str, Any]:
    return written(scene, f"approval-{id}", {"id": id, "by": scene.account(by)}, **({"immutable": True} | fields))


def test_approver_lets_another_ones_rollout_go_on(scene: Scene) -> None:
    scene.begin("anna", "r1")
    assert approvals.granted(scene.stage.kube, scene.name, "r1", scene.account("anna")) is None
    scene.approve("carl")
    found = approvals.granted(scene.people["anna"], scene.name, "r1", scene.account("anna"))
    assert found and (found.by, found.reason) == (scene.account("carl"), "looks good")
    newest = audit.entries(scene.stage.kube, scene.name)[0]
    assert (newest.who, newest.why, newest.outcome) == (scene.account("carl"), "looks good", "approved r1")
    again = scene.approve("carl")
    assert scene.account("carl") in again.stdout


def test_starter_is_refused_whoever_they_say_they_are(scene: Scene) -> None:
    scene.begin("anna", "r2")
    said = scene.approve("anna", expect=4)
    assert "somebody other than who started it" in said.stderr
    assert "role approver" in said.stderr
    own = refused(lambda: scene.people["anna"].create(approving(scene, "r2", "anna"), "kubectl"))
    assert "started this rollout" in own or "may not approve" in own
    forged = refused(lambda: scene.people["anna"].create(approving(scene, "r2", "carl"), "kubectl"))
    assert "denied request" in forged
    admin = identity.username(scene.stage.kube)
    lent = approving(scene, "r2", "carl")
    assert "own name, which is " + admin in refused(lambda: scene.stage.kube.create(lent, "kubectl"))


def test_approver_who_started_it_is_refused_by_the_policy(scene: Scene) -> None:
    admin = identity.username(scene.stage.kube)
    opened.begin(scene.stage.kube, scene.name, Rollout("r3", starter=admin))
    own = approving(scene, "r3", "carl") | {"data": {"by": admin}}
    said = eventually(lambda: refused(lambda: scene.stage.kube.create(own, "kubectl", dry_run=True)))
    assert f"{admin} started this rollout, so somebody else has to approve it" in said or "no rollout" in said


def test_deployer_is_no_approver(scene: Scene) -> None:
    scene.begin("anna", "r4")
    said = scene.approve("bea", expect=4)
    assert "may not approve" in said.stderr
    assert "role approver" in said.stderr


def test_only_the_open_rollout_is_approved(scene: Scene) -> None:
    said = scene.approve("carl", expect=4)
    assert f"no rollout of {scene.name} is open" in said.stderr
    carl = scene.people["carl"]
    scene.begin("anna", "r5")
    other = approving(scene, "r6", "carl")
    assert "no rollout" in eventually(lambda: refused(lambda: carl.create(other, "kubectl", dry_run=True)))
    opened.change(scene.people["anna"], scene.name, "r5", lambda rollout: rollout.ended("done"))
    ended = eventually(lambda: refused(lambda: carl.create(approving(scene, "r5", "carl"), "kubectl", dry_run=True)))
    assert "no rollout" in ended


def test_approval_never_changes(scene: Scene) -> None:
    scene.begin("anna", "r7")
    loose = approving(scene, "r7", "carl", immutable=False)
    said = eventually(lambda: refused(lambda: scene.people["carl"].create(loose, "kubectl", dry_run=True)))
    assert "immutable" in said or "no rollout" in said
    scene.approve("carl")
    with pytest.raises(Exception, match="immutable"):
        body = {"data": {"by": scene.account("bea")}}
        scene.stage.kube.patch("v1", "ConfigMap", "approval-r7", scene.stage.control, body, "kubectl")


def test_starter_is_who_writes_it_and_stays(scene: Scene) -> None:
    anna = scene.people["anna"]
    forged = written(scene, "rollout", {"id": "r8", "starter": scene.account("bea"), "open": "true"})
    assert "is its starter" in refused(lambda: anna.create(forged, "kubectl"))
    scene.begin("anna", "r8")
    place, body = ("v1", "ConfigMap", "rollout", scene.stage.control), {"data": {"starter": scene.account("bea")}}
    for kube in (anna, scene.people["bea"]):
        assert "does not change" in refused(partial(kube.patch, *place, body, "kubectl"))
    said = {"data": {"waits": "approval"}}
    scene.people["bea"].patch("v1", "ConfigMap", "rollout", scene.stage.control, said, "kubectl")
    opened.change(anna, scene.name, "r8", lambda rollout: rollout.ended("done"))
    assert scene.begin("bea", "r9").starter == scene.account("bea")


def test_approver_writes_nothing_else(scene: Scene) -> None:
    carl = scene.people["carl"]
    for name in ("pins", "cursor", "releases", "rollout", "anything"):
        assert "may not write" in refused(partial(carl.create, written(scene, name, {}), "kubectl"))
    scene.begin("anna", "r10")
    body = {"data": {"open": ""}}
    assert refused(lambda: carl.patch("v1", "ConfigMap", "rollout", scene.stage.control, body, "kubectl"))


def test_audit_entry_is_in_ones_own_name_and_stays(scene: Scene) -> None:
    carl, anna = scene.people["carl"], scene.people["anna"]
    made = audit.manifest(scene.name, audit.entry(carl, "a test"), "0001")
    assert "own name" in refused(lambda: anna.create(made, "kubectl"))
    carl.create(made, "kubectl")
    place = ("v1", "ConfigMap", made["metadata"]["name"], scene.stage.control)
    assert "does not change" in refused(lambda: anna.patch(*place, {"data": {"why": "no"}}, "kubectl"))
    anna.patch(*place, {"metadata": {"labels": {"seen": "yes"}}}, "kubectl")


def test_json_says_who_and_when(scene: Scene) -> None:
    scene.begin("bea", "r11")
    words = ("approve", scene.name, "--yes", "--json")
    done = scene.stage.turnout(*words, cwd=scene.folder, kubeconfig=scene.folder / "carl.kubeconfig")
    assert json.loads(done.stdout)["by"] == scene.account("carl")


def test_plan_is_approved_by_an_approver_for_somebody_else_and_for_that_plan(scene: Scene) -> None:
    anna, asked = scene.people["anna"], deletion(scene, "data")
    with releases.attempt(scene.stage.kube, scene.name, kind="up") as attempt:
        attempt.succeeded(scene.stage.release("one"))
    with pytest.raises(Refused) as told:
        consent.must_be_given(anna, asked, f"turnout up {scene.name}", "c0ffee")
    id = consent.name(asked.plan)
    assert f"turnout approve {scene.name} --plan {id}" in told.value.next
    assert "somebody other than who applies it" in scene.approve("anna", "--plan", id, expect=4).stderr
    assert "may not approve" in scene.approve("bea", "--plan", id, expect=4).stderr
    forged = approving(scene, f"plan-{id}", "carl")
    assert "denied request" in refused(lambda: anna.create(forged, "kubectl"))
    said = scene.approve("carl", "--plan", id).stdout
    assert f"approved plan {id} of {scene.name} by {scene.account('anna')}" in said
    given = consent.must_be_given(anna, asked, f"turnout up {scene.name}", "c0ffee")
    assert given and (given.by, given.reason) == (scene.account("carl"), "looks good")
    with pytest.raises(Refused):
        consent.must_be_given(anna, deletion(scene, "other"), f"turnout up {scene.name}", "c0ffee")
    newest = audit.entries(scene.stage.kube, scene.name)[0]
    assert (newest.who, newest.outcome) == (scene.account("carl"), f"approved plan {id}")
    consent.forget(anna, scene.name)
    assert "no plan waits" in scene.approve("carl", "--plan", id, expect=4).stderr


def deletion(scene: Scene, volume: str) -> Reviewed:
    lost = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": volume, "namespace": scene.name}}
    gone = Change(f"urn:{volume}", "kubernetes:core/v1:PersistentVolumeClaim", volume, Operation.DELETE, before=lost)
    found = judge(Plan(scene.name, (gone,), {}, 0.1, "", ""))
    return replace(found, reasons=tuple(replace(reason, approval=True) for reason in found.reasons))


def test_namespace_goes_with_all_that_is_in_it(scene: Scene) -> None:
    """The cluster itself deletes objects, and has none of our rights."""
    kube, name = scene.stage.kube, f"turnout-{scene.name}x"
    place = accounts.environment(f"{scene.name}x").place("control", "guard")
    policies = control.manifests(place)
    try:
        kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, "test")
        for manifest in policies:
            kube.apply(manifest, "turnout")
        metadata = {"name": "pins", "namespace": name}
        kube.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}, "test")
        kube.delete("v1", "Namespace", name)
        eventually(lambda: kube.find("v1", "Namespace", name) is None)
    finally:
        for manifest in policies:
            kube.delete(manifest["apiVersion"], manifest["kind"], manifest["metadata"]["name"])
