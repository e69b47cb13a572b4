"""After a write whose answer was lost: was it carried out? Judged on what is read back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from cli.kube.requests import Object

BOOKKEEPING = ("resourceVersion", "managedFields", "generation")
"""Metadata that the server writes anew with each change."""
ROUNDING = 3.0
"""Seconds: the server's stamps are whole ones, and one of several servers may be a little ahead."""


def made_by(live: Object, manifest: Object, manager: str) -> bool:
    """Whether `live` is what creating `manifest` under `manager` gives."""
    return is_managed_by(live, manager) and contains(live, manifest)


def is_managed_by(live: Object, manager: str) -> bool:
    return any(entry.get("manager") == manager for entry in live["metadata"].get("managedFields") or [])


def is_recent(live: Object, server_now: str, seconds: float) -> bool:
    """Whether it was created within the last `seconds`, by the server's clock alone. `server_now`: a Date header."""
    now, made = _http_date(server_now), live["metadata"].get("creationTimestamp")
    if now is None or not made:
        return True
    return (now - datetime.fromisoformat(made)).total_seconds() <= seconds + ROUNDING


def is_written(live: Object, wanted: Object) -> bool:
    """Whether all that a write asked for is there now."""
    return contains(live, _less_bookkeeping(wanted))


def is_same(one: Object, other: Object) -> bool:
    """Whether two states of an object differ in what the server keeps books of only, or in its status."""
    return _content(one) == _content(other)


def contains(live: Any, wanted: Any) -> bool:
    """Whether everything in `wanted` is in `live` (lists as long and in the same order); null asks for absence."""
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(contains(live.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(live, list) and len(live) == len(wanted) and all(map(contains, live, wanted))
    return bool(live == wanted)


def _content(obj: Object) -> Object:
    return _less_bookkeeping({key: value for key, value in obj.items() if key != "status"})


def _less_bookkeeping(obj: Object) -> Object:
    metadata: Mapping[str, Any] = obj.get("metadata") or {}
    return {**obj, "metadata": {key: value for key, value in metadata.items() if key not in BOOKKEEPING}}


def _http_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None
