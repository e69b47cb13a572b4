"""Findings as SARIF 2.1.0, which code scanning of GitHub, GitLab and others takes (OASIS, errata 01).

A result names its settings file, with the line where it is known, and its object as a logical location. What is
excepted is a result with a suppression: so it is seen, counted and not raised.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from cli.report.plain import message, visible
from cli.review.model import Finding, Reviewed

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
Level = Literal["error", "warning", "note"]
_LEVELS: Final[dict[str, Level]] = {"mandatory": "error", "advisory": "warning"}


@dataclass(frozen=True)
class Described:
    """A rule. `help`: what to do about it; `tags`: what it is about."""

    id: str
    short: str
    help: str
    level: Level = "warning"
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """Something that was found. `places`: file and line, 0 where nobody knows it; `logical`: the object's full name.

    `key` stays the same while the finding does; `suppressed`: why it counts for nothing.
    """

    rule: str
    level: Level
    message: str
    places: tuple[tuple[str, int], ...] = ()
    logical: str = ""
    key: str = ""
    suppressed: str = ""
    properties: tuple[tuple[str, Any], ...] = ()


def text(reviews: Sequence[Reviewed], root: Path | None = None) -> str:
    """The policies' findings of reviews as a file's text. `root`: the checkout whose settings files are named."""
    if root is None:
        from cli.context import project

        root = project()
    return json.dumps(document(reviews, root), indent=2) + "\n"


def document(reviews: Iterable[Reviewed], root: Path) -> dict[str, Any]:
    """The policies' findings of reviews, with every rule of the pack."""
    from infra.policies import RULES

    rules = [_rule(rule) for rule in RULES]
    return log("policies", [*rules, *_OF_EXCEPTIONS], [found for review in reviews for found in _results(review, root)])


def log(name: str, rules: Iterable[Described], results: Iterable[Result]) -> dict[str, Any]:
    """One run of turnout. `name`: what was asked (`policies`), which keeps its runs apart from others."""
    described = list(rules)
    index = {rule.id: at for at, rule in enumerate(described)}
    driver = {
        "name": "turnout",
        "semanticVersion": _version(),
        "rules": [_described(rule) for rule in described],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"turnout/{name}/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"ROOT": {"description": {"text": "The root of the repository."}}},
        "results": [_result(result, index) for result in results],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _version() -> str:
    from importlib.metadata import version

    return version("turnout")


def _rule(rule: Any) -> Described:
    said = [f"Instead: {rule.remedy}."]
    said += [f"Supports: {'; '.join(map(str, rule.supports))}."] if rule.supports else []
    return Described(rule.id, _sentence(rule.why), "\n\n".join(said), _LEVELS[rule.levels.prod], ("policy",))


_OF_EXCEPTIONS: Final = (
    Described(
        "expired-exception",
        "An exception from a policy has ended, and the policy holds again.",
        "Mend what it was for, or agree on a later date.",
    ),
    Described(
        "unused-exception",
        "An exception from a policy matches nothing that breaks it.",
        "Take it out, or correct its pattern.",
    ),
)


def _described(rule: Described) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": rule.short},
        "fullDescription": {"text": rule.short},
        "help": {"text": rule.help, "markdown": rule.help},
        "defaultConfiguration": {"level": rule.level},
        "properties": {"tags": list(rule.tags)},
    }


def _results(review: Reviewed, root: Path) -> Iterable[Result]:
    from cli.report.places import Lines

    environment = review.plan.environment
    lines = Lines(root, environment)
    for each in review.findings:
        yield Result(
            rule=each.rule,
            level=_LEVELS.get(each.level, "note"),
            message=f"{environment}: {each.where}: {each.message}",
            places=((lines.file, lines.of(each)),),
            logical=each.urn or each.where,
            key=_key(environment, each),
            suppressed=each.excepted,
            properties=(("environment", environment), ("path", each.path), ("new", each.new)),
        )


def _key(environment: str, finding: Finding) -> str:
    return "|".join((environment, finding.rule, finding.where, finding.path, finding.message))


def _result(result: Result, index: dict[str, int]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "ruleId": result.rule,
        "level": result.level,
        "message": {"text": message(result.message)},
        "locations": _locations(result),
        "partialFingerprints": {"turnout/v1": hashlib.sha256(result.key.encode("utf-8", "replace")).hexdigest()},
        "properties": {name: visible(value) if isinstance(value, str) else value for name, value in result.properties},
    }
    if result.rule in index:
        made["ruleIndex"] = index[result.rule]
    if result.suppressed:
        made["suppressions"] = [{"kind": "external", "justification": message(result.suppressed)}]
    return made


def _locations(result: Result) -> list[dict[str, Any]]:
    """The first place has the object's name; without a place that name stands alone."""
    logical = {"logicalLocations": [{"fullyQualifiedName": visible(result.logical), "kind": "resource"}]}
    found = [{"physicalLocation": _physical(file, line)} for file, line in result.places] or [{}]
    return [found[0] | (logical if result.logical else {}), *found[1:]]


def _physical(file: str, line: int) -> dict[str, Any]:
    region = {"region": {"startLine": line}} if line else {}
    return {"artifactLocation": {"uri": file, "uriBaseId": "ROOT"}, **region}


def _sentence(said: str) -> str:
    return f"{said[:1].upper()}{said[1:]}."
