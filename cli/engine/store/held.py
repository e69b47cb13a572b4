"""The state's own lock, taken the way the engine takes it, for work on the state without the engine.

Source: pkg/backend/diy/lock.go of pulumi/pulumi: look for others, write one's own, look again.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cli.engine import failures, locks
from cli.engine.locks import Lock
from cli.engine.store.place import Place
from cli.engine.turns import Offer


@contextmanager
def lock(place: Place, offer: Offer | None = None) -> Iterator[None]:
    """Holds the lock. Raises StackLocked, naming the holder, when somebody else has it.

    `offer` asks whether a lock that nobody holds any more may be removed.
    """
    own = f"{place.stack.locks}{uuid.uuid4()}.json"
    _raise_for_others(place, own, offer)
    place.bucket.write(own, json.dumps(_content()).encode())
    try:
        _raise_for_others(place, own)
        yield
    finally:
        place.bucket.delete(own)


def found(place: Place) -> list[Lock]:
    """Every lock on the state, whoever has it. `file` is its key."""
    keys = [entry.key for entry in place.bucket.find(place.stack.locks)]
    return [locks.parse(Path(key), data) for key in keys if (data := place.bucket.read(key)) is not None]


def _raise_for_others(place: Place, own: str, offer: Offer | None = None) -> None:
    others = [lock for lock in found(place) if lock.file.as_posix() != own]
    for other in others:
        if not (other.dead and offer and offer(other)):
            raise failures.locked(place.environment, [other])
        place.bucket.delete(other.file.as_posix())


def _content() -> dict[str, str | int]:
    return {
        "pid": os.getpid(),
        "username": getpass.getuser(),
        "hostname": socket.gethostname(),
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
    }
