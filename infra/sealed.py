"""Which leaves of the settings are secret, which are missing, and what stands in for one that cannot be opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.secret import Secret
from infra.document import Document, encrypted, place_text
from infra.faults import Fault, Place, secret_leaves
from infra.model import Settings, completed

Decrypt = Callable[[str], str]


@dataclass(frozen=True)
class SecretPath:
    """A secret leaf: its section, its path in it (`*`: any key or index), and whether it must be there."""

    section: str
    path: tuple[str, ...]
    required: bool


def secret_paths() -> list[SecretPath]:
    """Every leaf of the settings that is a secret."""
    return [SecretPath(path[0], path[1:], required) for path, required in secret_leaves(Settings)]


def absent(given: Mapping[str, Any], environment: str) -> list[SecretPath]:
    """Required secrets that are not given and that any value will do for: those at the top of an enabled section."""
    sections = completed(given, environment)
    return [leaf for leaf in _top_leaves() if _enabled(sections.get(leaf.section)) and _lacks(sections, leaf)]


def spared(sections: Mapping[str, Any]) -> dict[str, Any]:
    """The sections, with stand-ins for the secrets of what is switched off."""
    off = [leaf for leaf in _top_leaves() if not _enabled(sections.get(leaf.section)) and _lacks(sections, leaf)]
    return _filled(sections, off, "not needed")


def with_placeholders(given: Mapping[str, Any], environment: str) -> dict[str, Any]:
    """The sections, with stand-ins for absent secrets."""
    return _filled(given, absent(given, environment), "placeholder")


def opened(value: Any, place: Place, decrypt: Decrypt | None) -> Any:
    """The value with every encrypted leaf as a `Secret`; without `decrypt`, as a placeholder."""
    if encrypted(value):
        return Secret(
            decrypt(value["secure"]) if decrypt else f"placeholder for {place_text(str(place[0]), place[1:])}"
        )
    if isinstance(value, Mapping):
        return {key: opened(item, (*place, key), decrypt) for key, item in value.items()}
    if isinstance(value, list):
        return [opened(item, (*place, at), decrypt) for at, item in enumerate(value)]
    return value


def in_plain_text(read: Document) -> Iterator[Fault]:
    """A fault for each secret leaf that the file does not keep encrypted."""
    for leaf in secret_paths():
        for place, value in _matching(read.sections.get(leaf.section), leaf.path, (leaf.section,)):
            if not encrypted(value):
                command = f"pulumi config set --secret --path '{place_text(leaf.section, place[1:])}'"
                words = f"a secret in plain text; remove it and set it by `{command}`"
                yield Fault(read.file, read.line(place), place_text(leaf.section, place[1:]), words)


def _matching(value: Any, path: Sequence[str], place: Place) -> Iterator[tuple[Place, Any]]:
    if not path:
        yield place, value
    elif isinstance(value, Mapping):
        for key in value if path[0] == "*" else [key for key in value if key == path[0]]:
            yield from _matching(value[key], path[1:], (*place, key))
    elif isinstance(value, list) and path[0] == "*":
        for at, item in enumerate(value):
            yield from _matching(item, path[1:], (*place, at))


def _top_leaves() -> list[SecretPath]:
    return [leaf for leaf in secret_paths() if leaf.required and len(leaf.path) == 1]


def _enabled(section: Any) -> bool:
    return not isinstance(section, Mapping) or section.get("enabled") is not False


def _lacks(sections: Mapping[str, Any], leaf: SecretPath) -> bool:
    section = sections.get(leaf.section)
    return section is None or (isinstance(section, Mapping) and leaf.path[0] not in section)


def _filled(sections: Mapping[str, Any], leaves: Sequence[SecretPath], words: str) -> dict[str, Any]:
    filled = dict(sections)
    for leaf in leaves:
        stand_in = Secret(f"{words}: {place_text(leaf.section, leaf.path)}")
        filled[leaf.section] = {**(filled.get(leaf.section) or {}), leaf.path[0]: stand_in}
    return filled
