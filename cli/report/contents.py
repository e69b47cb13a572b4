"""What differs between two contents of a configuration file: rules by rule, dashboards by panel, all else by line.

Rule files are Prometheus's and Loki's (`groups`, each with `rules`), dashboards Grafana's JSON model (`panels`).
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.report import plain

_CONTEXT = 2
_MOST_LINES = 6000
"""Of one side: a longer text is not compared line by line, which takes quadratic time."""
_MOST_TEXT = 2_000_000
_LONGEST_LINE = 400
_ALIAS = re.compile(r"(?:^|[\s\[,])[&*]\w")
"""YAML's references can make a small text mean a huge document; such a file is compared as text."""
_RULE_FIELDS = ("expr", "for", "keep_firing_for", "labels", "annotations")


@dataclass(frozen=True)
class DiffLine:
    """One line of a difference. `mark`: `+`, `-`, a blank for what is the same, `@` for a heading."""

    mark: str
    text: str


def difference(name: str, before: str, after: str) -> tuple[DiffLine, ...]:
    """What differs between two contents of the file `name`; one side may be empty. Harmless to show."""
    if max(len(before), len(after)) > _MOST_TEXT:
        return (DiffLine("@", f"too long to compare: {len(before):,} and {len(after):,} characters"),)
    found = _structured(name, before, after)
    return (_lines(before, after) if found is None else found) or _formatting(before, after)


def _structured(name: str, before: str, after: str) -> tuple[DiffLine, ...] | None:
    """What differs in meaning; None for what is not known to have one."""
    old, new = _parsed(name, before), _parsed(name, after)
    if _has(old, "groups") and _has(new, "groups"):
        return _rules(old, new)
    if _has(old, "panels") and _has(new, "panels"):
        return _dashboard(old, new)
    if name.endswith(".json") and old is not None and new is not None:
        return _lines(_pretty(old), _pretty(new))
    return None


def _parsed(name: str, content: str) -> Any:
    """The document in a file; None for what is none, and for YAML that means no rules (parsing it takes long)."""
    try:
        if name.endswith(".json"):
            return json.loads(content)
        if name.endswith((".yaml", ".yml", ".rules")) and ("groups:" in content or not content.strip()):
            return _yaml(content) if content.strip() else {"groups": []}
    except (ValueError, RecursionError):
        return None
    return None


def _yaml(content: str) -> Any:
    import yaml

    if _ALIAS.search(content):
        return None
    try:
        return yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ValueError from error


def _has(document: Any, key: str) -> bool:
    entries = document.get(key) if isinstance(document, dict) else None
    return isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)


def _rules(old: Any, new: Any) -> tuple[DiffLine, ...]:
    before, after = _by_rule(old), _by_rule(new)
    return tuple(line for key in _keys(before, after) for line in _rule(key, before.get(key), after.get(key)))


def _by_rule(document: Any) -> dict[str, Mapping[str, Any]]:
    """Every rule by what it is called; of those of the same name and group, the second has a number."""
    found: dict[str, Mapping[str, Any]] = {}
    for group in document["groups"]:
        rules = group.get("rules")
        for rule in rules if isinstance(rules, list) else ():
            if isinstance(rule, dict):
                found[_unused(_called(group, rule), found)] = rule
    return found


def _called(group: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
    kind = "alert" if "alert" in rule else "record"
    return f"{kind} {plain.name(str(rule.get(kind, '')))} (group {plain.name(str(group.get('name', '')))})"


def _unused(name: str, taken: Mapping[str, Any]) -> str:
    number = 2
    unused = name
    while unused in taken:
        unused, number = f"{name} #{number}", number + 1
    return unused


def _rule(key: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Iterator[DiffLine]:
    if before == after:
        return
    word = "added" if before is None else "removed" if after is None else "changed"
    yield DiffLine("@", f"{key} {word}")
    old, new = _fields(before or {}), _fields(after or {})
    for name in _keys(old, new):
        yield from _field(name, old.get(name), new.get(name))


def _fields(rule: Mapping[str, Any]) -> dict[str, str]:
    """The rule's fields; labels and annotations each by name."""
    found: dict[str, str] = {}
    for name in _RULE_FIELDS:
        given = rule.get(name)
        if isinstance(given, dict):
            found |= {f"{name[:-1]} {key}": str(entry) for key, entry in given.items()}
        elif given is not None:
            found[name] = str(given)
    return found


def _field(name: str, before: str | None, after: str | None) -> Iterator[DiffLine]:
    if before == after:
        return
    for mark, side in (("-", before), ("+", after)):
        if side is not None:
            yield from (_line(mark, text) for text in _spread(f"{plain.name(name)}: ", side))


def _spread(label: str, text: str) -> Iterator[str]:
    for index, line in enumerate(text.strip().splitlines() or [""]):
        yield (label if index == 0 else " " * len(label)) + line


def _dashboard(old: Any, new: Any) -> tuple[DiffLine, ...]:
    before, after = _panels(old), _panels(new)
    found = []
    for key in _keys(before, after):
        differing = _lines(before.get(key, ""), after.get(key, ""))
        word = "added" if key not in before else "removed" if key not in after else "changed"
        found += [DiffLine("@", f"{key} {word}"), *_without_places(differing)] if differing else []
    return tuple(found)


def _panels(document: Any) -> dict[str, str]:
    """Each panel (those in rows too) and what is around them, as text."""
    around = {key: entry for key, entry in document.items() if key not in ("panels", "version", "iteration")}
    found: dict[str, str] = {}
    for panel in _flat(document["panels"]):
        own = {key: entry for key, entry in panel.items() if key not in ("panels", "id")}
        found[_unused(f"panel {plain.value(str(panel.get('title', '')))}", found)] = _pretty(own)
    return {"dashboard": _pretty(around), **found}


def _flat(panels: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    for panel in panels:
        if isinstance(panel, dict):
            yield panel
            inner = panel.get("panels")
            yield from _flat(inner if isinstance(inner, list) else ())


def _lines(before: str, after: str) -> tuple[DiffLine, ...]:
    old, new = before.splitlines(), after.splitlines()
    if max(len(old), len(new)) > _MOST_LINES:
        return (DiffLine("@", f"too long to compare: {len(old):,} and {len(new):,} lines"),)
    differing = list(difflib.unified_diff(old, new, n=_CONTEXT, lineterm=""))[2:]
    return tuple(_line(text[:1], text[1:] if text[:1] != "@" else _place(text)) for text in differing)


def _place(heading: str) -> str:
    """`@@ -3,4 +3,5 @@` as the line where it is now."""
    return f"line {heading.split('+')[1].split()[0].split(',')[0]}"


def _without_places(lines: Iterable[DiffLine]) -> list[DiffLine]:
    return [line if line.mark != "@" else DiffLine("@", "…") for line in lines][1:]


def _formatting(before: str, after: str) -> tuple[DiffLine, ...]:
    return () if before == after else (DiffLine("@", "only its formatting, or what is hidden here"),)


def _line(mark: str, text: str) -> DiffLine:
    return DiffLine(mark, plain.clipped(plain.visible(text), _LONGEST_LINE))


def _pretty(document: Any) -> str:
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)


def _keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return [*before, *(key for key in after if key not in before)]
