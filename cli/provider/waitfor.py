"""The expressions of `pulumi.com/waitFor`: `jsonpath={.status.phase}=Running` and `condition=Ready[=False]`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from cli.kube.health import Health
from cli.kube.pods import condition
from cli.kube.requests import Object

_STEP = re.compile(
    r"""\.([A-Za-z0-9_\-]+)|\[(\d+)\]|\[(\*)\]|\['([^']+)'\]|\["([^"]+)"\]"""
    r"""|\[\?\(@\.([A-Za-z0-9_.\-]+)\s*==\s*["']([^"']*)["']\)\]"""
)


def judge(obj: Object, expressions: Sequence[str]) -> Health:
    """Ready when every expression holds. Raises ValueError for one that cannot be read."""
    open_ones = [text for text in expressions if not holds(obj, text)]
    return Health(not open_ones, reason=f"waits for {' and '.join(open_ones)}" if open_ones else "")


def holds(obj: Object, expression: str) -> bool:
    form, _, rest = expression.partition("=")
    if form == "condition":
        kind, _, wanted = rest.partition("=")
        return str(condition(obj, kind).get("status", "")).lower() == (wanted or "true").lower()
    if form == "jsonpath":
        path, expected = _split(rest)
        found = [_text(value) for value in select(obj, path)]
        return bool(found) if expected is None else expected in found
    raise ValueError(f'pulumi.com/waitFor: expected "jsonpath=" or "condition=", got {expression!r}')


def select(obj: Any, path: str) -> list[Any]:
    """What a JSONPath (fields, indexes, `[*]`, and filters by equality) finds."""
    found: list[Any] = [obj]
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            raise ValueError(f"pulumi.com/waitFor: cannot read the path {path!r} at {path[at:]!r}")
        found = [item for value in found for item in _step(value, match)]
        at = match.end()
    return found


def _split(rest: str) -> tuple[str, str | None]:
    match = re.fullmatch(r"""['"]?\{?(?P<path>\.?[^{}]+)\}?['"]?(?:==?(?P<value>.*))?""", rest.strip())
    if rest.strip().startswith(("{", "'{")) and "}" in rest:
        head, _, tail = rest.partition("}")
        value = tail.lstrip("'\"").lstrip("=")
        return _dotted(head.strip("'\"{ ")), value.strip("'\"") if "=" in tail else None
    if match is None:
        raise ValueError(f"pulumi.com/waitFor: cannot read {rest!r}")
    path, _, value = rest.partition("=")
    return _dotted(path), value.strip("'\"") or None


def _dotted(path: str) -> str:
    return path if path.startswith((".", "[")) else f".{path}"


def _step(value: Any, match: re.Match[str]) -> Iterable[Any]:
    name, index, star, single, double, field, wanted = match.groups()
    key = name or single or double
    if key:
        return [value[key]] if isinstance(value, dict) and key in value else []
    rows = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
    if star:
        return rows
    if index:
        return rows[int(index) : int(index) + 1]
    return [row for row in rows if wanted in map(_text, select(row, f".{field}"))]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
