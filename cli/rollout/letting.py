"""Whether what the settings describe may come in: asked before anything is touched, and before a preview.

The admission policy has the last word; here its answer is known beforehand, from the rendered program.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cli.kube import kinds
from cli.rollout import contents, cursor, pins
from cli.rollout.control import Manifest
from cli.rollout.pins import Content, Pin
from cli.rollout.plan import WORKLOADS
from components.names import ENVIRONMENT
from components.tracks import TRACK_LABEL

if TYPE_CHECKING:
    from cli.kube.client import Kube


def must_be_let_in(kube: Kube, environment: str, root: Path, what: str) -> None:
    """Raises Refused (exit 4) where the settings would bring back what was pinned out; nothing was touched."""
    if met := meets(kube, environment, root):
        raise pins.refusal(environment, met, what)


def meets(kube: Kube, environment: str, root: Path) -> list[tuple[Pin, str]]:
    """The pins that the settings would meet, each with the workload. The program is only read where there are pins."""
    found = pins.read(kube, environment)
    if not found.pins:
        return []
    return found.against(rendered(root, environment), running(kube, environment))


def rendered(root: Path, environment: str) -> dict[str, Content]:
    """What the settings want each workload to run."""
    from cli.engine.render import render

    graph = render(root, environment)
    return contents.of(one.reveal() for one in graph if one.is_kubernetes and one.kind in WORKLOADS)


def running(kube: Kube, environment: str) -> dict[str, Content]:
    """What each workload runs on the track that the settings describe."""
    at = cursor.read(kube, environment)
    found = [
        {"apiVersion": api_version, "kind": kind, **manifest}
        for api_version, kind in kinds.WORKLOADS
        for manifest in kube.list(api_version, kind, environment, labels=f"{ENVIRONMENT}={environment}")
    ]
    return contents.of(one for one in found if contents.runs(one) and _is_described(one, at))


def _is_described(manifest: Manifest, at: cursor.Cursor) -> bool:
    letter = contents.label(manifest, TRACK_LABEL)
    return letter in ("", at.of(contents.workload(manifest)).described)
