"""`turnout repair` after real runs were killed in the middle, against a real API server."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from cli.engine import environ
from cli.kube.client import Kube, connect
from cli.kube.errors import NotFound
from cli.rollout.where import Cluster
from tests.harness import COMMAND

pytestmark = pytest.mark.cluster

JSON = dict[str, Any]
LIMIT = 90.0

_PACKAGE = "from pkgutil import extend_path\n\n__path__ = extend_path(__path__, __name__)\n"
_PROGRAM = """
import json
from pathlib import Path

import pulumi

from cli.engine.settle import type_token


def program() -> None:
    asked = json.loads(Path("asked.json").read_text())
    provider = pulumi.ProviderResource("kubernetes", "cluster", {"kubeconfig": asked["kubeconfig"]})
    made = {}
    for entry in asked["objects"]:
        options = pulumi.ResourceOptions(
            provider=provider, depends_on=list(made.values())[:1], version="4.34.2",
        )
        manifest = entry["manifest"]
        if manifest["kind"] == "Secret":
            manifest["stringData"] = pulumi.Output.secret(manifest["stringData"])
        type_ = type_token(manifest["apiVersion"], manifest["kind"])
        made[entry["name"]] = pulumi.CustomResource(type_, entry["name"], manifest, options)
"""
_SETTINGS = """\
config:
  turnout:cluster:
    tier: dev
    sandbox: {sandbox}
  turnout:app: {{image: agents, version: 1.0.0}}
