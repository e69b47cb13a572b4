"""The expressions of `pulumi.com/waitFor`: `jsonpath={.status.phase}=Running` and `condition=Ready[=False]`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from cli.kube.health import Health
from cli.kube.requests import Object

_STEP = re.compile(
    r"""\.([A-Za-z0-9_\-]+)|\[(\d+)\]|\[(\*)\]|\['([^']+)'\]|\["([^"]+)"\]"""
    r"""|\[\?\(@\.([A-Za-z0-9_.\-]+)\s*==\s*["']([^"']*)["']\)\]"""
)


def judge(obj: Object, expressions: Sequence[str]) -> Health:
    """Ready when every expression holds. Raises ValueError for one that cannot be read."""
    open_ones = [text for text in expressions if not holds(obj, text)]
    return Health(not open_ones, reason=f"waits for {' and '.join(open_ones)}" if open_ones else "")


def faults(expressions: Iterable[str]) -> list[str]:
    """What is wrong with expressions, to be told before anything is made."""
    found = []
    for text in expressions:
        try:
            holds({}, text)
        except ValueError as error:
            found.append(str(error))
    return found


def holds(obj: Object, expression: str) -> bool:
    """Whether an expression holds, told by a status that is of the present generation. Raises ValueError."""
    form, _, rest = expression.partition("=")
    if form == "condition":
        return _has_condition(obj, *rest.partition("=")[::2])
    if form == "jsonpath":
        path, expected = _split(rest)
        found = [_text(value) for value in select(obj, path)][:1]
        return _is_current(obj, obj.get("status")) and (bool(found) if expected is None else expected in found)
    raise ValueError(f'pulumi.com/waitFor: expected "jsonpath=" or "condition=", got {expression!r}')


def _has_condition(obj: Object, kind: str, wanted: str) -> bool:
    rows = (obj.get("status") or {}).get("conditions") or []
    row: Object = next((row for row in rows if str(row.get("type")).lower() == kind.lower()), {})
    teller = row if "observedGeneration" in row else obj.get("status")
    return _is_current(obj, teller) and str(row.get("status", "")).lower() == (wanted or "true").lower()


def _is_current(obj: Object, teller: Any) -> bool:
    """Whether what tells the status has seen the object's present generation, as far as it says."""
    seen = (teller or {}).get("observedGeneration")
    return not isinstance(seen, int) or seen >= (obj.get("metadata") or {}).get("generation", 0)


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
