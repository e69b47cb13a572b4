"""Property values: between the protocol's Struct and plain Python values.

A secret is a `Secret`, an unknown is `UNKNOWN`; everything else is JSON. Whole numbers are `int`.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.struct_pb2 import NULL_VALUE, ListValue, Struct, Value

from cli.protocol import OUTPUT, SECRET, SIGNATURE, UNKNOWNS
from cli.protocol import UNKNOWN as UNKNOWN_TEXT

LARGEST_INT = 2**53

Properties = dict[str, Any]


class Secret:
    """A value that the engine must keep encrypted. Shows nothing of itself."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.value == self.value

    __hash__ = None  # type: ignore[assignment]


class Unknown:
    """A value that is not known before the update."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


class Unsupported(ValueError):
    """A value that no Kubernetes object can hold (an asset, an archive, a resource)."""


def decode(struct: Struct | None) -> Properties:
    """The properties of a Struct."""
    return {} if struct is None else {key: _decode(value) for key, value in struct.fields.items()}


def decode_like(struct: Struct, shape: Properties) -> Properties:
    """The properties of a Struct, less what `shape` has no place for: a diff needs little of a live object."""
    fields = struct.fields
    return {key: _decode_like(fields[key], wanted) for key, wanted in shape.items() if key in fields}


def encode(properties: Properties, *, keep_secrets: bool = True) -> Struct:
    """A Struct of the properties; without `keep_secrets` (an engine that does not know them) secrets go plain."""
    struct = Struct()
    for key, value in properties.items():
        _fill(struct.fields[key], value, keep_secrets)
    return struct


def plain(value: Any) -> Any:
    """The value with its secrets unwrapped; unknowns stay."""
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def has_unknown(value: Any) -> bool:
    if value is UNKNOWN:
        return True
    if isinstance(value, Secret):
        return has_unknown(value.value)
    if isinstance(value, dict):
        return any(map(has_unknown, value.values()))
    return isinstance(value, list) and any(map(has_unknown, value))


def has_secret(value: Any) -> bool:
    if isinstance(value, Secret):
        return True
    if isinstance(value, dict):
        return any(map(has_secret, value.values()))
    return isinstance(value, list) and any(map(has_secret, value))


def mark_secrets(values: Properties, like: Properties) -> Properties:
    """`values` with everything secret that is secret in `like` at the same place, and all data of a Kubernetes Secret.

    Objects are gone into; a list with any secret in `like` becomes secret as a whole, since its order may change.
    """
    marked = {key: _marked(value, like[key]) if key in like else value for key, value in values.items()}
    if values.get("kind") == "Secret":
        marked.update({key: _secret(values[key]) for key in ("data", "stringData") if key in values})
    return marked


def _marked(value: Any, like: Any) -> Any:
    if isinstance(value, dict) and isinstance(like, dict):
        return mark_secrets(value, like)
    return _secret(value) if has_secret(like) else value


def _secret(value: Any) -> Secret:
    return value if isinstance(value, Secret) else Secret(plain(value))


def _decode(value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        text = value.string_value
        return UNKNOWN if len(text) == 36 and text in UNKNOWNS else text
    if kind == "struct_value":
        return _decode_struct(value.struct_value)
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() and abs(number) < LARGEST_INT else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_decode(item) for item in value.list_value.values]
    return None


def _decode_like(value: Value, shape: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value" and isinstance(shape, dict) and SIGNATURE not in value.struct_value.fields:
        return decode_like(value.struct_value, shape)
    if kind == "list_value" and isinstance(shape, list):
        rest = [None] * (len(value.list_value.values) - len(shape))
        return list(map(_decode_like, value.list_value.values, [*shape, *rest]))
    return _decode(value)


def _decode_struct(struct: Struct) -> Any:
    fields = struct.fields
    if SIGNATURE not in fields:
        return {key: _decode(value) for key, value in fields.items()}
    signature = fields[SIGNATURE].string_value
    if signature == SECRET:
        return Secret(_decode(fields["value"]))
    if signature == OUTPUT:
        value = _decode(fields["value"]) if "value" in fields else UNKNOWN
        return Secret(value) if "secret" in fields and fields["secret"].bool_value else value
    raise Unsupported("an asset, an archive or a resource cannot be part of a Kubernetes object")


def _fill(target: Value, value: Any, keep: bool) -> None:
    if isinstance(value, str):
        target.string_value = value
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, (int, float)):
        target.number_value = value
    elif isinstance(value, dict):
        _fill_struct(target.struct_value, value, keep)
    elif isinstance(value, list):
        _fill_list(target.list_value, value, keep)
    elif isinstance(value, Secret):
        _fill_secret(target, value, keep)
    elif value is UNKNOWN:
        target.string_value = UNKNOWN_TEXT
    else:
        target.null_value = NULL_VALUE


def _fill_struct(target: Struct, value: Properties, keep: bool) -> None:
    target.SetInParent()
    for key, item in value.items():
        _fill(target.fields[key], item, keep)


def _fill_list(target: ListValue, value: list[Any], keep: bool) -> None:
    target.SetInParent()
    for item in value:
        _fill(target.values.add(), item, keep)


def _fill_secret(target: Value, value: Secret, keep: bool) -> None:
    if not keep or value.value is UNKNOWN:
        return _fill(target, value.value, keep)
    target.struct_value.fields[SIGNATURE].string_value = SECRET
    return _fill(target.struct_value.fields["value"], value.value, keep)
