"""Saved plans on a real API server: applied as they are, or refused with what has moved since."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.kube.config import endpoint
from cli.plans import saved
from cli.progress import Silent
from cli.rollout import cursor, identity, pins
from cli.rollout.control import moment, namespace
from cli.rollout.lock import environment_lock
from cli.rollout.pins import Blame, Pin
from tests.harness import eventually
from tests.integration.fault_proxy import FOREVER, Fault, FaultProxy, fault_proxy
from tests.integration.small import PROGRAM, Small, ended, small

pytestmark = pytest.mark.cluster


SETTINGS = """\
config:
  turnout:cluster: {{tier: dev, kubeconfig: {folder}/kubeconfig}}
  turnout:app: {{image: agents, version: 1.0.0, digest: "sha256:{digest}"}}
"""
OTHER_CLUSTER = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system", "uid": "of-another"}}


@dataclass
class Scene:
    """A project in git, deployed, all of whose requests go through a proxy; its plan would mark its three maps."""

    project: Small
    proxy: FaultProxy

    @property
    def name(self) -> str:
        return self.project.environment

    @property
    def settings(self) -> Path:
        return self.project.folder / f"Pulumi.{self.name}.yaml"

    @property
    def plan(self) -> Path:
        return self.project.folder / "saved.plan"

    def save(self, *words: str) -> None:
        self.project.run("preview", self.name, "--save", self.plan.name, *words, MARK="new")

    def up(self, *words: str, expect: int = 0, **variables: str) -> str:
        done = self.project.run("up", self.name, *words, expect=expect, **{"MARK": "new", **variables})
        return done.stdout + done.stderr

    def refused(self, *words: str, **variables: str) -> str:
        """What an apply of the saved plan says when it refuses, having touched nothing."""
        before = self.touchable()
        said = self.up(*(words or ("--plan", self.plan.name)), expect=9, **variables)
        assert self.touchable() == before
        assert "nothing was touched" in said
        assert f"turnout preview {self.name} --save saved.plan" in said
        return said

    def touchable(self) -> tuple[str, dict[str, str]]:
        state = self.project.state_folder / "stacks/small" / f"{self.name}.json"
        return state.read_text(), self.project.maps()

    def edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Changes the plan's file, and gives it the digest of its new content."""
        document = json.loads(self.plan.read_text())
        document.pop("digest")
        change(document)
        self.plan.write_text(json.dumps({"digest": saved.digest(document), **document}))

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=test", "-c", "user.email=test@example.com")
        command = ["git", *who, *words]
        return subprocess.run(command, cwd=self.project.folder, capture_output=True, text=True, check=True).stdout

    def commit(self, message: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")[:12]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory, sandbox: str, kubeconfig: Path) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("plans")
    with small(folder, sandbox, kubeconfig) as project, fault_proxy(endpoint(kubeconfig)) as proxy:
        scene = Scene(project, proxy)
        (folder / "kubeconfig").write_text(proxy.kubeconfig("default"))
        scene.settings.write_text(SETTINGS.format(folder=folder, digest="0" * 64))
        (folder / ".gitignore").write_text(".turnout/\n*.plan\nstarted\nkubeconfig\nshape.json\n__pycache__/\n")
        scene.up("--yes", MARK="")
        scene.git("init", "-q")
        scene.commit("first")
        scene.save()
        yield scene


@pytest.fixture
def scene(deployed: Scene) -> Iterator[Scene]:
    """With a plan in `saved.plan` that holds; what a test does to plan, checkout and kubeconfig is undone."""
    files = [deployed.plan, deployed.project.folder / "kubeconfig"]
    before, at = [file.read_text() for file in files], deployed.git("rev-parse", "HEAD").strip()
    yield deployed
    deployed.proxy.fail()
    for file, text in zip(files, before, strict=True):
        file.write_text(text)
    deployed.git("reset", "-q", "--hard", at)
    deployed.git("clean", "-fdq", "--", "infra", "components")


def test_a_new_commit(scene: Scene) -> None:
    before, after = scene.git("rev-parse", "HEAD")[:12], scene.commit("second")
    assert f"commit: {before} → {after}" in scene.refused()


def test_edited_settings(scene: Scene) -> None:
    with scene.settings.open("a") as file:
        file.write("# an edit\n")
    said = scene.refused()
    assert f"{scene.settings.name} was edited" in said
    assert "with changes of your own" in said


def test_an_edited_and_a_new_component(scene: Scene) -> None:
    folder = scene.project.folder
    (folder / "infra/program.py").write_text(PROGRAM.replace('"data": {', '"data": {"more": "", '))
    (folder / "components").mkdir()
    (folder / "components/new.py").touch()
    said = scene.refused()
    assert "infra/program.py was edited" in said
    assert "components/new.py is new" in said


@pytest.mark.parametrize("how", ["is gone", "was changed by somebody else"])
def test_an_object_that_somebody_changed(scene: Scene, how: str) -> None:
    place = ("v1", "ConfigMap", "map-0", scene.name)
    before = scene.project.kube.get(*place)
    if how == "is gone":
        scene.project.kube.delete(*place)
    else:
        scene.project.kube.patch(*place, {"data": {"mark": "by hand"}}, "somebody", how="merge")
    assert f"ConfigMap ConfigMap-map-0 in the cluster {how}" in scene.refused()
    scene.project.kube.delete(*place)
    before["metadata"] = {key: before["metadata"][key] for key in ("name", "namespace", "annotations")}
    scene.project.kube.create(before, "test")


def test_what_the_program_reads_elsewhere(scene: Scene) -> None:
    """Neither a file nor the state tells: what would be done is compared, change by change."""
    said = scene.refused(MARK="other")
    assert 'ConfigMap ConfigMap-map-1 data.mark: ["" → "new"] → ["" → "other"]' in said
    scene.project.ask_for(maps=4)
    assert "create of ConfigMap ConfigMap-map-3 would happen now and is not in the plan" in scene.refused()
    scene.project.ask_for(maps=2)
    said = scene.refused()
    scene.project.ask_for()
    assert "ConfigMap ConfigMap-map-2: replace → delete" in said


def test_another_cluster(scene: Scene, kubeconfig: Path) -> None:
    uid = scene.project.kube.get("v1", "Namespace", "kube-system")["metadata"]["uid"]
    body = json.dumps(OTHER_CLUSTER).encode()
    scene.proxy.fail(Fault("answer", "GET", "/namespaces/kube-system", times=FOREVER, status=200, body=body))
    server = f"http://127.0.0.1:{scene.proxy.port}"
    assert f"cluster: {server} ({uid}) → {server} (of-another)" in scene.refused()
    scene.proxy.fail()
    with fault_proxy(endpoint(kubeconfig)) as elsewhere:
        (scene.project.folder / "kubeconfig").write_text(elsewhere.kubeconfig("default"))
        assert f"cluster: {server} ({uid}) → http://127.0.0.1:{elsewhere.port} ({uid})" in scene.refused()


def test_a_plan_that_is_too_old(scene: Scene) -> None:
    scene.save("--expires", "1s")
    over = saved.Saved.model_validate(without_digest(scene.plan)).over
    eventually(lambda: over(moment(identity.server_time(scene.project.kube))), "the plan is over")
    assert "it expired: made 20" in scene.refused()


def without_digest(plan: Path) -> dict[str, Any]:
    return {key: value for key, value in json.loads(plan.read_text()).items() if key != "digest"}


def test_another_environment(scene: Scene) -> None:
    other = scene.project.folder / "Pulumi.other.yaml"
    shutil.copy(scene.settings, other)
    done = scene.project.run("up", "other", "--plan", scene.plan.name, expect=9)
    other.unlink()
    assert f"saved.plan is a plan of {scene.name}, not of other; nothing was touched" in done.stderr


def test_a_pin_and_a_track_that_moved(scene: Scene) -> None:
    kube = scene.project.kube
    pins.add(kube, scene.name, [Pin(7, Blame(("web",), ("web:7",)), "anna", "2026-01-01T00:00:00Z", "bad")])
    cursor.change(kube, scene.name, lambda now: now.serving("web", "b").describing("web", "b"))
    said = scene.refused()
    assert "pin p7: (none) → web|web:7|anna|2026-01-01T00:00:00Z|bad" in said
    assert "tracks of web: (none) → b serves, b is described, epoch 1" in said
    for name in (pins.NAME, cursor.NAME):
        kube.delete("v1", "ConfigMap", name, namespace(scene.name))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text[: len(text) // 2], "damaged or cut off"),
        (lambda text: text.replace('"new"', '"evil"'), "its digest is not that of its content"),
        (lambda text: text.replace('"schema": 1', '"schema": 2'), "it has schema 2, this turnout knows 1"),
        (lambda _: "{}", "it is not a plan that turnout saved"),
    ],
    ids=["cut off", "edited", "of a newer turnout", "something else"],
)
def test_a_file_that_is_no_whole_plan(scene: Scene, damage: Callable[[str], str], said: str) -> None:
    scene.plan.write_text(damage(scene.plan.read_text()))
    assert said in scene.refused()


