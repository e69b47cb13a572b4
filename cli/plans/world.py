"""Looks at everything that a plan is bound to: the checkout, the state, the cluster, the tools."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cli import git
from cli.plans.saved import Digest, State, World, digest

if TYPE_CHECKING:
    from cli.engine.run import Engine
    from cli.kube.client import Kube
    from cli.rollout.cursor import Cursor

_FOLDERS: Final = ("infra", "components")
_TOOLKIT: Final = Path(__file__).resolve().parents[2]


def look(engine: Engine, kube: Kube) -> World:
    """The world as it is now. Raises KubeError or what the state store says."""
    from cli.kube.config import address
    from cli.rollout import cursor, pins

    root, environment = engine.root, engine.environment
    commit, clean = checkout(root, environment)
    return World(
        commit=commit,
        clean=clean,
        files=files(root, environment),
        state=state(engine),
        server=address(kube.endpoint.server),
        cluster=kube.get("v1", "Namespace", "kube-system")["metadata"]["uid"],
        tracks=tracks(cursor.read(kube, environment)),
        pins={pin.key: pin.text for pin in pins.read(kube, environment).pins},
        engine=_engine(engine),
        provider=_provider(),
        turnout=toolkit(root),
    )


def checkout(root: Path, environment: str) -> tuple[str, bool]:
    """The commit, and whether the files that matter are its own; no commit outside git."""
    commit = (git.said(root, "rev-parse", "HEAD") or "").strip()
    changed = git.said(root, "status", "--porcelain", "--", *_FOLDERS, "cli", *_settings(environment))
    return commit, bool(commit) and changed == ""


def files(root: Path, environment: str) -> dict[str, Digest]:
    """Each file that makes the environment, tracked by git or not, with a digest; secrets in settings are encrypted."""
    found = [path for folder in _FOLDERS for path in _inside(root / folder)]
    found += [path for name in _settings(environment) if (path := root / name).is_file()]
    return {path.relative_to(root).as_posix(): _of_file(path) for path in found}


def state(engine: Engine) -> State:
    """The state's last write, in any backend. What is secret in it is encrypted, or the engine would not have it."""
    from cli.engine import snapshot

    deployment = snapshot.read(engine).deployment
    resources = deployment.get("resources") or []
    written = str((deployment.get("manifest") or {}).get("time") or "") if resources else ""
    return State(digest=digest(deployment if resources else {}), written=written, resources=len(resources))


def tracks(at: Cursor) -> dict[str, str]:
    """Where each service stands, in words."""
    places = {
        service: f"{place.serving} serves, {place.described} is described, epoch {place.epoch}{_only(place.template)}"
        for service, place in at.places.items()
    }
    return {**places, **{service: f"one track{_only(only)}" for service, only in at.locks.items()}}


def toolkit(root: Path) -> str:
    """The version of turnout with a digest of its code, as far as it is not the project's own."""
    from importlib.metadata import version

    beside = [_TOOLKIT / name for name in _FOLDERS if (root / name).resolve() != _TOOLKIT / name]
    code = {path.relative_to(_TOOLKIT).as_posix(): _of_file(path) for path in _code([_TOOLKIT / "cli", *beside])}
    return f"{version('turnout')} ({digest(code)[:12]})"


def _settings(environment: str) -> tuple[str, str]:
    return "Pulumi.yaml", f"Pulumi.{environment}.yaml"


def _only(template: str) -> str:
    return f", only template {template}" if template else ""


def _engine(engine: Engine) -> str:
    from cli.engine import binary

    return f"pulumi {binary.find(engine.progress).version}"


def _provider(environment: Mapping[str, str] = os.environ) -> str:
    from cli.engine import attach

    variables = dict(environment)
    return attach.label(attach.choose(variables), variables)


def _inside(folder: Path) -> Iterator[Path]:
    """Files of a folder, less what Python makes of them."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
            yield path


def _code(folders: list[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from _inside(folder)


def _of_file(path: Path) -> Digest:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
