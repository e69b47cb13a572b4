"""Check: from what a program asks for to the inputs that are recorded and sent. Pure."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from cli.protocol import AUTONAMED
from cli.provider import marks, spellings, state
from cli.provider.kinds import Type
from cli.provider.values import UNKNOWN, Properties, has_unknown, mark_secrets, plain

_BY_HAND = ("Secret", "CustomResourceDefinition")


@dataclass(frozen=True)
class Naming:
    """How to name what the program left unnamed. `proposed` is the engine's own name for it, if it has one."""

    name: str
    seed: bytes = b""
    proposed: str = ""
    disabled: bool = False


@dataclass(frozen=True)
class Failure:
    property: str
    reason: str


def check(
    new: Properties, old: Properties, type_: Type, naming: Naming, namespace: str | None
) -> tuple[Properties, list[Failure]]:
    """The inputs to record, secrets marked as in `new`, and what is wrong with them.

    `old` are the recorded inputs (empty for a new resource); `namespace` is the one to fill in, None for cluster-wide
    kinds.
    """
    identity = {"apiVersion": type_.api_version, "kind": type_.kind}
    new = state.kubernetes_spelling({**identity, **new})
    wanted = normalise(plain(new))
    wanted, failures = (wanted, _unnamed(wanted)) if type_.patch else _named(wanted, plain(old), naming)
    if namespace and isinstance(wanted.get("metadata"), dict) and not wanted["metadata"].get("namespace"):
        wanted = {**wanted, "metadata": {**wanted["metadata"], "namespace": namespace}}
    return mark_secrets(wanted, new), [*failures, *_identity(wanted, type_)]


def normalise(obj: Properties) -> Properties:
    """The object in the official provider's own spelling, less what only the server sets."""
    if not has_unknown(obj):
        obj = _definition(_secret_data(obj)) if obj.get("kind") in _BY_HAND else spellings.canonical(obj)
    metadata = obj.get("metadata")
    if isinstance(metadata, dict) and any(key in metadata for key in spellings.SERVER_SET):
        obj = {**obj, "metadata": {key: value for key, value in metadata.items() if key not in spellings.SERVER_SET}}
    return obj


def unknown_fields(new: Properties, type_: Type) -> list[str]:
    """The paths that the kind does not have: they are left out, so somebody should hear of it."""
    return spellings.unknown({**plain(new), "apiVersion": type_.api_version, "kind": type_.kind})


def autoname(naming: Naming) -> str:
    """`<name>-<8 hex digits>`, the same for the same seed."""
    if naming.proposed:
        return naming.proposed
    tail = hashlib.sha256(naming.seed).hexdigest()[:8] if naming.seed else secrets.token_hex(4)
    return f"{naming.name}-{tail}"


def is_named(obj: Properties) -> bool:
    metadata = obj.get("metadata")
    return metadata is UNKNOWN or (isinstance(metadata, dict) and bool(metadata.get("name")))


def _named(wanted: Properties, old: Properties, naming: Naming) -> tuple[Properties, list[Failure]]:
    if is_named(wanted):
        return wanted, []
    metadata = wanted.get("metadata") or {}
    if metadata.get("generateName"):
        reason = "metadata.generateName cannot be used with server-side apply; give a name, or none at all"
        return wanted, [Failure("metadata.generateName", reason)]
    if old and not marks.is_true(old, AUTONAMED):
        return wanted, []
    if old:
        return _with_name(wanted, old["metadata"]["name"]), []
    if naming.disabled:
        return wanted, [Failure("metadata.name", "autonaming is off, so metadata.name must be given")]
    return _with_name(wanted, autoname(naming)), []


def _unnamed(patch: Properties) -> list[Failure]:
    """A patch must say of which object."""
    return [] if is_named(patch) else [Failure("metadata.name", "a Patch resource needs the name of the object")]


def _with_name(wanted: Properties, name: str) -> Properties:
    metadata = wanted.get("metadata") or {}
    notes = metadata.get("annotations") or {}
    if isinstance(notes, dict):
        metadata = {**metadata, "annotations": {**notes, AUTONAMED: "true"}}
    return {**wanted, "metadata": {**metadata, "name": name}}


def _identity(wanted: Properties, type_: Type) -> list[Failure]:
    """The type token decides; an object that says otherwise was put together wrongly."""
    return [
        Failure(key, f"{wanted[key]!r} does not fit the resource's type, which says {said!r}")
        for key, said in (("apiVersion", type_.api_version), ("kind", type_.kind))
        if wanted[key] is not UNKNOWN and wanted[key] != said
    ]


def _secret_data(obj: Properties) -> Properties:
    """A Secret's `stringData` moved into `data`, and its base64 without line breaks, both as the API server does."""
    if obj.get("kind") != "Secret" or obj.get("apiVersion") != "v1":
        return obj
    texts, data = (found if isinstance(found, dict) else {} for found in (obj.get("stringData"), obj.get("data")))
    if not texts or not all(isinstance(text, str) for text in texts.values()):
        return {**obj, "data": {key: _base64(value) for key, value in data.items()}} if data else obj
    data = {**data, **{key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}}
    return {**{key: value for key, value in obj.items() if key != "stringData"}, "data": data}


def _definition(obj: Properties) -> Properties:
    """A CustomResourceDefinition without what the API server drops."""
    if obj.get("kind") != "CustomResourceDefinition" or obj.get("apiVersion") != "apiextensions.k8s.io/v1":
        return obj
    spec = obj.get("spec")
    if isinstance(spec, dict) and spec.get("preserveUnknownFields") is False:
        obj = {**obj, "spec": {key: value for key, value in spec.items() if key != "preserveUnknownFields"}}
    return {key: value for key, value in obj.items() if key != "status"}


def _base64(value: Any) -> Any:
    try:
        return spellings.base64_text(value) if isinstance(value, str) else value
    except spellings.Misfit:
        return value
