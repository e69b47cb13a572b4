"""No secret's plain text, nor its base64, is in anything that runs leave behind, print, or pass to other processes.

Every secret is made for the run and stands in another kind of place; applied, refreshed, failed, killed, repaired.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from cli.engine import secrets as sealing
from tests.harness import eventually
from tests.integration.small import LIMIT, Small, ended, small
from tests.planting import forms

pytestmark = pytest.mark.cluster

PLACES = (
    "string_data",
    "data",
    "whole_data",
    "map_value",
    "environment_variable",
    "annotation",
    "kubeconfig",
    "setting",
    "output",
    "nested_output",
    "component",
    "refused",
    "pending",
)
SOURCE = "values.json"
"""Where the program gets them from; this file, and the test's own process, are not looked at."""

PROGRAM = """\
import base64
import json
from pathlib import Path

import pulumi

from cli.provider import VERSION


def program():
    shape, plain = (json.loads(Path(name).read_text()) for name in ("shape.json", "values.json"))
    hidden = {place: pulumi.Output.secret(value) for place, value in plain.items()}
    encoded = hidden["data"].apply(lambda value: base64.b64encode(value.encode()).decode())
    space = shape["namespace"]
    config = Path("kubeconfig").read_text() + "# " + plain["kubeconfig"] + "\\n"
    cluster = pulumi.ProviderResource("kubernetes", "cluster", {"kubeconfig": pulumi.Output.secret(config)})
    group = pulumi.ComponentResource("small:index:Group", "group", {"hidden": hidden["component"]})

    def make(kind, name, body, version="v1", after=(), annotations=None, **metadata):
        metadata = {"name": name, "annotations": annotations or {}, **metadata}
        if kind != "Namespace":
            metadata["namespace"] = space
        manifest = {"apiVersion": version, "kind": kind, "metadata": metadata, **body}
        token = f"kubernetes:{version if '/' in version else 'core/v1'}:{kind}"
        options = pulumi.ResourceOptions(provider=cluster, depends_on=list(after), parent=group, version=VERSION)
        return pulumi.CustomResource(token, f"{kind}-{name}", manifest, options)

    first = make("Namespace", space, {})
    make("Secret", "one", {"stringData": {"key": hidden["string_data"]}}, after=[first])
    make("Secret", "two", {"data": {"key": encoded}}, after=[first])
    whole = {"stringData": hidden["whole_data"].apply(lambda value: {"key": value, "round": str(shape["maps"])})}
    make("Secret", "three", whole, after=[first])
    setting = pulumi.Config("small").require_secret("password")
    data = {"value": hidden["map_value"], "setting": setting, "round": str(shape["maps"])}
    make("ConfigMap", "values", {"data": data}, after=[first], annotations={"hidden": hidden["annotation"]})
    variable = {"name": "HIDDEN", "value": hidden["environment_variable"]}
    container = {"name": "main", "image": "nowhere.invalid/never:1", "env": [variable]}
    template = {"metadata": {"labels": {"app": "main"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 1 if shape["never"] else 0, "selector": {"matchLabels": {"app": "main"}}, "template": template}
    make("Deployment", "main", {"spec": spec}, "apps/v1", [first])
    if shape["never"]:
        make("Secret", "pending", {"stringData": {"key": hidden["pending"]}}, after=[first])
    if shape["refused"]:
        refused = {"hidden": hidden["refused"].apply(lambda value: f"no label! {value}")}
        make("ConfigMap", "refused", {"data": {"key": hidden["refused"]}}, after=[first], labels=refused)
    if shape["crash"]:
        raise RuntimeError("the program is broken")
    pulumi.export("hidden", hidden["output"])
    pulumi.export("nested", {"deep": [hidden["nested_output"]]})
"""


@pytest.fixture
def project(tmp_path: Path, sandbox: str, kubeconfig: Path) -> Iterator[Small]:
    with small(tmp_path, sandbox, kubeconfig, PROGRAM) as project:
        yield project


class Spy:
    """Looks at what commands write and pass on, while they run and afterwards."""

    def __init__(self, project: Small, hidden: Mapping[str, str]) -> None:
        self._project = project
        self._forms = {place: forms(value) for place, value in hidden.items()}
        self._ended = threading.Event()
        self.processes: set[str] = set()
        self.found: set[str] = set()

    @contextmanager
    def watching(self) -> Iterator[None]:
        watch = threading.Thread(target=self._watch)
        watch.start()
        try:
            yield
        finally:
            self._ended.set()
            watch.join()

    def look(self, where: str, content: bytes) -> None:
        for place, texts in self._forms.items():
            if any(text in content for text in texts):
                self.found.add(f"{place}: in {where}")

    def look_at_files(self) -> int:
        seen = 0
        for file in self._project.folder.rglob("*"):
            with suppress(OSError):
                if file.is_file() and file.name != SOURCE:
                    self.look(str(file.relative_to(self._project.folder)), file.read_bytes())
                    seen += 1
        return seen

    def _watch(self) -> None:
        while not self._ended.wait(0.2):
            self._look_at_processes()
            self.look_at_files()

    def _look_at_processes(self) -> None:
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if process.name != str(os.getpid()) and (process / "cwd").readlink() == self._project.folder:
                    command = (process / "cmdline").read_bytes()
                    self.processes.add(Path(command.split(b"\0")[0].decode()).name)
                    self.look(f"arguments of {command!r}", command)
                    self.look(f"environment of {command!r}", (process / "environ").read_bytes())


