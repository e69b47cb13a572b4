"""Drift on a real API server: edits as kubectl and others make them, told with who made them, put back, passed over."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.drift import looking, reverting, show
from cli.drift.model import Report
from cli.engine import environ
from cli.interrupts import Asked
from cli.progress import Silent
from cli.rollout.cursor import Cursor
from tests.integration.small import Small, small

pytestmark = pytest.mark.cluster

JSON = dict[str, Any]
HUSH = "hush-4be1"
PROGRAM = """\
from pathlib import Path
import json

import pulumi

from cli.provider import VERSION

ANNOTATIONS = {"pulumi.com/patchFieldManager": "turnout", "pulumi.com/skipAwait": "true"}


def program():
    space = json.loads(Path("shape.json").read_text())["namespace"]
    cluster = pulumi.ProviderResource("kubernetes", "cluster", {"kubeconfig": str(Path("kubeconfig").absolute())})
    shop = pulumi.ComponentResource("shop:Shop", "shop")

    def make(kind, name, version="v1", after=(), left_alone=None, **body):
        metadata = {"name": name, "annotations": ANNOTATIONS}
        if kind != "Namespace":
            metadata["namespace"] = space
        token = f"kubernetes:{version if '/' in version else 'core/v1'}:{kind}"
        options = pulumi.ResourceOptions(
            provider=cluster, depends_on=list(after), version=VERSION, ignore_changes=left_alone, parent=shop
        )
        manifest = {"apiVersion": version, "kind": kind, "metadata": metadata, **body}
        return pulumi.CustomResource(token, f"{kind}-{name}", manifest, options)

    def running(name, replicas=None):
        labels = {"app": name}
        env = [{"name": "LEVEL", "value": "info"}, {"name": "MODE", "value": "fast"}]
        container = {"name": "web", "image": "nowhere.invalid/web:1", "env": env}
        spec = {"selector": {"matchLabels": labels}}
        spec["template"] = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        if replicas is not None:
            spec["replicas"] = replicas
        make("Deployment", name, "apps/v1", [first], spec=spec)

    first = make("Namespace", space)
    make("ConfigMap", "config", after=[first], data={"level": "info"})
    make("Secret", "key", after=[first], stringData=pulumi.Output.secret({"key": "hush-4be1"}))
    make("Service", "web", after=[first], left_alone=["spec.selector"],
         spec={"ports": [{"port": 80}], "selector": {"app": "web", "track": "a"}})
    running("web", 0)
    running("scaled")
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "scaled"}
    make("HorizontalPodAutoscaler", "scaled", "autoscaling/v2", [first],
         spec={"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 3})
"""
WEB = ("apps/v1", "Deployment", "web")


class Shop:
    def __init__(self, project: Small) -> None:
        self.project, self.kube, self.space = project, project.kube, project.environment

    def edit(self, manager: str, body: JSON, place: tuple[str, str, str] = WEB, **more: Any) -> None:
        self.kube.patch(*place, self.space, body, manager, **{"how": "strategic", **more})

    def look(self) -> tuple[Report, looking.Looked]:
        return looking.look(self.kube, self.project.folder, self.space)

    def drift(self) -> JSON:
        return self.look()[0].to_json()

    def command(self, *words: str, expect: int = 0) -> JSON:
        found: JSON = json.loads(self.project.run("drift", self.space, "--json", *words, expect=expect).stdout)
        return found

    def fields(self, key: str = "fields") -> dict[str, tuple[str, str]]:
        """`Kind/name path` → what, by whom."""
        return {
            f"{row['object']['kind']}/{row['object']['name']} {field['path']}": (
                field["what"],
                ",".join(author["manager"] for author in field["by"]),
            )
            for row in self.drift()["objects"]
            for field in row[key]
        }

    def revert(self) -> list[str]:
        """All that has drifted, as the command does it under the lock."""
        report, looked = self.look()
        found = [
            reverting.plan(one, looked.declared(one), looked.seen.whole(self.kube, one.place), Cursor())
            for one in report.drifted
        ]
        return reverting.carry_out(self.kube, reverting.ordered(found), Silent(), lambda: None, Asked())

    def pod(self) -> JSON:
        found: JSON = self.kube.get(*WEB, self.space)["spec"]["template"]
        return found

    def trail(self) -> list[str]:
        return [
            row["data"]["what"]
            for row in self.kube.list("v1", "ConfigMap", f"turnout-{self.space}", labels="turnout.dev/kind=audit")
        ]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, sandbox: str, kubeconfig: Path) -> Iterator[Shop]:
    with small(tmp_path_factory.mktemp("drift"), sandbox, kubeconfig, PROGRAM) as project:
        project.run("up", project.environment, "--yes")
        yield Shop(project)


@pytest.fixture(autouse=True)
def _as_declared(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test begins with what was declared, and leaves it so."""
    monkeypatch.setenv(environ.PASSPHRASE_FILE, str(shop.project.folder / "passphrase"))
    yield
    shop.revert()


def of_web(*containers: JSON, **pod: Any) -> JSON:
    return {"spec": {"template": {"spec": {"containers": list(containers), **pod}}}}


def test_what_was_just_applied_has_not_drifted(shop: Shop) -> None:
    found = shop.command("--exit-code")
    assert (found["drift"], found["objects"], found["unmanaged"], found["looked"]) == (False, [], [], 7)


def test_edits_are_told_by_field_with_who_made_them_and_put_back(shop: Shop) -> None:
    shop.edit("kubectl-edit", of_web({"name": "web", "image": "nowhere.invalid/web:2"}))
    shop.edit(
        "kubectl-set",
        of_web({"name": "web", "env": [{"name": "LEVEL", "value": "debug"}, {"name": "X", "value": "1"}]}),
    )
    shop.edit("injector", of_web({"name": "proxy", "image": "nowhere.invalid/proxy:1"}))
    shop.edit("kubectl", {"spec": {"replicas": 1}}, how="merge", subresource="scale")
    shop.edit("kubectl-label", {"metadata": {"labels": {"team": "x"}}})
    shop.edit("kubectl-edit", {"data": {"level": "debug"}}, ("v1", "ConfigMap", "config"), how="merge")
    pod = "Deployment/web spec.template.spec.containers"
    assert shop.fields() == {
        "ConfigMap/config data.level": ("changed", "kubectl-edit"),
        "Deployment/web spec.replicas": ("changed", "kubectl"),
        f"{pod}[web].image": ("changed", "kubectl-edit"),
        f"{pod}[web].env[LEVEL].value": ("changed", "kubectl-set"),
        f"{pod}[web].env[X]": ("added", "kubectl-set"),
        f"{pod}[proxy]": ("added", "injector"),
    }
    assert shop.fields("beside") == {"Deployment/web metadata.labels.team": ("added", "kubectl-label")}
    assert shop.command("--exit-code", expect=3)["count"] == 2
    done = shop.command("Deployment/web", "--revert", "--yes")
    assert done["reverted"] == [f"Deployment/{shop.space}/web"]
    assert shop.drift()["count"] == 1
    [container] = shop.pod()["spec"]["containers"]
    assert (container["image"], [row["name"] for row in container["env"]]) == (
        "nowhere.invalid/web:1",
        ["LEVEL", "MODE"],
    )
    live = shop.kube.get(*WEB, shop.space)
    assert (live["spec"]["replicas"], live["metadata"]["labels"]) == (0, {"team": "x"})
    shop.revert()
    shop.edit("kubectl-label", {"metadata": {"labels": {"team": None}}})
    assert shop.drift()["objects"] == []
    assert f"turnout drift {shop.space} --revert Deployment/web" in shop.trail()


def test_what_was_put_back_is_ours_so_that_the_next_apply_changes_and_removes_it(shop: Shop) -> None:
    shop.edit("injector", of_web({"name": "proxy", "image": "nowhere.invalid/proxy:1"}))
    shop.revert()
    managers = {row["manager"] for row in shop.kube.get(*WEB, shop.space)["metadata"]["managedFields"]}
    assert "injector" not in managers
    assert (
        json.loads(shop.project.run("preview", shop.space, "--json", expect=None).stdout)["environments"][0]["changes"]
        == []
    )


def test_a_deleted_object_comes_back_and_a_removed_field_does(shop: Shop) -> None:
    shop.kube.delete("v1", "ConfigMap", "config", shop.space)
    shop.edit("kubectl-edit", [{"op": "remove", "path": "/spec/template/spec/containers/0/env/1"}], how="json")  # type: ignore[arg-type]
    found = {row["object"]["kind"]: row["what"] for row in shop.drift()["objects"]}
    assert found == {"ConfigMap": "deleted", "Deployment": "changed"}
    assert list(shop.fields()) == ["Deployment/web spec.template.spec.containers[web].env[MODE]"]
    assert len(shop.revert()) == 2
    assert shop.kube.get("v1", "ConfigMap", "config", shop.space)["data"] == {"level": "info"}
    assert [row["name"] for row in shop.pod()["spec"]["containers"][0]["env"]] == ["LEVEL", "MODE"]


def test_a_secrets_value_is_put_back_and_never_shown(shop: Shop) -> None:
    place = ("v1", "Secret", "key")
    shop.edit("kubectl-edit", {"stringData": {"key": "other-77aa", "more": "new-18cd"}}, place, how="merge")
    report, _ = shop.look()
    shown = repr(report) + json.dumps(report.to_json()) + "".join(line.text for line in show.lines(report))
    assert shop.fields() == {
        "Secret/key data.key": ("changed", "kubectl-edit"),
        "Secret/key data.more": ("added", "kubectl-edit"),
    }
    for hidden in (HUSH, "other-77aa", "new-18cd", "aHVzaC00YmUx", "b3RoZXItNzdhYQ"):
        assert hidden not in shown
    shop.revert()
    assert shop.kube.get(*place, shop.space)["data"] == {"key": "aHVzaC00YmUx"}


def test_without_the_passphrase_a_secret_is_compared_by_who_wrote_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.edit("kubectl-edit", {"stringData": {"key": "other-77aa"}}, ("v1", "Secret", "key"), how="merge")
    with monkeypatch.context() as patch:
        patch.setenv(environ.PASSPHRASE, "wrong")
        found = shop.drift()
    [row] = [row for row in found["objects"] if row["drift"]]
    assert [field["path"] for field in row["fields"]] == ["data.key"]
    assert "by who wrote them last" in found["notes"][0]


def test_what_an_autoscaler_or_a_rollout_moves_is_no_drift(shop: Shop) -> None:
    count = {"spec": {"replicas": 2}}
    shop.edit("kube-controller-manager", count, ("apps/v1", "Deployment", "scaled"), how="merge", subresource="scale")
    chosen = {"spec": {"selector": {"track": "b"}}}
    shop.edit("turnout-rollout", chosen, ("v1", "Service", "web"), how="merge")
    assert shop.drift()["objects"] == []
    shop.edit("kubectl-edit", {"spec": {"selector": {"track": "c"}}}, ("v1", "Service", "web"), how="merge")
    assert shop.fields("beside") == {"Service/web spec.selector.track": ("changed", "kubectl-edit")}
    assert shop.drift()["drift"] is False


def test_what_nobody_declared_is_listed_apart(shop: Shop) -> None:
    metadata = {"name": "mine", "namespace": shop.space}
    mine = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}}
    shop.kube.create(mine, "kubectl-create")
    found = shop.drift()
    shop.kube.delete("v1", "ConfigMap", "mine", shop.space)
    [row] = found["unmanaged"]
    assert (row["object"]["name"], row["by"][0]["word"], found["drift"]) == ("mine", "kubectl create", False)


