"""What a resource's outputs are in Pulumi's state: the live object, what was asked for, and who asked."""

from __future__ import annotations

from typing import Any

from google.protobuf.struct_pb2 import Struct

from cli.protocol import FIELD_MANAGER
from cli.provider import marks
from cli.provider.values import Properties, Secret, decode, decode_like, mark_secrets, plain

INPUTS, VERSION, MANAGER = "__inputs", "__initialApiVersion", "__fieldManager"

SPELLINGS = {
    "x-kubernetes-embedded-resource": "x_kubernetes_embedded_resource",
    "x-kubernetes-int-or-string": "x_kubernetes_int_or_string",
    "x-kubernetes-list-map-keys": "x_kubernetes_list_map_keys",
    "x-kubernetes-list-type": "x_kubernetes_list_type",
    "x-kubernetes-map-type": "x_kubernetes_map_type",
    "x-kubernetes-preserve-unknown-fields": "x_kubernetes_preserve_unknown_fields",
    "x-kubernetes-validations": "x_kubernetes_validations",
}
"""Keys of a CustomResourceDefinition's schema: as Kubernetes, and as Pulumi's SDKs, spell them."""

_BACK = {pulumi: kubernetes for kubernetes, pulumi in SPELLINGS.items()}


def outputs(inputs: Properties, live: Properties, marked: Properties, api_version: str, manager: str) -> Properties:
    """The outputs to record. `marked` are the inputs with their secrets: what is secret there is secret in these."""
    marked = pulumi_spelling(marked)
    whole = mark_secrets(pulumi_spelling(live), marked)
    recorded = mark_secrets(pulumi_spelling(inputs), marked)
    return {**whole, INPUTS: recorded, VERSION: api_version, MANAGER: manager}


def parse(recorded: Properties) -> tuple[Properties, Properties]:
    """(what was asked for, the live object), both plain, from recorded outputs."""
    whole = plain(recorded)
    inputs = kubernetes_spelling(whole.pop(INPUTS, None) or {})
    whole = kubernetes_spelling(whole)
    return inputs, {key: value for key, value in whole.items() if key not in (VERSION, MANAGER)}


def parse_asked(recorded: Struct) -> tuple[Properties, Properties]:
    """As `parse`, but of the live object only the places of what was asked for, and its identity."""
    fields = recorded.fields
    inputs = plain(decode(fields[INPUTS].struct_value)) if INPUTS in fields else {}
    asked = inputs.get("metadata")
    metadata = {**(asked if isinstance(asked, dict) else {}), "name": None, "namespace": None}
    live = plain(decode_like(recorded, {**inputs, "metadata": metadata}))
    return kubernetes_spelling(inputs), kubernetes_spelling(live)


def initial_version(recorded: Properties, inputs: Properties) -> str:
    return str(plain(recorded.get(VERSION)) or inputs.get("apiVersion") or "")


def manager(inputs: Properties, recorded: Properties, made_up: str) -> str:
    """The field manager of an object: its annotation, else the recorded one, else a new name."""
    return marks.value(inputs, FIELD_MANAGER) or plain(recorded.get(MANAGER)) or made_up


def pulumi_spelling(value: Properties) -> Properties:
    return dict(_spelled(value, SPELLINGS)) if _is_definition(value) else value


def kubernetes_spelling(value: Properties) -> Properties:
    return dict(_spelled(value, _BACK)) if _is_definition(value) else value


def _is_definition(value: Properties) -> bool:
    return value.get("kind") == "CustomResourceDefinition"


def _spelled(value: Any, table: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {table.get(key, key): _spelled(item, table) for key, item in value.items()}
    if isinstance(value, list):
        return [_spelled(item, table) for item in value]
    return Secret(_spelled(value.value, table)) if isinstance(value, Secret) else value
