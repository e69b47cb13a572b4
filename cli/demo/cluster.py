"""The demo's Kubernetes: building its parts, starting it, and asking it things with kubectl."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli import paths
from cli.demo.project import NEW, OLD, Project
from cli.demo.terminal import Ran, Terminal
from cli.demo.traffic import Service
from cli.progress import Progress
from cli.sandbox import build, images, parts, prerequisites

NAMESPACE = "dev"
API = "deployment/api-a"
WITHOUT_PODS = (*parts.CONTROL_PLANE, *parts.SIMULATED, *parts.ENGINE)
APP_IMAGES = ("pause", "coredns", "postgres", "redis", *parts.MONITORING)


def build_everything(checkout: Path, progress: Progress) -> tuple[list[images.Image], float]:
    """Build what is missing; the images that the environment runs, and how many seconds it took."""
    began = time.monotonic()
    real = prerequisites.can_run_real_pods()
    build.ensure(parts.DEMO if real else WITHOUT_PODS, progress)
    made: list[images.Image] = []
    if real:
        made = [images.app_image(checkout / "examples" / "agents", version, "", progress) for version in (OLD, NEW)]
        made += images.ensure(APP_IMAGES, progress)
    return made, time.monotonic() - began


@dataclass(frozen=True)
class Cluster:
    """A running sandbox."""

    terminal: Terminal
    name: str
    kubectl: str

    def ask(self, *words: str) -> Any:
        """What kubectl says, as data."""
        return json.loads(self.terminal.ask(*self._command(*words), "--output=json").output or "{}")

    def run(self, *words: str) -> Ran:
        """Run kubectl, shown."""
        return self.terminal.run(*self._command(*words), show_as=["kubectl", *words])

    def identity(self) -> str:
        """Which cluster this is; another one with the same name has another identity."""
        return str(self.ask("get", "namespace", "kube-system")["metadata"]["uid"])

    def has_environment(self) -> bool:
        """Whether an environment was ever deployed into it."""
        names = [item["metadata"]["name"] for item in self.ask("get", "namespaces")["items"]]
        return NAMESPACE in names

    def service(self) -> Service:
        """Where the app's api is reached."""
        spec = self.ask("get", "service", "api", f"--namespace={NAMESPACE}")["spec"]
        return Service(spec["clusterIP"], spec["ports"][0]["port"])

    def undo(self) -> Ran:
        """`kubectl rollout undo` of the api, until its rollout is done."""
        began = self.run("rollout", "undo", API, f"--namespace={NAMESPACE}").began
        ended = self.run("rollout", "status", API, f"--namespace={NAMESPACE}").ended
        return Ran(began, ended)

    def disown(self) -> None:
        """Take kubectl's name off the fields that it wrote, so that they are turnout's again."""
        found = self.ask("get", API, f"--namespace={NAMESPACE}", "--show-managed-fields", "--ignore-not-found")
        entries = found.get("metadata", {}).get("managedFields", [])
        patch = [{"op": "remove", "path": f"/metadata/managedFields/{at}"} for at in written_by_kubectl(entries)]
        if patch:
            words = ("patch", API, f"--namespace={NAMESPACE}", "--type=json", f"--patch={json.dumps(patch)}")
            self.terminal.ask(*self._command(*words))

    def _command(self, *words: str) -> list[str]:
        return [self.kubectl, f"--kubeconfig={paths.sandbox_kubeconfig(self.name)}", *words]


def written_by_kubectl(entries: list[dict[str, Any]]) -> list[int]:
    """Places of kubectl's entries, last first, so that removing one does not move the others."""
    return [at for at, entry in reversed([*enumerate(entries)]) if entry["manager"].startswith("kubectl")]


def connect(terminal: Terminal, name: str, progress: Progress) -> Cluster:
    """The running sandbox `name`."""
    return Cluster(terminal, name, str(build.ensure(["kubectl"], progress)["kubectl"]))


def belongs(project: Project, cluster: Cluster) -> bool:
    """Whether the project's state describes this very cluster, or there is neither state nor environment yet."""
    remembered = project.folder / "cluster"
    if remembered.exists():
        return remembered.read_text() == cluster.identity()
    return not project.state.exists() and not cluster.has_environment()


def remember(project: Project, cluster: Cluster) -> None:
    """Write down which cluster the project's state describes."""
    (project.folder / "cluster").write_text(cluster.identity())
