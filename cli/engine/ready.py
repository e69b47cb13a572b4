"""Whether an environment's state is free and whole: looked at before anything is changed, without an engine start."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cli.engine import failures, pending
from cli.engine.pending import Pending
from cli.engine.store.keeping import Keeping

if TYPE_CHECKING:
    from cli.engine.run import Engine


def must_be(engine: Engine) -> None:
    """Returns when nobody else holds the state, no operation in it is open, and there is room for what a run writes.

    Raises StackLocked (exit 5), PendingOperations, NoRoom or StateUnreadable, each with the command that mends it.
    """
    engine.turn.come(dict(os.environ))
    Keeping(engine.root, engine.environment, os.environ).must_have_room()
    if found := left_open(engine):
        raise pending.error(engine.environment, found)


def left_open(engine: Engine) -> list[Pending]:
    """The operations that an earlier run was cut off in. One engine start where the state is not in a folder."""
    found = pending.of_state(engine.root, engine.environment, dict(os.environ))
    return _exported(engine) if found is None else found


def _exported(engine: Engine) -> list[Pending]:
    try:
        return pending.of_deployment(engine.export_state().get("deployment") or {})
    except failures.StackMissing:
        return []