def test_nothing_that_has_drifted_goes_by_that_name(shop: Shop) -> None:
    done = shop.project.run("drift", shop.space, "Deployment/nowhere", "--revert", "--yes", expect=2)
    assert "nothing named Deployment/nowhere has drifted" in done.stderr


def test_what_is_passed_over_counts_again_after_its_last_day(shop: Shop) -> None:
    shop.edit("kubectl", {"spec": {"replicas": 1}}, how="merge", subresource="scale")
    file = shop.project.folder / f"Pulumi.{shop.space}.yaml"
    before = file.read_text()
    words = ("--reason", "scaled by hand for the sale", "--owner", "anna", "--until", "14d")
    made = shop.command("--ignore", "--yes", *words)
    assert any("scaled by hand" in line for line in made["diff"])
    try:
        report, _ = shop.look()
        [row] = [one for one in report.objects if one.place.kind == "Deployment"]
        assert (report.drifted, [field.path for field in row.fields]) == ((), ["spec.replicas"])
        assert row.fields[0].ignored.startswith("scaled by hand for the sale, anna, until ")
        shop.revert()
        assert shop.kube.get(*WEB, shop.space)["spec"]["replicas"] == 1
        file.write_text(re.sub(r"expires: [0-9-]+", "expires: 2026-01-01", file.read_text()))
        report, _ = shop.look()
        assert len(report.drifted) == 1
        assert any("ended on 2026-01-01 (anna)" in note for note in report.notes)
    finally:
        file.write_text(before)


def test_a_preview_says_in_one_line_that_there_is_drift(shop: Shop) -> None:
    shop.kube.delete("v1", "ConfigMap", "config", shop.space)
    [plan] = json.loads(shop.project.run("preview", shop.space, "--json", expect=None).stdout)["environments"]
    said = [row["message"] for row in plan["diagnostics"] if "turnout drift" in row["message"]]
    told = "1 of 7 objects was changed by others since the last apply, which a plan does not show"
    assert said == [f"{told}: turnout drift {shop.space}"]
