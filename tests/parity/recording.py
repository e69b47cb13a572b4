"""What the official plugin said, kept as data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "recorded"


def load(name: str) -> Any:
    """`plans`, `states` or `replacements`."""
    return json.loads((FOLDER / f"{name}.json").read_text())


def save(name: str, value: Any) -> None:
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")


def brief(states: dict[str, Any]) -> dict[str, Any]:
    """Of a state only what a provider decides: the inputs, the id, and what it notes for itself."""
    return {
        name: {
            "id": row.get("id"),
            "inputs": row.get("inputs"),
            "manager": row["outputs"].get("__fieldManager"),
            "version": row["outputs"].get("__initialApiVersion"),
        }
        for name, row in states.items()
    }
