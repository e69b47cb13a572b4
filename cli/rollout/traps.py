"""The traps that an environment walks into: those of its settings file, and those of what its program declares."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from infra.traps import Trap, Version


def server(kube: Kube) -> Version | None:
    """The cluster's own version; None where it says none that is known."""
    from cli.kube.requests import Request
    from infra.traps import version

    return version(kube.request(Request("GET", "/version", "ask for the server's version")).json()["gitVersion"])


def found(root: Path, environment: str, declared: Iterable[dict[str, Any]], server: Version | None) -> list[Trap]:
    """All of them, each told once. `declared`: the objects, as the program asks for them."""
    from infra.traps import of_objects

    written = _of_file(root, environment)
    return [*written, *(trap for trap in of_objects(declared, server) if not _told(trap, written))]


def rendered(root: Path, environment: str, server: Version | None = None) -> list[Trap]:
    """The same without an engine or a cluster."""
    from cli.engine.render import render

    objects = [resource.inputs for resource in render(root, environment) if resource.is_kubernetes]
    return found(root, environment, objects, server)


def told(walked_into: Iterable[Trap]) -> list[str]:
    """One line for each trap, however many walk into it for the same reason."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for trap in walked_into:
        alike.setdefault((trap.name, trap.why, trap.fix), []).append(trap.where)
    return [
        f"{places[0]}{f' and {len(places) - 1} more' * (len(places) > 1)}: {why}; better: {fix}"
        for (_, why, fix), places in alike.items()
    ]


def _of_file(root: Path, environment: str) -> list[Trap]:
    """A project of another shape has no such settings."""
    from infra import document, settings
    from infra.traps import of_settings

    file = root / f"Pulumi.{environment}.yaml"
    try:
        return of_settings(settings.load(file, environment, placeholders=True), document.read(file).sections)
    except settings.SettingsError:
        return []


def _told(trap: Trap, written: Iterable[Trap]) -> bool:
    """Whether the settings that the object is made from have been warned of the same."""
    parts = (each.where.split(".")[2] for each in written if each.name == trap.name and each.where.count(".") > 2)
    return any(re.search(rf"/{re.escape(part)}(-[ab])?$", trap.where) for part in parts)
