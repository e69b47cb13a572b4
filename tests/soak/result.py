"""`.turnout/soak.json`: one document, into which each part of the soak writes its own keys."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cli import paths
from tests.harness import ROOT

FILE = paths.work_dir(ROOT) / "soak.json"


def merge(part: dict[str, Any], file: Path = FILE) -> None:
    """Put the part's keys over those of the same name; the others stay."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**read(file), **part}, indent=2) + "\n")


def forget(keys: Iterable[str], file: Path = FILE) -> None:
    """Drop what an earlier run left, so that a run which does not come to its end says nothing."""
    if found := read(file):
        file.write_text(json.dumps({key: value for key, value in found.items() if key not in keys}, indent=2) + "\n")


def read(file: Path = FILE) -> dict[str, Any]:
    """What is there; empty without a file."""
    try:
        found: dict[str, Any] = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return found