def test_a_forged_plan(scene: Scene) -> None:
    """Its digest fits: what would be done is not what it says."""
    scene.edit(lambda document: document["changes"].pop())
    assert "would happen now and is not in the plan" in scene.refused()
    scene.edit(lambda document: document.update(changes="none"))
    assert "changes: " in scene.refused()


def test_other_tools(scene: Scene, tmp_path: Path) -> None:
    engine = tmp_path / "pulumi"
    engine.write_text("#!/bin/sh\necho v3.999.0\n")
    engine.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    assert "→ pulumi 3.999.0" in scene.refused(PATH=path)
    said = scene.refused(TURNOUT_PROVIDER="official")
    assert "provider: turnout's own kubernetes provider → official kubernetes plugin" in said


def test_what_moves_while_the_lock_is_awaited(scene: Scene) -> None:
    """A plan that held when the command began is looked at again when the environment is ours."""
    kube, before = scene.project.kube, scene.touchable()
    with environment_lock(kube, scene.name, command="test", reason="", wait=0, progress=Silent()):
        scene.proxy.fail()  # and forget what was asked before
        waiting = scene.project.start("up", scene.name, "--plan", scene.plan.name, "--wait", "60", MARK="new")
        eventually(lambda: scene.proxy.count("GET", "/leases/lock") > 1, "it waits for the lock")
        scene.commit("while it waits")
    done = ended(waiting)
    assert done.returncode == 9, done.stderr
    assert "commit: " in done.stderr
    assert scene.touchable() == before