"""
HUSH = "hush-4be1"


class Shop:
    """A project with a program that declares what a test asks for, in an environment of its own."""

    def __init__(self, folder: Path, sandbox: str, kubeconfig: Path, kube: Kube) -> None:
        self.folder, self.kube = folder, kube
        self.reach = folder / f"sandboxes/{sandbox}/kubeconfig"
        self.reach.parent.mkdir(parents=True)
        self.reach.write_text(kubeconfig.read_text())
        self.name = f"rep{uuid.uuid4().hex[:6]}"
        self.objects: dict[str, JSON] = {}
        self.variables = {
            **os.environ,
            "PYTHONPATH": str(folder),
            "PULUMI_CONFIG_PASSPHRASE": "right",
            "TURNOUT_PROVIDER": "own",
            "TURNOUT_STATE": str(folder),
            environ.BACKEND: f"file://{folder}/state",
        }
        (folder / "infra").mkdir()
        (folder / "infra/__init__.py").write_text(_PACKAGE)
        (folder / "infra/program.py").write_text(_PROGRAM)
        (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
        (folder / f"Pulumi.{self.name}.yaml").write_text(_SETTINGS.format(sandbox=sandbox))
        self.want("space", "v1", "Namespace", named=self.name)

    def want(self, name: str, version: str, kind: str, *, named: str = "", **body: Any) -> None:
        """Declare an object, or change what is declared of it; without a name the provider makes one up."""
        metadata: JSON = {"annotations": {"pulumi.com/patchFieldManager": "turnout"}}
        if named:
            metadata["name"] = named
        if kind != "Namespace":
            metadata["namespace"] = self.name
        manifest = {"apiVersion": version, "kind": kind, "metadata": metadata, **body}
        self.objects[name] = {"name": name, "manifest": manifest}
        document = {"kubeconfig": str(self.reach), "objects": list(self.objects.values())}
        (self.folder / "asked.json").write_text(json.dumps(document))

    def forget(self, name: str) -> None:
        del self.objects[name]
        document = {"kubeconfig": str(self.reach), "objects": list(self.objects.values())}
        (self.folder / "asked.json").write_text(json.dumps(document))

    def deployment(self, replicas: int, *, named: str = "never", app: str = "never") -> None:
        """One that never gets ready, unless it is to have no pods."""
        container = {"name": "never", "image": "nowhere.invalid/never:1"}
        template = {"metadata": {"labels": {"app": app}}, "spec": {"containers": [container]}}
        spec = {"replicas": replicas, "selector": {"matchLabels": {"app": app}}, "template": template}
        self.want("never", "apps/v1", "Deployment", named=named, spec=spec)

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [COMMAND, *words],
            cwd=self.folder,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, verb: str, *options: str, expect: int = 0) -> str:
        with self.start(verb, self.name, *options) as process:
            try:
                out, _ = process.communicate(timeout=LIMIT)
            finally:
                process.kill()
        assert process.returncode == expect, f"turnout {verb}: exit {process.returncode}\n{out}"
        return out

    def json(self, verb: str, *options: str, expect: int = 0) -> JSON:
        process = subprocess.run(
            [COMMAND, verb, self.name, "--json", *options],
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        assert process.returncode == expect, f"turnout {verb}: exit {process.returncode}\n{process.stderr}"
        found: JSON = json.loads(process.stdout)
        return found

    @property
    def state_file(self) -> Path:
        return self.folder / f"state/.pulumi/stacks/shop/{self.name}.json"

    def state(self) -> JSON:
        found: JSON = json.loads(self.state_file.read_text())["checkpoint"]["latest"]
        return found

    def pending(self) -> list[tuple[str, str]]:
        rows = self.state().get("pending_operations") or []
        return [(row["type"], row["resource"]["type"].rsplit(":", 1)[-1]) for row in rows]

    def recorded(self) -> set[str]:
        """`Kind/name` of every object that the state holds."""
        rows = [row for row in (self.state().get("resources") or []) if row["type"].startswith("kubernetes:")]
        return {f"{row['type'].rsplit(':', 1)[-1]}/{row['id'].rpartition('/')[2]}" for row in rows}

    def there(self) -> set[str]:
        """`Kind/name` of every object that is in the cluster, less what Kubernetes itself makes there."""
        kinds = (("v1", "ConfigMap"), ("v1", "Secret"), ("apps/v1", "Deployment"))
        found = {
            f"{kind}/{row['metadata']['name']}" for api, kind in kinds for row in self.kube.list(api, kind, self.name)
        }
        space = self.kube.find("v1", "Namespace", self.name)
        return {name for name in found | ({f"Namespace/{self.name}"} if space else set()) if "kube-root-ca" not in name}


@pytest.fixture
def shop(tmp_path: Path, sandbox: str, kubeconfig: Path) -> Iterator[Shop]:
    with connect(Cluster(kubeconfig, None)) as kube:
        shop = Shop(tmp_path, sandbox, kubeconfig, kube)
        try:
            yield shop
        finally:
            for space in (shop.name, f"turnout-{shop.name}"):
                with suppress(NotFound):
                    kube.delete("v1", "Namespace", space)


def engine_of(turnout: int) -> int | None:
    """The `pulumi` that a turnout has started."""
    return next((pid for pid, words in children(turnout) if words[0].endswith("pulumi")), None)


def children(parent: int) -> Iterator[tuple[int, list[str]]]:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            if (process / "stat").read_text().rpartition(")")[2].split()[1] == str(parent):
                yield int(process.name), (process / "cmdline").read_text().split("\0")


def killed(shop: Shop, victim: Callable[[int], int | None], *words: str, when: Callable[[], bool]) -> None:
    """Start a command, kill the victim as soon as `when` holds, and wait for the end of everything."""
    process = shop.start(*words)
    until = time.monotonic() + LIMIT
    while not when():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < until, "it never came to the point where it is to be killed"
        time.sleep(0.01)
    engine = engine_of(process.pid)
    target = victim(process.pid)
    assert target
    os.kill(target, signal.SIGKILL)
    process.communicate(timeout=LIMIT)
    while engine and Path(f"/proc/{engine}").exists() and time.monotonic() < until:
        time.sleep(0.05)


def converges(shop: Shop) -> None:
    assert shop.json("up", "--yes")["ok"]
    assert shop.json("preview", "--exit-code")["counts"].keys() == {"same"}
    assert shop.recorded() == shop.there()


def found(shop: Shop, *options: str, expect: int = 3) -> dict[str, tuple[str, str]]:
    """Of each operation: what was found, and what is to be done."""
    rows = shop.json("repair", *options, expect=expect)["findings"]
    return {row["what"].rsplit(",", 1)[0]: (row["found"], row["action"]) for row in rows if row["kind"] == "operation"}


def deployments(shop: Shop, **spec: int) -> Callable[[], bool]:
    """A Deployment is as it was asked for, so that the run now waits for its pods."""

    def there() -> bool:
        rows = shop.kube.list("apps/v1", "Deployment", shop.name)
        return any(row["spec"].items() >= spec.items() and row["spec"]["replicas"] for row in rows)

    return there


def test_a_create_that_was_cut_off_is_taken_into_the_state(shop: Shop) -> None:
    shop.deployment(1)
    shop.want("token", "v1", "Secret", named="token", stringData={"token": HUSH})
    killed(shop, engine_of, "up", shop.name, "--yes", when=deployments(shop))
    assert f"turnout repair {shop.name}" in shop.run("up", "--yes", expect=5)
    before = shop.state()
    assert found(shop)[f"creating Deployment {shop.name}/never"] == (
        "it is in the cluster, made by that run",
        "take the object into the state",
    )
    assert shop.state() == before, "only showing changes nothing"
    shop.run("repair", "--yes")
    assert (shop.pending(), shop.recorded()) == ([], shop.there())
    assert found(shop, expect=0) == {}
    shop.deployment(0)
    converges(shop)
    written = [file for file in shop.folder.rglob("*") if file.is_file() and file.name != "asked.json"]
    assert not [file for file in written if HUSH.encode() in file.read_bytes()]


def test_an_engine_whose_turnout_was_killed_ends_by_itself(shop: Shop) -> None:
    shop.deployment(1)
    killed(shop, lambda turnout: turnout, "up", shop.name, "--yes", when=deployments(shop))
    shop.run("repair", "--yes")
    assert (shop.pending(), shop.recorded()) == ([], shop.there())
    shop.deployment(0)
    converges(shop)


def test_a_create_that_is_not_in_the_cluster_is_forgotten_and_a_strangers_object_is_kept(shop: Shop) -> None:
    shop.deployment(1)
    killed(shop, engine_of, "up", shop.name, "--yes", when=deployments(shop))
    shop.kube.delete("apps/v1", "Deployment", "never", shop.name)
    until = time.monotonic() + LIMIT
    while shop.kube.find("apps/v1", "Deployment", "never", shop.name):
        assert time.monotonic() < until
        time.sleep(0.1)
    manifest = shop.objects["never"]["manifest"]
    other = {**manifest, "metadata": {"name": "never", "namespace": shop.name}}
    shop.kube.create(other, "kubectl-create")
    [(what, action)] = found(shop).values()
    assert ("not made by that run" in what, action) == (True, "")
    said = shop.run("repair", "--yes", expect=1)
    assert "pulumi import" in said
    assert shop.pending() == [("creating", "Deployment")]
    shop.kube.delete("apps/v1", "Deployment", "never", shop.name)
    while shop.kube.find("apps/v1", "Deployment", "never", shop.name):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert found(shop).popitem()[1][1] == "forget the operation"
    shop.run("repair", "--yes")
    shop.deployment(0)
    converges(shop)


@pytest.mark.parametrize("drifts", [False, True])
def test_an_update_that_was_cut_off_is_read_back(shop: Shop, drifts: bool) -> None:
    shop.deployment(0)
    shop.run("up", "--yes")
    old = shop.objects["never"]["manifest"]
    shop.deployment(1)
    killed(shop, engine_of, "up", shop.name, "--yes", when=deployments(shop))
    assert shop.pending() == [("updating", "Deployment")]
    assert found(shop).popitem()[1][0] == "the update is in the cluster"
    if drifts:
        shop.kube.apply(old, "turnout", force=True)
        assert found(shop).popitem()[1][0].startswith("the update is not in the cluster")
        shop.kube.apply({**old, "spec": {**old["spec"], "replicas": 5}}, "turnout", force=True)
        assert found(shop).popitem()[1][0].startswith("the cluster holds neither")
    shop.run("repair", "--yes")
    shop.deployment(0)
    converges(shop)


@pytest.mark.parametrize("named", ["", "never"])
def test_a_replacement_that_was_cut_off_ends_with_one_object(shop: Shop, named: str) -> None:
    """Without a name of its own the new object comes first, with one the old object goes first."""
    shop.deployment(0, named=named)
    shop.run("up", "--yes")
    shop.deployment(1, named=named, app="other")
    killed(shop, engine_of, "up", shop.name, "--yes", when=deployments(shop))
    shop.run("repair", "--yes")
    assert shop.recorded() == shop.there()
    shop.deployment(0, named=named, app="other")
    converges(shop)
    assert len([name for name in shop.there() if name.startswith("Deployment/")]) == 1


@pytest.mark.parametrize(("verb", "gone"), [("up", True), ("up", False), ("destroy", False)])
def test_a_deletion_that_was_cut_off_is_seen_to_its_end(shop: Shop, verb: str, gone: bool) -> None:
    held = {"kubernetes.io/finalizer-of-a-test": None}
    shop.want("held", "v1", "ConfigMap", named="held", data={"a": "b"})
    shop.run("up", "--yes")
    shop.kube.patch("v1", "ConfigMap", "held", shop.name, {"metadata": {"finalizers": list(held)}}, "test")
    if verb == "up":
        shop.forget("held")
    place = ("v1", "ConfigMap", "held", shop.name)
    killed(
        shop, engine_of, verb, shop.name, "--yes", when=lambda: "deletionTimestamp" in shop.kube.get(*place)["metadata"]
    )
    assert ("deleting", "ConfigMap") in shop.pending()
    if gone:
        shop.kube.patch(*place, {"metadata": {"finalizers": None}}, "test")
    said = found(shop)[f"deleting ConfigMap {shop.name}/held"][0]
    assert said.startswith("it is gone" if gone else "it is being deleted")
    letting_go = threading.Timer(4, lambda: shop.kube.patch(*place, {"metadata": {"finalizers": None}}, "test"))
    if not gone:
        letting_go.start()
    shop.run("repair", "--yes")
    assert (shop.pending(), shop.recorded()) == ([], shop.there())
    if verb == "up":
        converges(shop)
    else:
        shop.run("destroy", "--yes")
        assert shop.recorded() == set()


def test_what_lies_in_the_way_of_the_state_is_told_or_removed(shop: Shop) -> None:
    shop.run("up", "--yes")
    assert shop.run("repair").endswith("nothing to repair\n")
    sidecar = shop.state_file.with_name(f"{shop.state_file.name}.attrs")
    sidecar.write_text("")
    assert str(sidecar) in shop.run("repair", expect=3)
    shop.run("repair", "--yes")
    assert not sidecar.exists()
    lock = shop.state_file.parents[2] / f"locks/organization/shop/{shop.name}/{uuid.uuid4()}.json"
    lock.write_text(json.dumps({"pid": 7, "username": "ann", "hostname": "b-3", "timestamp": "2026-01-01T00:00:00Z"}))
    said = shop.run("repair", "--yes", expect=5)
    assert "ann@b-3" in said
    assert "--unlock" in said
    shop.run("repair", "--yes", "--unlock")
    assert not lock.exists()
    shop.state_file.write_bytes(shop.state_file.read_bytes()[:-50])
    said = shop.run("repair", "--yes", expect=1)
    assert f"turnout state restore {shop.name}" in said
    assert "backup 1" in said


def test_without_the_cluster_it_says_what_could_not_be_looked_at(shop: Shop) -> None:
    shop.deployment(1)
    killed(shop, engine_of, "up", shop.name, "--yes", when=deployments(shop))
    before, alive = shop.state(), shop.reach.read_text()
    shop.reach.write_text(re.sub(r"https://[^\s\"']+", "https://127.0.0.1:9", alive))
    said = shop.json("repair", "--yes", expect=1)
    assert said["unreachable"]
    assert [row["kind"] for row in said["settled"]] == ["state lock"]
    [left] = said["left"]
    assert left["found"].startswith("nobody could look")
    assert shop.state() == before
    shop.reach.write_text(alive)
    shop.run("repair", "--yes")
    assert shop.recorded() == shop.there()


def test_a_secret_that_is_known_by_its_name_alone_stays_closed(shop: Shop) -> None:
    """A provider that died in the middle leaves only what the engine's events tell, which is nothing secret."""
    shop.want("token", "v1", "Secret", named="token", stringData={"token": HUSH})
    shop.run("up", "--yes")
    whole = json.loads(shop.state_file.read_text())
    latest = whole["checkpoint"]["latest"]
    [token] = [row for row in latest["resources"] if row["type"].endswith(":Secret")]
    latest["resources"].remove(token)
    kept = {key: token[key] for key in ("urn", "custom", "type", "parent", "provider")}
    named = {key: token["inputs"][key] for key in ("apiVersion", "kind", "metadata")}
    latest["pending_operations"] = [{"type": "creating", "resource": {**kept, "inputs": named}}]
    shop.state_file.write_text(json.dumps(whole))
    shop.run("repair", "--yes")
    assert shop.recorded() == shop.there()
    written = [file.read_bytes() for file in (shop.folder / "state").rglob("*") if file.is_file()]
    assert not [data for data in written for text in (HUSH.encode(), b64encode(HUSH.encode())) if text in data]
    converges(shop)
    written = [file.read_bytes() for file in (shop.folder / "state").rglob("*") if file.is_file()]
    assert not [data for data in written for text in (HUSH.encode(), b64encode(HUSH.encode())) if text in data]
