"""Which image of the app an environment runs, for another environment's settings to name. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cli.errors import TurnoutError
from cli.rollout.records import Record

IMAGE = re.compile(r"(?P<repository>[^@]+?):(?P<version>[^:@/]+)(?:@(?P<digest>sha256:[0-9a-f]{64}))?")


@dataclass(frozen=True)
class Image:
    """The app's image. `digest` is what decides; the version is for people."""

    repository: str
    version: str
    digest: str


def of_release(record: Record) -> Image:
    """The one image that all the app's workloads run in a release.

    Raises TurnoutError when they run several, or one that no digest names: a tag can be moved.
    """
    images = {image for workload in record.workloads for image in workload.images}
    if len(images) != 1:
        raise TurnoutError(
            f"{record.environment} does not run one image of the app",
            why=f"its workloads run {', '.join(sorted(images)) or 'none'}",
            next=f"turnout releases show {record.environment}",
        )
    return _parsed(images.pop(), record.environment)


def _parsed(reference: str, environment: str) -> Image:
    found = IMAGE.fullmatch(reference)
    if not found or not found["digest"]:
        raise TurnoutError(
            f"{environment} runs {reference}, which names no digest",
            why="a tag can be moved, so what was tested could not be told from what is promoted",
            next=f"set app.digest in Pulumi.{environment}.yaml, then turnout up {environment}",
        )
    return Image(found["repository"], found["version"], found["digest"])
