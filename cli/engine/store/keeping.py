"""What is done about the state around each run that changes it: room before, a copy when it is lost, pruning after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from cli.engine.events import Event
from cli.engine.store import place as places
from cli.engine.store import pruning, rescue, room
from cli.engine.store.bucket import Folder
from cli.errors import TurnoutError


class Keeping:
    """One run's. Does nothing for a backend whose service keeps the state itself."""

    def __init__(self, root: Path, environment: str, variables: Mapping[str, str]) -> None:
        self._place = places.self_managed(root, environment, variables)
        self._before: bytes | None = None
        self._ledger = rescue.Ledger()

    def must_have_room(self) -> None:
        """Raises NoRoom, before anything is changed, when the state's place does not take what a run will write."""
        where = self._place
        if where and isinstance(where.bucket, Folder):
            room.check(where.root, where.environment, where.bucket.path(where.current() or where.stack.state))

    def begin(self) -> None:
        """Raises NoRoom; notes the state as it is before the run."""
        self.must_have_room()
        if self._place and (key := self._place.current()):
            self._before = self._place.bucket.read(key)

    def take(self, event: Event) -> None:
        """One more event of the run."""
        self._ledger.take(event)

    def end(self, code: int, said: Iterable[str]) -> None:
        """After the engine's end. Raises StateLost when it could not write the state; prunes after a success."""
        if self._place is None:
            return
        if code == 0:
            with suppress(TurnoutError):
                pruning.prune(self._place)
        elif line := rescue.lost("\n".join(said)):
            raise rescue.rescued(self._place, self._before, self._ledger, line)
