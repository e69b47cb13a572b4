"""What becomes of the state, and of what keeps it, however one operation of the engine goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from cli.engine.events import Message
from cli.engine.operation import Operation
from cli.engine.watch import Watch
from cli.progress import Silent


class Blind:
    """A display that cannot show anything."""

    def take(self, _: Any) -> None:
        raise OSError("nobody looks")


def test_what_keeps_the_state_hears_of_an_event_that_cannot_be_shown(tmp_path: Path) -> None:
    operation = Operation(tmp_path, "dev", "preview", Silent())
    with pytest.raises(OSError, match="nobody looks"):
        operation._taking(cast("Watch", Blind()))(Message("error", "refused", "urn:a", passing=False))
    assert operation._ledger._said == {"urn:a": ["refused"]}
