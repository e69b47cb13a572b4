"""Which changed field replaces an object: as the official plugin decided, kind by kind and field by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cli.provider import check, diff, kinds, paths
from cli.provider.diff import Kind
from tests.parity import recording, replacing

_NAMES = {Kind.ADD: "ADD", Kind.DELETE: "DELETE", Kind.UPDATE: "UPDATE"}


def ours(token: str, recorded: dict[str, Any], new: dict[str, Any]) -> Mapping[str, str]:
    type_ = kinds.of_token(token)
    live = {key: value for key, value in recorded.items() if key != "__inputs"}
    old, wanted = check.normalise(recorded["__inputs"]), check.normalise(new)
    namespaced = kinds.is_namespaced(type_.api_version, type_.kind)
    found = diff.diff(live, old, wanted, namespaced=namespaced)
    return {paths.write(row.path): _NAMES[row.kind] + ("_REPLACE" if row.replaces else "") for row in found.changes}


def test_every_field_replaces_or_updates_as_recorded() -> None:
    recorded, found = recording.load("replacements"), replacing.decisions(ours)
    assert sum(len(names) for row in recorded.values() for names in row.values()) > 2000
    differing = {kind: (recorded.get(kind), row) for kind, row in found.items() if row != recorded.get(kind)}
    assert differing == {}
