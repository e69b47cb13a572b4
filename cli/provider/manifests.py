"""The function `kubernetes:yaml:decode`, by which ConfigFile and ConfigGroup read manifests. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cli.provider import kinds
from cli.provider.values import Properties

DECODE = "kubernetes:yaml:decode"


def decode_manifests(text: str, default_namespace: str = "") -> list[Properties]:
    """The objects of a YAML text: Lists taken apart, namespaces filled in where one is given. Raises ValueError."""
    return [_placed(obj, default_namespace) for obj in _taken_apart(_documents(text))]


def _documents(text: str) -> Iterator[Any]:
    import yaml

    try:
        yield from (row for row in yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if row)
    except yaml.YAMLError as error:
        raise ValueError(f"the manifests are no YAML: {error}") from error


def _taken_apart(objects: Iterable[Any]) -> Iterator[Properties]:
    for obj in objects:
        if not isinstance(obj, dict) or not obj.get("apiVersion") or not obj.get("kind"):
            raise ValueError("each manifest needs an apiVersion and a kind")
        if obj["kind"].endswith("List") and isinstance(obj.get("items"), list):
            yield from _taken_apart(obj["items"])
        else:
            yield obj


def _placed(obj: Properties, namespace: str) -> Properties:
    metadata = obj.get("metadata") or {}
    if not namespace or metadata.get("namespace") or not kinds.is_namespaced(obj["apiVersion"], obj["kind"]):
        return obj
    return {**obj, "metadata": {**metadata, "namespace": namespace}}
