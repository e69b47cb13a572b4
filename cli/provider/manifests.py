"""Manifests as text and as objects: what ConfigFile and ConfigGroup, of either version, are made of. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cli.provider.values import Properties

DECODE = "kubernetes:yaml:decode"
"""The function by which ConfigFile and ConfigGroup of version 1 read manifests."""

Scopes = Mapping[tuple[str, str], bool | None]
"""(apiVersion, kind) → whether it is namespaced; None where nobody knows."""

_LOADER: list[Any] = []
_OWN = ("int", "float", "timestamp", "value")
_INTEGER = re.compile(r"[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[1-9][0-9_]*|0)$")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$|[-+]?\.(inf|Inf|INF)$|\.(nan|NaN|NAN)$")


def documents(text: str) -> list[Any]:
    """The YAML documents of a text, empty ones left out, as JSON values. Raises ValueError.

    Read as Kubernetes' own tools do: `yes` and `on` are true, while a date or `12:30` is a text.
    """
    import yaml

    try:
        return [_json(row) for row in yaml.load_all(text, Loader=_loader()) if row]
    except yaml.YAMLError as error:
        raise ValueError(f"the manifests are no YAML: {_fault(error)}") from None


def decoded(rows: Iterable[Any], namespace: str, scopes: Scopes) -> list[Properties]:
    """The objects with `namespace`, if any, filled in: the answer to `kubernetes:yaml:decode`.

    What lacks a kind or an apiVersion is no manifest and left out. Lists stay as they are: the SDK takes them apart.
    """
    found = [row for row in map(_mapping, rows) if row.get("apiVersion") and row.get("kind")]
    return [_in_namespace(obj, namespace, scopes.get(_kind(obj)) is not False) for obj in found]


def normalise(objects: Iterable[Any]) -> list[Properties]:
    """The objects to register: lists taken apart, the core group spelled `v1`.

    Raises ValueError for one without kind, apiVersion or name.
    """
    return [_named(obj) for obj in taken_apart(objects)]


def placed(objects: Iterable[Properties], namespace: str, scopes: Scopes) -> list[Properties]:
    """The objects with `namespace` filled in, except where nobody knows whether the kind is namespaced."""
    return [_in_namespace(obj, namespace, scopes.get(_kind(obj)) is True) for obj in objects]


def taken_apart(objects: Iterable[Any]) -> Iterator[Properties]:
    """The objects with each list replaced by its items."""
    for obj in map(_mapping, objects):
        if isinstance(obj.get("items"), list):
            yield from taken_apart(obj["items"])
        else:
            yield obj


def defined(objects: Iterable[Properties]) -> dict[tuple[str, str], bool]:
    """(group, kind) → whether it is namespaced, for each kind that one of the objects defines."""
    specs = [obj.get("spec") for obj in objects if obj.get("kind") == "CustomResourceDefinition"]
    whole = [spec for spec in specs if isinstance(spec, dict) and isinstance(spec.get("names"), dict)]
    return {
        (str(spec.get("group")), str(spec["names"].get("kind"))): spec.get("scope") == "Namespaced" for spec in whole
    }


def shown(obj: Any) -> str:
    """The start of an object, to know it by in an error: its identity, never its data."""
    if not isinstance(obj, dict):
        return type(obj).__name__
    metadata = obj.get("metadata")
    whole = {**obj, **(metadata if isinstance(metadata, dict) else {})}
    return str({key: whole[key] for key in ("apiVersion", "kind", "namespace", "name") if key in whole})


def _fault(error: Any) -> str:
    """What is wrong, and where; never the text itself, which may hold secrets."""
    mark = getattr(error, "problem_mark", None)
    where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
    return f"{getattr(error, 'problem', None) or type(error).__name__}{where}"


def _named(obj: Properties) -> Properties:
    if not obj.get("apiVersion") or not obj.get("kind"):
        raise ValueError(f"each manifest needs an apiVersion and a kind: {shown(obj)}")
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict) or not metadata.get("name"):
        raise ValueError(f"each manifest needs a metadata.name: {shown(obj)}")
    return {**obj, "apiVersion": str(obj["apiVersion"]).removeprefix("core/")}


def _in_namespace(obj: Properties, namespace: str, namespaced: bool) -> Properties:
    metadata = obj.get("metadata") or {}
    if not namespace or not namespaced or metadata.get("namespace"):
        return obj
    return {**obj, "metadata": {**metadata, "namespace": namespace}}


def _kind(obj: Properties) -> tuple[str, str]:
    return str(obj["apiVersion"]), str(obj["kind"])


def _mapping(value: Any) -> Properties:
    if not isinstance(value, dict):
        raise ValueError(f"a manifest is an object, not a {shown(value)}")  # noqa: TRY004 -- the text is wrong
    return value


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {_key(key): _json(item) for key, item in value.items()}
    return [_json(item) for item in value] if isinstance(value, list) else value


def _key(key: Any) -> str:
    return ("false", "true")[key] if isinstance(key, bool) else str(key)


def _loader() -> Any:
    """PyYAML's own, with the numbers of Go's and without its dates."""
    if not _LOADER:
        import yaml

        Loader: Any = type("Loader", (getattr(yaml, "CSafeLoader", yaml.SafeLoader),), {})  # noqa: N806
        Loader.yaml_implicit_resolvers = {
            first: [row for row in rows if row[0].rpartition(":")[2] not in _OWN]
            for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }
        Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INTEGER, list("-+0123456789"))
        Loader.add_implicit_resolver("tag:yaml.org,2002:float", _NUMBER, list("-+0123456789."))
        Loader.add_constructor("tag:yaml.org,2002:int", _integer)
        _LOADER.append(Loader)
    return _LOADER[0]


def _integer(loader: Any, node: Any) -> int:
    text = loader.construct_scalar(node).replace("_", "")
    octal = re.fullmatch(r"([-+]?)0([0-7]+)", text)
    return int(f"{octal[1]}0o{octal[2]}" if octal else text, 0)
