"""Whether each file loads, and says each thing once: YAML keeps the last of two equal keys without a word."""

from __future__ import annotations

from collections.abc import Iterator

from cli.validate.model import Finding, Level, Place
from cli.validate.project import Environment, Project
from cli.validate.written import Written, parse
from infra.document import PROJECT


def check(project: Project) -> Iterator[Finding]:
    for environment in project.environments.values():
        yield from _environment(environment)
    yield from _of_the_project(project)


def _environment(environment: Environment) -> Iterator[Finding]:
    yield from _broken(environment.written, environment.name)
    yield from _twice(environment.written, environment.name)
    for fault in () if environment.written.twice else environment.faults:
        place = Place(fault.file, fault.line, fault.path)
        remedy = f"edit {fault.file}; docs/settings.md lists every key"
        yield Finding("settings", Level.ERROR, (place,), fault.expected, remedy, environment.name)


def _broken(written: Written, environment: str = "") -> Iterator[Finding]:
    for place, words in written.faults:
        yield Finding("settings", Level.ERROR, (place,), f"not valid YAML: {words}", f"edit {place.file}", environment)


def _twice(written: Written, environment: str = "") -> Iterator[Finding]:
    for each in written.twice:
        message = f"is defined twice, in lines {each.first.line} and {each.second.line}"
        yield Finding(
            "defined-twice", Level.ERROR, (each.second, each.first), message, "keep one of the two", environment
        )


def _of_the_project(project: Project) -> Iterator[Finding]:
    """Pulumi also takes configuration from Pulumi.yaml: a second home for what the environments' files say."""
    file = project.root / "Pulumi.yaml"
    written = parse(file.name, file.read_text(encoding="utf-8"))
    yield from _broken(written)
    yield from _twice(written)
    for key in written.all:
        if key.path[0] == "config" and len(key.path) == 2 and key.path[1].partition(":")[0] == PROJECT:
            yield _beside(project, Place(file.name, key.line, key.dotted), key.path[1].partition(":")[2])


def _beside(project: Project, place: Place, section: str) -> Finding:
    others = [each.at(section) for each in project.environments.values() if each.says(section)]
    return Finding(
        "defined-elsewhere",
        Level.ERROR,
        (place, *others),
        "a setting outside the environments' own files, which then say only half of what holds",
        f"move it into Pulumi.<env>.yaml, or into the tiers' defaults of {PROJECT}:{section}",
    )
