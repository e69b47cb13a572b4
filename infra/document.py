"""A settings file as plain data that knows the line of everything in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from infra.faults import Fault, Place, SettingsError, dotted, nearest

PROJECT: Final = "turnout"
ENVELOPE: Final = ("config", "encryptionsalt", "secretsprovider", "encryptedkey", "environment")


@dataclass(frozen=True)
class Document:
    """One `Pulumi.<env>.yaml`. `sections` is keyed by section name (`app` for `turnout:app`)."""

    file: str
    sections: Mapping[str, Any]
    lines: Mapping[Place, int]

    def line(self, place: Place) -> int:
        """The line of the nearest thing at or around `place` that the file holds."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def read(path: Path) -> Document:
    """Raises SettingsError when the file is missing or is not a Pulumi settings file."""
    tree = _parse(path)
    if envelope := list(_faults_of_envelope(path, tree)):
        raise SettingsError(envelope)
    config = tree.get("config") or {}
    if misspelt := list(_misspelt_keys(path, config)):
        raise SettingsError(misspelt)
    lines: dict[Place, int] = {}
    sections: dict[str, Any] = {}
    for key in config:
        project, _, section = str(key).partition(":")
        if project == PROJECT and section:
            lines[(section,)] = _key_line(config, key)
            sections[section] = _plain(config[key], (section,), lines)
    return Document(path.name, sections, lines)


def encrypted(value: Any) -> bool:
    """Whether a value is Pulumi's envelope of an encrypted one."""
    return isinstance(value, Mapping) and set(value) == {"secure"}


def _parse(path: Path) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError

    try:
        tree = YAML(typ="rt", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            [Fault(path.name, 0, "", f"there is no such file in {path.parent}{_others(path)}")]
        ) from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SettingsError([Fault(path.name, line, "", f"not valid YAML: {error.problem}")]) from None
    return tree if tree is not None else {}


def _others(path: Path) -> str:
    others = sorted(
        each.name.removeprefix("Pulumi.").removesuffix(".yaml") for each in path.parent.glob("Pulumi.*.yaml")
    )
    wanted = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
    return nearest(wanted, others)


def _faults_of_envelope(path: Path, tree: Any) -> Iterator[Fault]:
    if not isinstance(tree, Mapping):
        yield Fault(path.name, 1, "", "should be a mapping with the key `config`")
        return
    for key in tree:
        if key not in ENVELOPE:
            yield Fault(path.name, _key_line(tree, key), str(key), f"unknown key{nearest(str(key), ENVELOPE)}")
    if not isinstance(tree.get("config"), Mapping | None):
        yield Fault(path.name, _key_line(tree, "config"), "config", "should be a mapping")


def _misspelt_keys(path: Path, config: Any) -> Iterator[Fault]:
    """Keys that mean a section of ours and would be taken for another project's, or for nobody's."""
    for key in config:
        project, _, section = str(key).rpartition(":")
        if project != PROJECT and (not project or get_close_matches(project, [PROJECT], cutoff=0.7)):
            expected = f"unknown key; did you mean '{PROJECT}:{section}'?"
            yield Fault(path.name, _key_line(config, key), str(key), expected)


def _plain(value: Any, place: Place, lines: dict[Place, int]) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _child(value, key, (*place, str(key)), _key_line(value, key), lines) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_child(value, at, (*place, at), _item_line(value, at), lines) for at in range(len(value))]
    return _scalar(value)


def _child(parent: Any, key: Any, place: Place, line: int, lines: dict[Place, int]) -> Any:
    lines[place] = line
    return _plain(parent[key], place, lines)


def _scalar(value: Any) -> Any:
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value if value is None else str(value)


def _key_line(mapping: Any, key: Any) -> int:
    return int(mapping.lc.key(key)[0]) + 1


def _item_line(sequence: Any, index: int) -> int:
    return int(sequence.lc.item(index)[0]) + 1


def place_text(section: str, rest: Place) -> str:
    """How a place is written for people: `turnout:app.services.api.port`."""
    return f"{PROJECT}:{dotted((section, *rest))}"
