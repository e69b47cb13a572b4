"""A plan's file: written whole or not at all, and read with distrust."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cli.errors import StalePlan, UsageError
from cli.plans.saved import KIND, SCHEMA, Saved, digest

LARGEST = 256 * 2**20
"""Bytes; a plan of 10,000 changes has a tenth of that."""


def write(saved: Saved, path: Path) -> None:
    """Raises UsageError where the file cannot be written; a file that is there stays whole until then."""
    text = json.dumps(saved.document(), indent=1, ensure_ascii=False) + "\n"
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_text(text)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise UsageError(
            f"the plan cannot be written to {path}",
            why=error.strerror or str(error),
            next=f"turnout preview {saved.environment} --save FILE, in a folder that exists",
        ) from error


def read(path: Path, environment: str) -> Saved:
    """The plan in a file. Raises UsageError where there is none to read, StalePlan where it is not whole."""
    document = _document(path, environment)
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise _unfit(path, environment, "it is not a plan that turnout saved")
    if document.get("schema") != SCHEMA:
        found = json.dumps(document.get("schema"))[:20]
        raise _unfit(path, environment, f"it has schema {found}, this turnout knows {SCHEMA}")
    stated = document.pop("digest", "")
    if stated != digest(document):
        raise _unfit(path, environment, "its digest is not that of its content: somebody or something changed it")
    try:
        return Saved.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise _unfit(path, environment, f"{place}: {first['msg']}") from None


def _document(path: Path, environment: str) -> Any:
    try:
        if path.stat().st_size > LARGEST:
            raise _unfit(path, environment, f"it has more than {LARGEST // 2**20} MiB")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(
            f"the plan {path} cannot be read",
            why=error.strerror or str(error),
            next=f"turnout preview {environment} --save {path}",
        ) from error
    except (ValueError, RecursionError):
        raise _unfit(path, environment, "it is damaged or cut off: it does not read as JSON") from None


def _unfit(path: Path, environment: str, why: str) -> StalePlan:
    return StalePlan(
        f"{path} is no plan that can be applied; nothing was touched",
        why=why,
        next=f"turnout preview {environment} --save {path}",
    )
