"""Which cluster an environment lives in, from its settings file alone: reached even when the program is broken."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli import context, paths
from cli.errors import TurnoutError, UsageError

if TYPE_CHECKING:
    from cli.kube.client import Kube

SECTION = "turnout:cluster"


@dataclass(frozen=True)
class Cluster:
    """A kubeconfig file (None: as kubectl would find it) and one of its contexts (None: the current one)."""

    kubeconfig: Path | None
    context: str | None


def connect(environment: str, kubeconfig: Path | None = None, chosen: str | None = None) -> Kube:
    """A client of the environment's cluster; the options win over the settings file."""
    from cli.kube import client

    return client.connect(cluster(environment, kubeconfig, chosen))


def cluster(environment: str, kubeconfig: Path | None = None, chosen: str | None = None) -> Cluster:
    if kubeconfig or chosen:
        return Cluster(kubeconfig, chosen)
    return from_settings(_section(environment))


def from_settings(section: dict[str, Any]) -> Cluster:
    """`{sandbox: NAME}` or `{kubeconfig: PATH, context: NAME}`, both of them optional."""
    if name := section.get("sandbox"):
        return Cluster(paths.sandbox_kubeconfig(str(name)), None)
    path = section.get("kubeconfig")
    return Cluster(Path(str(path)).expanduser() if path else None, section.get("context"))


def checkout(environment: str) -> Path | None:
    """The project that we are in, where it describes that environment."""
    try:
        root = context.project()
    except TurnoutError:
        return None
    return root if _file(root, environment).is_file() else None


def _section(environment: str) -> dict[str, Any]:
    root = context.project()
    file = _file(root, environment)
    if not file.is_file():
        known = ", ".join(sorted(path.name.split(".")[1] for path in root.glob("Pulumi.*.yaml"))) or "none"
        raise UsageError(
            f"there is no environment {environment} in {root}",
            why=f"{file.name} does not exist; environments here: {known}",
            next="choose one of them, or name the cluster: --kubeconfig FILE --context NAME",
        )
    return _read(file).get("config", {}).get(SECTION) or {}


def _read(file: Path) -> dict[str, Any]:
    import yaml

    try:
        document = yaml.load(file.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise UsageError(
            f"{file.name} is not YAML",
            why=str(error).replace("\n", " "),
            next="mend the file, or name the cluster: --kubeconfig FILE --context NAME",
        ) from error
    return document if isinstance(document, dict) else {}


def _file(root: Path, environment: str) -> Path:
    return root / f"Pulumi.{environment}.yaml"
