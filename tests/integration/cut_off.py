"""A project of its own whose runs are killed in the middle, and what is asked of it afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from cli.engine import environ
from cli.kube.client import Kube, connect
from cli.kube.errors import NotFound
from cli.rollout.where import Cluster
from cli.sandbox.processes import start_time
from tests.harness import COMMAND, eventually

JSON = dict[str, Any]
LIMIT = 90.0

_PACKAGE = "from pkgutil import extend_path\n\n__path__ = extend_path(__path__, __name__)\n"
_PROGRAM = """
import json
from pathlib import Path

import pulumi

from cli.engine.settle import type_token
from cli.provider import VERSION


def program() -> None:
    asked = json.loads(Path("asked.json").read_text())
    provider = pulumi.ProviderResource("kubernetes", "cluster", {"kubeconfig": asked["kubeconfig"]})
    made = {}
    for entry in asked["objects"]:
        options = pulumi.ResourceOptions(
            provider=provider, depends_on=list(made.values())[:1], version=VERSION,
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
        assert process.returncode == expect, (
            f"turnout {verb}: exit {process.returncode}\n{process.stderr}{process.stdout}"
        )
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

    def due() -> bool:
        if when():
            return True
        assert process.poll() is None, process.communicate()[0]
        return False

    eventually(due, "the point where it is to be killed", every=0.01)
    engine = engine_of(process.pid)
    target = victim(process.pid)
    assert target
    os.kill(target, signal.SIGKILL)
    process.communicate(timeout=LIMIT)
    if engine:
        eventually(lambda: start_time(engine) is None, "its engine has ended", every=0.05)


def converges(shop: Shop) -> None:
    assert shop.json("up", "--yes")["ok"]
    assert shop.json("preview", "--exit-code")["environments"][0]["counts"].keys() == {"same"}
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