def told(project: Small, spy: Spy, *words: str, expect: int | None) -> subprocess.CompletedProcess[str]:
    done = project.run(*words, expect=expect)
    spy.look(f"the output of turnout {' '.join(words)}", (done.stdout + done.stderr).encode())
    return done


def ask_for(project: Small, rounds: int, *, never: bool = False, refused: bool = False, crash: bool = False) -> None:
    shape = {"namespace": project.environment, "maps": rounds, "never": never, "refused": refused, "crash": crash}
    (project.folder / "shape.json").write_text(json.dumps(shape))


def prepare(project: Small) -> dict[str, str]:
    """The secrets, where the program finds them; one of them sealed in the settings, as `turnout init` does."""
    hidden = {place: f"hush-{secrets.token_hex(12)}" for place in PLACES}
    (project.folder / SOURCE).write_text(json.dumps(hidden))
    settings = project.folder / f"Pulumi.{project.environment}.yaml"
    crypter = sealing.create((project.folder / "passphrase").read_text())
    sealed = f"  small:password:\n    secure: {crypter.encrypt(hidden['setting'])}\n"
    settings.write_text(f"encryptionsalt: {crypter.salt}\n{settings.read_text()}{sealed}")
    project.variables["TMPDIR"] = str(project.folder / "tmp")
    (project.folder / "tmp").mkdir()
    return hidden


def killed_while_it_waits(project: Small, spy: Spy) -> None:
    process = project.start("up", project.environment, "--yes", "--json")
    place = ("v1", "Secret", "pending", project.environment)
    eventually(lambda: project.kube.find(*place) or process.poll() is not None, "the last Secret is there")
    time.sleep(1)
    os.kill(process.pid, signal.SIGKILL)
    done = ended(process)
    spy.look("the output of a killed up", (done.stdout + done.stderr).encode())


def repaired(project: Small, spy: Spy) -> bool:
    return told(project, spy, "repair", project.environment, "--yes", "--json", expect=None).returncode == 0


def test_no_secret_is_written_printed_or_passed_on(project: Small) -> None:
    hidden = prepare(project)
    spy, environment = Spy(project, hidden), project.environment
    with spy.watching():
        for rounds, (words, code) in enumerate(
            [
                (("preview", environment, "--json"), 0),
                (("up", environment, "--yes"), 0),
                (("up", environment, "--yes", "--json"), 0),
                (("refresh", environment, "--json"), 0),
            ]
        ):
            ask_for(project, rounds)
            told(project, spy, *words, expect=code)
        ask_for(project, 10, crash=True)
        told(project, spy, "up", environment, "--yes", expect=1)
        ask_for(project, 11, refused=True)
        refused = told(project, spy, "up", environment, "--yes", expect=1)
        assert 'Invalid value: "[secret]"' in refused.stdout + refused.stderr, "it was refused for its label"
        told(project, spy, "preview", environment, expect=1)
        ask_for(project, 12, never=True)
        killed_while_it_waits(project, spy)
        ask_for(project, 13)
        eventually(lambda: repaired(project, spy), "repair settles what was killed", seconds=LIMIT)
        for words in (("up", environment, "--yes"), ("history", environment, "--json"), ("status", environment)):
            told(project, spy, *words, expect=None)
        told(project, spy, "history", environment, expect=0)
        live = project.kube.get("v1", "Secret", "one", environment)
        assert base64.b64decode(live["data"]["key"]).decode() == hidden["string_data"], "it did arrive"
        told(project, spy, "destroy", environment, "--yes", expect=0)
    assert spy.look_at_files() > 20
    assert "pulumi" in spy.processes
    for kind in ("ConfigMap", "Lease"):
        version = "v1" if kind == "ConfigMap" else "coordination.k8s.io/v1"
        spy.look(f"{kind}s of turnout", json.dumps(project.kube.list(version, kind, f"turnout-{environment}")).encode())
    assert sorted(spy.found) == []


def test_the_spy_sees_what_it_looks_for(project: Small) -> None:
    spy = Spy(project, {"plain": "hush-plain-0123456789", "coded": "hush-coded-0123456789"})
    (project.folder / "leak").write_text("x hush-plain-0123456789 x")
    (project.folder / "leak2").write_bytes(base64.b64encode(b"password=hush-coded-0123456789&x"))
    spy.look_at_files()
    assert spy.found == {"plain: in leak", "coded: in leak2"}
    with spy.watching(), subprocess.Popen(["sleep", "1"], cwd=project.folder) as one:
        one.wait(LIMIT)
    assert spy.processes == {"sleep"}
