"""Which changed field replaces an object, asked of the official plugin field by field."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cli.provider import paths
from cli.provider.replacements import TABLE
from tests.parity import plugin

Decisions = dict[str, dict[str, list[str]]]
DEPTH = 4
"""Steps below the object itself that are asked about, besides those that our own table names."""

_FIELDS = Path(plugin.__file__).parents[2] / "cli" / "provider" / "fields.json"
_OWN = ("status", "apiVersion", "kind", "metadata")
_QUESTIONS = (
    *("SelfSubjectReview", "TokenRequest", "TokenReview", "LocalSubjectAccessReview", "SelfSubjectAccessReview"),
    *("SelfSubjectRulesReview", "SubjectAccessReview", "ComponentStatus", "Scale", "Binding", "Eviction"),
)
"""Kinds that nobody keeps."""
_ELSEWHERE = {
    ("v1", "Secret"): ["type", "data", "stringData", "immutable"],
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): ["spec", "spec.group", "spec.scope", "spec.names.kind"],
    ("example.com/v1", "Widget"): ["spec", "spec.selector", "data", "type", "roleRef"],
}
"""Kinds that `fields.json` does not describe."""

Ask = Callable[[str, dict[str, Any], dict[str, Any]], Mapping[str, str]]
"""(type token, recorded outputs, new inputs) to the kind of each changed field."""


def decisions(ask: Ask) -> Decisions:
    """By kind: the fields whose change replaces, and those whose change does not."""
    return {f"{version}/{kind}": _decide(ask, version, kind, names) for (version, kind), names in cases().items()}


def cases() -> dict[tuple[str, str], list[str]]:
    """The fields that are asked about, by kind."""
    table = json.loads(_FIELDS.read_text())
    found = dict(_ELSEWHERE)
    for key, name in table["kinds"].items():
        version, _, kind = key.rpartition("/")
        if kind in _QUESTIONS:
            continue
        found[version, kind] = [paths.write(path) for path in _walk(table["types"], name, ())]
    for row, names in TABLE.items():
        known = found.setdefault(row, [])
        found[row] = list(dict.fromkeys([*known, *(name.replace("[*]", "[0]") for name in names)]))
    always = ["metadata.name", "metadata.namespace", "metadata.labels.app"]
    return {row: sorted({*names, *always}) for row, names in sorted(found.items())}


def _walk(types: Mapping[str, Mapping[str, str]], name: str, path: paths.Path) -> Iterator[paths.Path]:
    for key, code in types[name].items():
        if not path and key in _OWN:
            continue
        below: paths.Path = (*path, key)
        yield below
        while code[0] == "[":
            code, below = code[1:], (*below, 0)
        if code[0] == "@" and len(path) + 1 < DEPTH:
            yield from _walk(types, code[1:].rstrip("!"), below)


def _decide(ask: Ask, version: str, kind: str, names: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"replaces": [], "updates": [], "same": []}
    token = f"kubernetes:{version if '/' in version else f'core/{version}'}:{kind}"
    for name in names:
        old, new = (_with(version, kind, paths.parse(name), value) for value in ("a", "b"))
        fields = ask(token, {**old, "__inputs": old}, new)
        replaces = any(how.endswith("REPLACE") for how in fields.values())
        found["replaces" if replaces else "updates" if fields else "same"].append(name)
    return found


def _with(version: str, kind: str, path: paths.Path, value: str) -> dict[str, Any]:
    obj: dict[str, Any] = {"apiVersion": version, "kind": kind, "metadata": {"name": "n", "namespace": "n"}}
    inner: Any = value
    for step in reversed(path[1:]):
        inner = [inner] if isinstance(step, int) else {step: inner}
    first = str(path[0])
    obj[first] = {**obj.get(first, {}), **inner} if isinstance(inner, dict) else inner
    return obj
