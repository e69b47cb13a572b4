"""Which cluster an environment lives in, from its settings file alone: reached even when the program is broken."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli import context, paths
from cli.errors import TurnoutError, UsageError

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from cli.kube.errors import KubeError

SECTION = "turnout:cluster"


@dataclass(frozen=True)
class Cluster:
    """A kubeconfig file (None: as kubectl would find it) and one of its contexts (None: the current one)."""

    kubeconfig: Path | None
    context: str | None


def connect(environment: str, kubeconfig: Path | None = None, chosen: str | None = None) -> Kube:
    """A client of the environment's cluster; the options win over the settings file."""
    from cli.kube import client
    from cli.kube.operations import Server

    return client.connect(cluster(environment, kubeconfig, chosen), server=Server(explain=_explaining(environment)))


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


def is_sandbox(environment: str) -> bool:
    """Whether the settings here say that it lives in a sandbox, which pulls no images."""
    root = checkout(environment)
    return root is not None and bool(_in(_file(root, environment)).get("sandbox"))


def checkout(environment: str) -> Path | None:
    """The project that we are in, where it describes that environment."""
    try:
        root = context.project()
    except TurnoutError:
        return None
    return root if _file(root, environment).is_file() else None


def own_checkout(kube: Kube, environment: str, kubeconfig: Path | None, chosen: str | None) -> Path | None:
    """The project that we are in, where that very cluster is what its settings mean: only then its state is of it.

    The options are what `kube` was connected with. Settings or a kubeconfig that cannot be read mean no cluster.
    """
    root = checkout(environment)
    if root is None or not (kubeconfig or chosen):
        return root
    with suppress(TurnoutError, OSError, ValueError):
        return root if _server(environment) == kube.endpoint.server else None
    return None


def _server(environment: str) -> str:
    from cli.kube.config import endpoint

    own = from_settings(_section(environment))
    return endpoint(own.kubeconfig, own.context).server


def _explaining(environment: str) -> Callable[[KubeError], KubeError]:
    def explained(error: KubeError) -> KubeError:
        from cli.rollout.rights import Explained

        return Explained(environment)(error)

    return explained


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
    return _in(file)


def _in(file: Path) -> dict[str, Any]:
    """The section of a settings file; empty where it has none."""
    config = _read(file).get("config")
    section = config.get(SECTION) if isinstance(config, dict) else None
    return section if isinstance(section, dict) else {}


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
