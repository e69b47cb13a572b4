"""Property paths as Pulumi writes them: `spec.containers[0].image`, `metadata.annotations["a.b/c"]`, `[*]`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

Path = tuple[str | int, ...]
ANY = "*"

_STEP = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|\[(\*)\]|\.?([^.\[\]"]+)')


def parse(text: str) -> Path:
    """The steps of a path. Raises ValueError."""
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise ValueError(f"not a property path: {text}")
        quoted, index, star, word = match.groups()
        steps.append(quoted.replace('\\"', '"') if quoted is not None else int(index) if index else star or word)
        at = match.end()
    return tuple(steps)


def write(path: Sequence[str | int]) -> str:
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.search(r'[."\[\]]', step):
            text += '["{}"]'.format(step.replace('"', '\\"'))
        else:
            text += f".{step}" if text else step
    return text


def covers(pattern: Path, path: Path) -> bool:
    """Whether `path` is at `pattern` or below it."""
    return len(path) >= len(pattern) and all(map(_fits, pattern, path))


def touches(pattern: Path, path: Path, value: Any) -> bool:
    """Whether setting `value` at `path` sets something at or below `pattern`; no list where one belongs does."""
    if len(path) >= len(pattern):
        return covers(pattern, path)
    return covers(pattern[: len(path)], path) and _within(value, pattern[len(path) :])


def _within(value: Any, pattern: Path) -> bool:
    if not pattern:
        return True
    first, rest = pattern[0], pattern[1:]
    if isinstance(value, dict):
        return first in value and _within(value[first], rest)
    if isinstance(value, list):
        return first == ANY and any(_within(item, rest) for item in value)
    return first == ANY and value is not None


def _fits(pattern: str | int, step: str | int) -> bool:
    return pattern in (step, ANY)


def get(value: Any, path: Path, default: Any = None) -> Any:
    """What is at a path of an object; `default` where there is nothing."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return default
    return value


def put(value: Any, path: Path, item: Any) -> Any:
    """A copy of `value` with `item` at a path whose parents exist; `value` itself where they do not."""
    return _changed(value, path, item)


def drop(value: Any, path: Path) -> Any:
    """A copy of `value` without what is at a path."""
    return _changed(value, path, _GONE)


_GONE = object()


def _changed(value: Any, path: Path, item: Any) -> Any:
    first, rest = path[0], path[1:]
    if isinstance(value, list) and isinstance(first, int) and first < len(value):
        new = item if not rest else _changed(value[first], rest, item)
        return [*value[:first], *([] if new is _GONE else [new]), *value[first + 1 :]]
    if not isinstance(value, dict):
        return value
    if rest:
        return {**value, first: _changed(value[first], rest, item)} if first in value else value
    if item is _GONE:
        return {key: old for key, old in value.items() if key != first}
    return {**value, first: item}


def expand(value: Any, pattern: Path) -> list[Path]:
    """The paths of an object that a pattern with `[*]` stands for; a pattern without is itself."""
    if ANY not in pattern:
        return [pattern]
    at = pattern.index(ANY)
    head, rest = pattern[:at], pattern[at + 1 :]
    there = get(value, head)
    if isinstance(there, dict):
        keys: list[Any] = list(there)
    else:
        keys = list(range(len(there))) if isinstance(there, list) else []
    return [path for key in keys for path in expand(value, (*head, key, *rest))]