HOLDING_SECRETS = """\
import json
from pathlib import Path

import pulumi

from cli.provider import VERSION


def program():
    shape = json.loads(Path("shape.json").read_text())
    secrets = [pulumi.Output.secret(value) for value in shape["secrets"]]
    space = shape["namespace"]
    cluster = pulumi.ProviderResource("kubernetes", "cluster", {"kubeconfig": str(Path("kubeconfig").absolute())})

    def make(kind, name, version, body):
        metadata = {"name": name} | ({} if kind == "Namespace" else {"namespace": space})
        manifest = {"apiVersion": version, "kind": kind, "metadata": metadata, **body}
        token = f"kubernetes:{version if '/' in version else 'core/v1'}:{kind}"
        options = pulumi.ResourceOptions(provider=cluster, version=VERSION, depends_on=made[:1])
        made.append(pulumi.CustomResource(token, name, manifest, options))

    made = []
    make("Namespace", space, "v1", {})
    make("Secret", "marked", "v1", {"stringData": {"key": secrets[0]}})
    make("Secret", "plain", "v1", {"stringData": {"key": shape["secrets"][1]}})
    make("ConfigMap", "config", "v1", {"data": {"key": secrets[2], "file.ini": secrets[3].apply("key = {}".format)}})
    labels = {"app": "idle"}
    env = [{"name": "KEY", "value": secrets[4]}, {"name": "API_TOKEN", "value": shape["secrets"][5]}]
    pod = {"containers": [{"name": "idle", "image": "idle:1", "env": env}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    make("Deployment", "idle", "apps/v1", {"spec": spec})
"""


def test_no_secret_is_in_a_plan(tmp_path: Path, sandbox: str, kubeconfig: Path) -> None:
    """Neither an old nor a new one, as it is, encoded, or as a digest that could be guessed from."""
    with small(tmp_path, sandbox, kubeconfig, program=HOLDING_SECRETS) as project:
        planted: list[str] = []
        for again in (False, True):
            new = [secrets.token_hex(8) for _ in range(6)]
            planted += new
            shape = {"namespace": project.environment, "secrets": new}
            (tmp_path / "shape.json").write_text(json.dumps(shape))
            project.run("preview", project.environment, "--save", "saved.plan")
            text = (tmp_path / "saved.plan").read_text()
            assert len(json.loads(text)["changes"]) == (4 if again else 6)
            assert [shown for value in planted for shown in spelled(value) if shown in text] == []
            project.run("up", project.environment, "--plan", "saved.plan")


def spelled(value: str) -> Iterator[str]:
    data = value.encode()
    yield from (value, base64.b64encode(data).decode().rstrip("=")[:-1], data.hex())
    yield from (hashlib.new(kind, data).hexdigest()[:10] for kind in ("md5", "sha1", "sha256", "sha512", "blake2b"))


def test_wrong_use_is_told(scene: Scene) -> None:
    for words, said in (
        (("--plan", "missing.plan"), "cannot be read"),
        (("--plan", "saved.plan", "--target", "urn"), "do not go together"),
    ):
        assert said in scene.up(*words, expect=2)
    for more in (["--save", "x.plan", "other"], ["--save", "x.plan", "--expires", "soon"]):
        scene.project.run("preview", scene.name, *more, expect=2)


def test_what_a_policy_refuses_is_not_saved(scene: Scene) -> None:
    (scene.project.folder / "infra/program.py").write_text(f"{PROGRAM}\n\nhermetic = program\n")
    scene.project.ask_for(never=True)
    done = scene.project.run("preview", scene.name, "--save", "refused.plan", expect=4)
    scene.project.ask_for()
    assert "refused.plan was not saved" in done.stderr
    assert not (scene.project.folder / "refused.plan").exists()


def test_another_apply_in_between(scene: Scene) -> None:
    """It and the next one come last: after them the plan of the others is stale for good."""
    scene.up("--yes", MARK="in between")
    said = scene.refused()
    assert re.search(r"state: 6 resources, written \S+ \(\w{12}\) → 6 resources, written \S+ \(\w{12}\)", said)


def test_a_plan_is_applied_as_it_is_and_once(scene: Scene) -> None:
    said = scene.project.run("preview", scene.name, "--save", "once.plan", MARK="once")
    assert "saved once.plan: 3 changes" in said.stderr
    scene.up("--plan", "once.plan", MARK="once")
    assert set(scene.project.maps().values()) == {"once"}
    assert "state: " in scene.up("--plan", "once.plan", expect=9, MARK="once")
