"""Taking objects that exist already into the state, as `pulumi import --file` describes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Import:
    """One object: its type token, its name in the program, its id (`namespace/name`), and URNs of the state."""

    type: str
    name: str
    id: str
    provider: str = ""
    parent: str = ""


def document(imports: Sequence[Import]) -> str:
    """The file; a URN is named in its table first, and then used by that name."""
    table: dict[str, str] = {}
    resources = [_entry(wanted, table) for wanted in imports]
    return json.dumps({"nameTable": table, "resources": resources})


def _entry(wanted: Import, table: dict[str, str]) -> dict[str, Any]:
    entry = {"type": wanted.type, "name": wanted.name, "id": wanted.id}
    for key, urn in (("provider", wanted.provider), ("parent", wanted.parent)):
        if urn:
            name = f"{urn.rsplit('::', 1)[-1]}-{len(table)}"
            entry[key] = next((known for known, named in table.items() if named == urn), name)
            table.setdefault(entry[key], urn)
    return entry
