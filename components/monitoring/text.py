"""Configuration as text: readable, in the order in which it was built, the same for the same input."""

from __future__ import annotations

import json
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Block style throughout, multi-line strings as literal blocks, no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


def _string(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _string)


def to_yaml(value: Any) -> str:
    """`value` (dicts, lists, strings, numbers) as YAML text."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=10_000, allow_unicode=True)


def to_json(value: Any) -> str:
    """`value` as JSON text with a stable order of keys."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
