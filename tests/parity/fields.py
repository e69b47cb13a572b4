"""Which fields a kind has, and which of them the official plugin leaves out when they are empty, as its Check tells.

The result is `cli/provider/fields.json`: for each kind its type, for each type its fields, each with a code.

| code | value |
|---|---|
| s b i n | text, boolean, whole number, number |
| q t u y p | quantity, time, time with microseconds, base64, a number or a text |
| [ { | a list or a map of what follows |
| @NAME | an object of that type |
| * | anything |
| ! at the end | kept when it is empty |
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from tests.parity.plugin import Plugin

Definitions = Mapping[str, Any]
_LEAVES = {
    "resource.Quantity": "q",
    "v1.Time": "t",
    "v1.MicroTime": "u",
    "intstr.IntOrString": "p",
    "runtime.RawExtension": "*",
    "v1.JSON": "*",
    "v1.FieldsV1": "*",
    "v1.Patch": "*",
}
_SIMPLE = {"string": "s", "boolean": "b", "integer": "i", "number": "n"}
_EMPTY = {"s": "", "b": False, "i": 0, "n": 0, "[": [], "{": {}, "@": {}, "y": "", "p": 0, "q": 0}
_SAMPLE = {"s": "x", "b": True, "i": 1, "n": 1.5, "q": "1", "y": "AA==", "p": 1, "*": {"x": 1}}
_TIMES = {"t": "2026-01-01T00:00:00Z", "u": "2026-01-01T00:00:00.000000Z"}
_OWN_WAYS = ("CustomResourceDefinition", "Secret")
_SERVERS = "managedFields"

Step = str | int


def table(plugin: Plugin, definitions: Definitions) -> dict[str, Any]:
    """The table, from the API server's own description and the plugin's answers."""
    kinds, types = {}, {}
    places: dict[str, tuple[str, str, tuple[Step, ...]]] = {}
    for api_version, kind, name in _kinds(definitions):
        kinds[f"{api_version}/{kind}"] = _short(name)
        for inner, path in _walk(definitions, name):
            places.setdefault(inner, (api_version, kind, path))
    for name, place in places.items():
        types[_short(name)] = _fields(plugin, definitions[name].get("properties") or {}, place)
    return {"kinds": dict(sorted(kinds.items())), "types": dict(sorted(types.items()))}


def _kinds(definitions: Definitions) -> Iterator[tuple[str, str, str]]:
    for name, row in sorted(definitions.items()):
        metadata = (row.get("properties") or {}).get("metadata") or {}
        if not metadata.get("$ref", "").endswith(".ObjectMeta"):
            continue
        for said in row.get("x-kubernetes-group-version-kind") or ():
            if said["kind"] not in _OWN_WAYS and name.startswith("io.k8s."):
                yield "/".join(filter(None, (said["group"], said["version"]))), said["kind"], name


def _walk(definitions: Definitions, root: str) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """Each type below a kind, with the way to it."""
    ahead: deque[tuple[str, tuple[Step, ...]]] = deque([(root, ())])
    seen = set()
    while ahead:
        name, path = ahead.popleft()
        if name in seen:
            continue
        seen.add(name)
        yield name, path
        for key, schema in (definitions[name].get("properties") or {}).items():
            inner, steps = _inner(schema, (key,))
            if inner and _leaf(inner) == "" and key != _SERVERS:
                ahead.append((inner, (*path, *steps)))


def _inner(schema: Any, steps: tuple[Step, ...]) -> tuple[str, tuple[Step, ...]]:
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2], steps
    if "items" in schema:
        return _inner(schema["items"], (*steps, 0))
    return _inner(schema["additionalProperties"], (*steps, "x")) if "additionalProperties" in schema else ("", ())


def _leaf(name: str) -> str:
    return _LEAVES.get(".".join(name.split(".")[-2:]), "")


def _short(name: str) -> str:
    return ".".join(name.split(".")[-3:])


def _code(schema: Any) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _leaf(name) or f"@{_short(name)}"
    if schema.get("type") == "array":
        return "[" + _code(schema["items"])
    if schema.get("type") == "object":
        return "{" + (_code(schema["additionalProperties"]) if "additionalProperties" in schema else "*")
    return "y" if schema.get("format") == "byte" else _SIMPLE[schema["type"]]


def _fields(plugin: Plugin, properties: Mapping[str, Any], place: tuple[str, str, tuple[Step, ...]]) -> dict[str, str]:
    """Fields that the plugin does not know are left out: it drops them."""
    found = {}
    for key, schema in sorted(properties.items()):
        code = _code(schema)
        if key == _SERVERS or not _keeps(plugin, place, key, _sample(code)):
            continue
        empty = _EMPTY.get(code[0])
        kept = empty is not None and not _is_name(place, key) and _keeps(plugin, place, key, empty)
        found[key] = code + ("!" if kept else "")
    return found


def _is_name(place: tuple[str, str, tuple[Step, ...]], key: str) -> bool:
    """Check fills in a name that is left out, which looks as if it were kept."""
    return place[2] == ("metadata",) and key == "name"


def _sample(code: str) -> Any:
    if code[0] == "[":
        return [_sample(code[1:])]
    if code[0] == "{":
        return {"x": _sample(code[1:])}
    return {} if code[0] == "@" else _TIMES.get(code) or _SAMPLE[code]


def _keeps(plugin: Plugin, place: tuple[str, str, tuple[Step, ...]], key: str, value: Any) -> bool:
    api_version, kind, path = place
    obj: dict[str, Any] = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "n", "namespace": "n"}}
    at: Any = obj
    for step, following in zip(path, (*path[1:], ""), strict=False):
        inner: Any = [{}] if following == 0 else {}
        if isinstance(step, int):
            at[step] = inner
        else:
            at.setdefault(step, inner)
        at = at[step]
    at[key] = value
    token = f"kubernetes:{api_version if '/' in api_version else f'core/{api_version}'}:{kind}"
    found: Any = plugin.check(token, obj)
    for step in (*path, key):
        if not (step in found if isinstance(found, dict) else isinstance(step, int) and step < len(found)):
            return False
        found = found[step]
    return True
