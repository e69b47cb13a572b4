"""`python -m tests.e2e.stepping after|within FOLDER WORD…`: turnout, whose rollout stands still at each step.

It writes the step into FOLDER/at once the step is done (after), or as soon as it is under way (within), and goes on
when that file is gone.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from tests.soak.rollouts.place import LIMIT, Place, Ran, Under

LOOK = 0.05
AT = "at"
When = Literal["after", "within"]


class Stepper:
    """A rollout of the place that is driven step by step, as a context. It goes on by itself when the context ends."""

    def __init__(self, place: Place, folder: Path, *words: str, when: When = "after") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._at = folder / AT
        self._at.unlink(missing_ok=True)
        command = (sys.executable, "-m", "tests.e2e.stepping", when, str(folder), *words)
        self._under = Under(command, place.folder, place.variables)

    def __enter__(self) -> Stepper:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def kill(self) -> None:
        """Nothing happens to one that has ended."""
        if self._under.process.poll() is None:
            self._under.process.kill()
            self._under.process.wait()

    def go(self) -> None:
        """Let it go on, to stand still at its next step."""
        self._at.unlink(missing_ok=True)

    def next(self) -> str | None:
        """Let it go on, and wait until it stands still at its next step; None when it has ended."""
        self.go()
        end = time.monotonic() + LIMIT
        while not self._at.exists():
            if self._under.process.poll() is not None or time.monotonic() > end:
                return None
            time.sleep(LOOK)
        return self._at.read_text()

    def done(self, *expect: int) -> Ran:
        """Its end. Raises Unexpected."""
        return self._under.done(*expect)


def main(when: str, folder: Path, words: list[str]) -> None:
    from cli import main as command
    from cli.rollout import doing, drive

    whole, does = drive._Driver._step, doing.Doing.do

    def step(self: Any, at: int, step: Any) -> None:
        def within(doer: Any, one: Any) -> None:
            _stand_still(folder / AT, f"{at} {one.does}")
            does(doer, one)

        if when == "within":
            doing.Doing.do = within  # type: ignore[method-assign, assignment]
        whole(self, at, step)
        if when == "after":
            _stand_still(folder / AT, f"{at} {step.does}")

    drive._Driver._step = step  # type: ignore[method-assign]
    sys.argv = ["turnout", *words]
    command.main()


def _stand_still(at: Path, text: str) -> None:
    fresh = at.with_suffix(".part")
    fresh.write_text(text)
    fresh.replace(at)
    while at.exists():
        time.sleep(LOOK)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
