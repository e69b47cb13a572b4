"""What was last applied: the objects of a state, with what a rollout moves and what is sealed marked as such. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from cli import protocol
from cli.drift.model import Place
from cli.provider import spellings
from components.tracks import COUNTED, ROUTED

JSON = dict[str, Any]

_MOVED: Final = {**COUNTED, **ROUTED}
"""What is a rollout's of an object that is frozen whole: the rest of it is to stay as it was."""
_STACK: Final = "::pulumi:pulumi:Stack::"
_MARK: Final = "\0sealed "


@dataclass(frozen=True)
class Sealed:
    """A secret of the state. `opened`: its plain value, in a tuple, where it could be opened."""

    ciphertext: str
    opened: tuple[Any, ...] = ()

    def __repr__(self) -> str:
        return "Sealed(…)"


@dataclass(frozen=True)
class Declared:
    """One object. `manifest`: as it was asked for; `before`: as the API server answered then, defaults included.

    `left_alone`: property paths of what others move after it was made.
    """

    place: Place
    urn: str
    component: str
    manifest: JSON = field(repr=False)
    before: JSON = field(repr=False, default_factory=dict)
    left_alone: tuple[str, ...] = ()

    @property
    def sealed(self) -> bool:
        """Whether there is a secret in it."""
        return any(True for _ in _seals(self.manifest))

    def opened(self, opener: Callable[[str], Any]) -> Declared:
        """The same with its secrets open, for a comparison alone."""
        return replace(
            self, manifest=_replaced(self.manifest, lambda one: Sealed(one.ciphertext, (opener(one.ciphertext),)))
        )


def of_deployment(deployment: Mapping[str, Any]) -> list[Declared]:
    """The Kubernetes objects of a state, patches of other people's objects and what is to be deleted left out."""
    resources = [entry for entry in deployment.get("resources") or [] if not entry.get("delete")]
    parents = {entry["urn"]: entry.get("parent", "") for entry in resources}
    return [_declared(entry, parents) for entry in resources if _is_object(entry)]


def spelled(manifest: JSON) -> JSON:
    """The manifest as the API server spells it; a Secret's data stay as they are."""
    data = {
        key: manifest[key] for key in ("data", "stringData") if manifest.get("kind") == "Secret" and key in manifest
    }
    seals: list[Sealed] = []

    def hidden(one: Sealed) -> str:
        seals.append(one)
        return f"{_MARK}{len(seals) - 1}"

    rest = _replaced({key: value for key, value in manifest.items() if key not in data}, hidden)
    return {**_shown(spellings.canonical(rest), seals), **data}


def _is_object(entry: Mapping[str, Any]) -> bool:
    kind, inputs = str(entry.get("type", "")), entry.get("inputs") or {}
    is_own = bool(entry.get("custom")) and not entry.get("external") and not kind.endswith("Patch")
    named = isinstance(inputs.get("apiVersion"), str) and isinstance(inputs.get("kind"), str)
    return is_own and kind.startswith("kubernetes:") and named and bool(entry.get("id"))


def _declared(entry: Mapping[str, Any], parents: Mapping[str, str]) -> Declared:
    inputs = _parsed(entry["inputs"])
    namespace, _, name = str(entry["id"]).rpartition("/")
    place = Place(inputs["apiVersion"], inputs["kind"], namespace, name)
    ignored = tuple(entry.get("ignoreChanges") or ())
    left_alone = _MOVED.get(place.kind, ()) if "*" in ignored else ignored
    before = {key: value for key, value in (entry.get("outputs") or {}).items() if not key.startswith("__")}
    return Declared(place, entry["urn"], _component(entry["urn"], parents), inputs, _parsed(before), left_alone)


def _component(urn: str, parents: Mapping[str, str]) -> str:
    names: list[str] = []
    while (urn := parents.get(urn, "")) and _STACK not in urn:
        names.append(urn.rsplit("::", 1)[-1])
    return "/".join(reversed(names))


def _parsed(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get(protocol.SIGNATURE) == protocol.SECRET:
            return _secret(value)
        return {key: _parsed(item) for key, item in value.items()}
    return [_parsed(item) for item in value] if isinstance(value, list) else value


def _secret(value: Mapping[str, Any]) -> Sealed:
    if "plaintext" in value:
        return Sealed("", (json.loads(value["plaintext"]),))
    return Sealed(str(value.get("ciphertext", "")))


def _seals(value: Any) -> Iterator[Sealed]:
    if isinstance(value, Sealed):
        yield value
    below: Iterable[Any] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in below:
        yield from _seals(item)


def _replaced(value: Any, by: Callable[[Sealed], Any]) -> Any:
    if isinstance(value, Sealed):
        return by(value)
    if isinstance(value, dict):
        return {key: _replaced(item, by) for key, item in value.items()}
    return [_replaced(item, by) for item in value] if isinstance(value, list) else value


def _shown(value: Any, seals: list[Sealed]) -> Any:
    if isinstance(value, str) and value.startswith(_MARK):
        return seals[int(value.removeprefix(_MARK))]
    if isinstance(value, dict):
        return {key: _shown(item, seals) for key, item in value.items()}
    return [_shown(item, seals) for item in value] if isinstance(value, list) else value
