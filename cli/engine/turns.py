"""Whose turn it is to work on an environment's state: a living lock is waited for, a dead one offered for removal."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cli.engine import failures, locks
from cli.engine.locks import Lock
from cli.progress import Progress

Offer = Callable[[Lock], bool]
"""Asks whether a lock that nobody holds any more may be removed."""

Result = TypeVar("Result")

_LOOK_AGAIN = 0.5
_TRY_AGAIN = 3.0
"""Seconds between two attempts where only the engine can see the locks: each one costs a start of it."""


class Turn:
    """One environment's turn. `wait`: seconds to wait for living locks; `offer`: None where nobody can be asked."""

    def __init__(
        self, root: Path, environment: str, progress: Progress, *, wait: float = 0, offer: Offer | None = None
    ) -> None:
        self._root, self._environment, self._progress = root, environment, progress
        self._wait, self._offer = wait, offer

    def of(self, work: Callable[[], Result], variables: dict[str, str]) -> Result:
        """Do `work` when it is our turn; again while it meets the lock of somebody who was faster."""
        until = time.monotonic() + self._wait
        while True:
            self.come(variables, until)
            try:
                return work()
            except failures.StackLocked as error:
                if time.monotonic() >= until:
                    raise
                self._pause(error, until)

    def come(self, variables: dict[str, str], until: float | None = None) -> None:
        """Returns when nobody is seen to hold the state. Raises StackLocked (exit 5), which names the holder."""
        until = time.monotonic() + self._wait if until is None else until
        while held := self._in_the_way(variables):
            if time.monotonic() >= until or any(lock.dead for lock in held):
                raise failures.locked(self._environment, held)
            self._wait_for(held, variables, until)

    def _wait_for(self, held: list[Lock], variables: dict[str, str], until: float) -> None:
        """Until something is different, outside of which a question may be asked."""
        with self._progress.step(f"waiting for the lock of {self._environment}'s state") as step:
            while time.monotonic() < until and not any(lock.dead for lock in held):
                step.update("; ".join(lock.who for lock in held))
                time.sleep(_LOOK_AGAIN)
                if locks.found(self._root, self._environment, variables) != held:
                    return

    def _in_the_way(self, variables: dict[str, str]) -> list[Lock]:
        return [lock for lock in locks.found(self._root, self._environment, variables) if not self._removed(lock)]

    def _removed(self, lock: Lock) -> bool:
        if not (lock.dead and self._offer and self._offer(lock)):
            return False
        locks.remove(lock)
        self._progress.note(f"removed the lock that nobody holds any more: {lock.file.name}")
        return True

    def _pause(self, error: failures.StackLocked, until: float) -> None:
        with self._progress.step(f"waiting for the lock of {self._environment}'s state") as step:
            step.update(error.what)
            time.sleep(max(0.0, min(_TRY_AGAIN, until - time.monotonic())))
