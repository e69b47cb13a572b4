"""Objects of Kubernetes' own kinds in the one spelling that the official provider records and compares.

It reads each object into its Go type and writes it back: quantities and times come out in their canonical form, empty
values go where the type leaves them out, and so do fields that the type does not have. `fields.json` says which field
is of which type (`tests/parity/fields.py` describes and makes it); a value that does not fit its type leaves the whole
object as it is, and the API server refuses it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from cli.provider import paths, quantity
from cli.provider.values import Properties

Types = dict[str, dict[str, str]]
SERVER_SET = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
)
"""Fields of the metadata that only the server sets."""
_STAMP = "%Y-%m-%dT%H:%M:%S"
_MICROSECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)")


class Misfit(ValueError):
    """A value that is not of its field's type."""


def known(obj: Properties) -> bool:
    return _key(obj) in _table()["kinds"]


def canonical(obj: Properties) -> Properties:
    """The object in its canonical spelling; as it is when its kind is none of Kubernetes' own or it does not fit it."""
    table = _table()
    name = table["kinds"].get(_key(obj))
    if name is None:
        return obj
    try:
        return _object(obj, table["types"][name], table["types"])
    except (Misfit, ValueError):
        return obj


def unknown(obj: Properties) -> list[str]:
    """The paths of the fields that its kind does not have."""
    table = _table()
    name = table["kinds"].get(_key(obj))
    return [] if name is None else [paths.write(path) for path in _strangers(obj, f"@{name}", table["types"], ())]


@cache
def _table() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(__file__).parent / "fields.json").read_text())
    return found


def _key(obj: Properties) -> str:
    return f"{obj.get('apiVersion')}/{obj.get('kind')}"


def _object(value: Properties, fields: dict[str, str], types: Types) -> Properties:
    new = {}
    for key, item in value.items():
        code = fields.get(key)
        if code is None or item is None:
            continue
        item = _value(item, code, types)
        if code.endswith("!") or not _left_out(item):
            new[key] = item
    return new


def _left_out(item: Any) -> bool:
    return item is False or item == "" or item == 0 or (isinstance(item, (dict, list)) and not item)


def _value(item: Any, code: str, types: Types) -> Any:
    what, rest = code[0], code[1:]
    if what == "@":
        return _object(_of(dict, item), types[rest.rstrip("!")], types)
    if what == "[":
        return [_value(one, rest, types) for one in _of(list, item)]
    if what == "{":
        return {key: _value(one, rest, types) for key, one in _of(dict, item).items()}
    if what in "sy":
        return _of(str, item) if what == "s" else base64_text(_of(str, item))
    return _scalar(item, what)


def _scalar(item: Any, what: str) -> Any:
    if what == "b":
        return _of(bool, item)
    if what == "q":
        return quantity.canonical(item)
    if what in "tu":
        return _time(_of(str, item), exact=what == "u")
    is_number = isinstance(item, (int, float)) and not isinstance(item, bool)
    if what in "in" and not (is_number and (what == "n" or item == int(item))):
        raise Misfit
    if what == "p" and not (isinstance(item, (str, int)) and not isinstance(item, bool)):
        raise Misfit
    return item


def _of(type_: type, item: Any) -> Any:
    if not isinstance(item, type_):
        raise Misfit
    return item


def base64_text(text: str) -> str:
    """Base64 without line breaks. Raises Misfit for what is none."""
    try:
        return base64.b64encode(base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)).decode()
    except binascii.Error as error:
        raise Misfit from error


def _time(text: str, *, exact: bool) -> str:
    if exact and not _MICROSECONDS.fullmatch(text):
        raise Misfit
    if "T" not in text:
        raise Misfit
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return moment.strftime(f"{_STAMP}.%fZ" if exact else f"{_STAMP}Z")


def _strangers(value: Any, code: str, types: Types, path: paths.Path) -> Iterator[paths.Path]:
    what, rest = code[0], code[1:].rstrip("!")
    if what == "@" and isinstance(value, dict):
        fields = types[rest]
        for key, item in value.items():
            if key in fields:
                yield from _strangers(item, fields[key], types, (*path, key))
            elif not _is_servers(path, key):
                yield (*path, key)
    elif what == "[" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strangers(item, rest, types, (*path, index))
    elif what == "{" and isinstance(value, dict):
        for key, item in value.items():
            yield from _strangers(item, rest, types, (*path, key))


def _is_servers(path: paths.Path, key: str) -> bool:
    """What a manifest that was read from a server carries, and nobody means to ask for."""
    return path == ("metadata",) and key in SERVER_SET
