"""Secrets: whether each required one is there, how old its ciphertext is, and values in plain text that are one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any, Final

from cli.validate.blame import Line, lines
from cli.validate.model import Finding, Level
from cli.validate.needless import leaves
from cli.validate.project import Environment, Project
from components.secret import KEY_BLOCK, called_secret
from infra import sealed
from infra.document import encrypted, place_text
from infra.faults import Place

_IN_URL: Final = re.compile(r"://[^/\s:@]+:[^/\s@$]+@")


def check(project: Project) -> Iterator[Finding]:
    for environment in project.environments.values():
        yield from _missing(environment)
        yield from _old(project, environment)
        yield from _in_plain_text(environment)
    yield from _copied(project)


def ciphertexts(environment: Environment) -> dict[Place, str]:
    """Each encrypted setting's ciphertext."""
    found = (
        leaf
        for section, content in environment.sections.items()
        for leaf in leaves(content, (section,), whole_lists=False)
    )
    return {place: str(value["secure"]) for place, value in found if encrypted(value)}


def _missing(environment: Environment) -> Iterator[Finding]:
    """A file that was never initialised is one that nobody applies yet."""
    if environment.settings is None:
        return
    absent = sealed.absent(environment.sections, environment.name)
    remedy = f"turnout init {environment.name}"
    if absent and not environment.initialised:
        names = ", ".join(place_text(leaf.section, leaf.path) for leaf in absent)
        message = f"has no secrets yet; it needs {names}"
        yield environment.finding("secret-missing", Level.NOTE, environment.at(absent[0].section), message, remedy)
        return
    for leaf in absent:
        message = f"the secret {place_text(leaf.section, leaf.path)} is required, but missing"
        where = environment.at(leaf.section, *leaf.path)
        yield environment.finding("secret-missing", Level.ERROR, where, message, remedy)


def _old(project: Project, environment: Environment) -> Iterator[Finding]:
    found = ciphertexts(environment)
    if not found or environment.settings is None:
        return
    longest = timedelta(days=environment.settings.review.secrets.max_age_days)
    written = lines(project.root, environment.file)
    for place in found:
        line = written.get(environment.read.line((*place, "secure")))
        if line and line.at and project.now - line.at > longest:
            yield _too_old(environment, place, line, project.now, longest)


def _too_old(environment: Environment, place: Place, line: Line, now: datetime, longest: timedelta) -> Finding:
    assert line.at is not None
    message = f"was last set {(now - line.at).days} days ago (commit {line.commit[:10]}), and may be {longest.days} old"
    remedy = f"rotate it: pulumi config set --secret --path '{place_text(str(place[0]), place[1:])}'"
    return environment.finding("secret-old", Level.WARNING, environment.at(*place), message, remedy)


def _in_plain_text(environment: Environment) -> Iterator[Finding]:
    for section, content in environment.sections.items():
        for place, value in leaves(content, (section,), whole_lists=False):
            if why := _looks_secret(place, value):
                message = f"{why}; everybody who reads the repository reads it"
                remedy = "make it a secret file of the part (`secrets`), and change it: it has been in the open"
                yield environment.finding("secret-in-plain-text", Level.ERROR, environment.at(*place), message, remedy)


def _looks_secret(place: Place, value: Any) -> str:
    if "env" in place[:-1] and called_secret(str(place[-1]), value):
        return "a variable whose name calls it a secret, in plain text"
    if isinstance(value, str) and _IN_URL.search(value):
        return "an address with a password in it"
    if isinstance(value, str) and KEY_BLOCK.search(value):
        return "a private key"
    return ""


def _copied(project: Project) -> Iterator[Finding]:
    for one, other in combinations(project.environments.values(), 2):
        theirs: Mapping[str, Place] = {text: place for place, text in ciphertexts(other).items()}
        for place, text in ciphertexts(one).items():
            if text in theirs:
                places = (other.at(*theirs[text]), one.at(*place))
                message = f"{one.name} and {other.name} have the same ciphertext: one secret for two environments"
                remedy = f"set another one for {other.name}"
                yield Finding("secret-shared", Level.WARNING, places, message, remedy, other.name)
