"""Pulumi's JSON encoding of property values: secrets, unknowns, and property paths."""

from __future__ import annotations

import json
import re
from typing import Any

from cli import protocol
from cli.engine.model import ABSENT, SECRET, UNKNOWN

Path = tuple[str | int, ...]
_STEP = re.compile(r"""\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|\.?([^.\[\]]+)""")


def is_secret(value: Any) -> bool:
    """Whether this is an encoded secret."""
    return isinstance(value, dict) and value.get(protocol.SIGNATURE) == protocol.SECRET


def is_unknown(value: Any) -> bool:
    """Whether this is a value that is known only after an apply."""
    return isinstance(value, str) and value in protocol.UNKNOWNS


def shown(value: Any) -> Any:
    """The value with every secret and unknown replaced by its placeholder, at any depth."""
    if is_secret(value):
        return SECRET
    if is_unknown(value):
        return UNKNOWN
    if isinstance(value, dict):
        return {key: shown(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [shown(entry) for entry in value]
    return value


def contains(value: Any, placeholder: str) -> bool:
    """Whether a shown value holds the placeholder (`SECRET` or `UNKNOWN`) at any depth."""
    if isinstance(value, dict):
        return any(contains(entry, placeholder) for entry in value.values())
    if isinstance(value, list):
        return any(contains(entry, placeholder) for entry in value)
    return bool(value == placeholder)


def parse_path(text: str) -> Path:
    """`spec.ports[0]["a.b/c"]` as ("spec", "ports", 0, "a.b/c")."""
    steps: list[str | int] = []
    for quoted, index, name in _STEP.findall(text):
        if index:
            steps.append(int(index))
        else:
            steps.append(json.loads(f'"{quoted}"') if quoted else name)
    return tuple(steps)


def format_path(path: Path) -> str:
    """The property path as Pulumi writes it."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"[^.\[\]\"]+", step):
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step, ensure_ascii=False)}]"
    return text


def look_up(value: Any, path: Path) -> Any:
    """The value at `path`; ABSENT when there is none, SECRET when it lies within a secret."""
    for step in path:
        if value == SECRET or is_secret(value):
            return SECRET
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return ABSENT
    return value


def look_up_shown(value: Any, path: Path) -> Any:
    """As `look_up`, for a path as `differences` gives it: items of lists go by their name where they have one."""
    for step in path:
        named = by_name(value) if isinstance(step, str) else None
        value = look_up(named or value, (step,))
    return value


def differences(before: Any, after: Any, path: Path = ()) -> list[tuple[Path, Any, Any]]:
    """Every leaf that differs between two shown values, in a stable order."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [*before, *(key for key in after if key not in before)]
        found = [differences(before.get(key, ABSENT), after.get(key, ABSENT), (*path, key)) for key in keys]
        return [entry for entries in found for entry in entries]
    if by_name(before) and by_name(after):
        return differences(by_name(before), by_name(after), path)
    if isinstance(before, list) and isinstance(after, list):
        longest = max(len(before), len(after))
        found = [differences(_at(before, index), _at(after, index), (*path, index)) for index in range(longest)]
        return [entry for entries in found for entry in entries]
    return [] if before == after else [(path, before, after)]


def pruned(value: Any, shape: Any) -> Any:
    """Of `value` only what `shape` speaks of: what a server filled in beside it is no difference."""
    if isinstance(value, dict) and isinstance(shape, dict):
        return {key: pruned(value[key], entry) for key, entry in shape.items() if key in value}
    if (named := by_name(value)) and (wanted := by_name(shape)):
        return [pruned(entry, wanted.get(name, entry)) for name, entry in named.items()]
    return value


def by_name(items: Any) -> dict[str, Any] | None:
    """A list whose items all have a name of their own, as a mapping: so the order of its items is no difference."""
    if (
        not isinstance(items, list)
        or not items
        or not all(isinstance(entry, dict) and "name" in entry for entry in items)
    ):
        return None
    named = {str(entry["name"]): entry for entry in items}
    return named if len(named) == len(items) else None


def named_list(value: Any, path: Path) -> Path | None:
    """The outermost list on the way of `path` whose items have names."""
    for length in range(len(path)):
        if by_name(look_up(value, path[:length])):
            return path[:length]
    return None


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else ABSENT
