"""Images: by digest outside dev, no tag that anybody may move; and values that are still those of the example."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from cli.validate.model import Finding, Level, Place
from cli.validate.needless import leaves
from cli.validate.project import Environment, Project
from components import versions
from infra.model import Settings

_VERSIONS: Final = "components/versions.py"
_MOVING: Final = frozenset({"latest", "main", "master", "edge", "stable", "nightly", "dev"})
_EXAMPLE: Final = re.compile(r"\bexample\.(com|org|net)\b|^example/|^sha256:(.)\2{63}$")
"""Names that are nobody's (RFC 2606), and a digest that no image has."""


def check(project: Project) -> Iterator[Finding]:
    yield from _third_party(project)
    for environment, settings in project.settings():
        yield from _app(environment, settings)
        yield from _examples(environment)


def _third_party(project: Project) -> Iterator[Finding]:
    file = project.root / _VERSIONS
    if not file.is_file():
        return
    lines = file.read_text(encoding="utf-8").splitlines()
    for name, reference in versions.IMAGES.items():
        if "@sha256:" not in reference:
            line = next((at for at, text in enumerate(lines, 1) if f'"{reference}"' in text), 0)
            place = Place(_VERSIONS, line, name)
            message = f"{reference} has no digest: its tag can be moved"
            yield Finding("image-not-pinned", Level.ERROR, (place,), message, "add `@sha256:…` of the image's index")


def _app(environment: Environment, settings: Settings) -> Iterator[Finding]:
    """A sandbox runs the image that was built on this machine, which no digest could name beforehand."""
    app = settings.app
    where = environment.at("app", "version")
    if app.version in _MOVING:
        message = f"`{app.version}` is a tag that moves: nobody can tell which release it was"
        yield environment.finding("image-not-pinned", Level.WARNING, where, message, "name a version")
    if settings.tier != "dev" and not app.digest and not settings.cluster.sandbox:
        message = f"tier {settings.tier} runs an image by its tag, which can be moved"
        remedy = f"turnout promote … {environment.name}, or add its digest"
        yield environment.finding("image-not-pinned", Level.ERROR, where, message, remedy)


def _examples(environment: Environment) -> Iterator[Finding]:
    for section, content in environment.sections.items():
        for place, value in leaves(content, (section,), whole_lists=False):
            if example := _example(value):
                message = f"`{example}` is an example's, not yours"
                remedy = "put your own there before you apply it"
                yield environment.finding("example-value", Level.NOTE, environment.at(*place), message, remedy)


def _example(value: Any) -> str:
    if not isinstance(value, str) or not _EXAMPLE.search(value):
        return ""
    return value if len(value) <= 40 else f"{value[:39]}…"
