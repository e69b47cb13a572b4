"""Runs one engine process to its end. The first interruption asks it to stop, the second ends it at once.

The process has a group of its own, so that a terminal's Ctrl-C reaches it only through us, and once.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cli import interrupts
from cli.errors import Interrupted

STOP_LIMIT = 7.0
AT_ONCE_LIMIT = 2.0


@dataclass(frozen=True)
class Finished:
    """How an engine process ended. `interrupted`: it was asked to stop."""

    code: int
    out: str
    err: str
    interrupted: bool


class Running:
    """An engine process under way. It writes to files: when we are killed, a broken pipe would kill it in the middle of
    its work too, where it otherwise sees that nobody is there, saves the state and leaves its lock."""

    def __init__(self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> None:
        self._out, self._err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 (closed with the block)
        self._interruptions = 0
        with ExitStack() as undo:
            undo.callback(self._out.close)
            undo.callback(self._err.close)
            self._child = _started(command, cwd, env, self._out, self._err)
            undo.callback(self._end_within, 0)
            self._lifeline = _Lifeline(self._child.pid)
            undo.pop_all()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Leaves no process behind: one that still runs is asked to stop, and ended when it takes too long."""
        if self._child.poll() is None:
            self.interrupt()
            self._end_within(STOP_LIMIT)
        self._lifeline.cut()
        self._out.close()
        self._err.close()

    @property
    def ended_by_itself(self) -> bool:
        """Whether it has ended, also because it was asked to, but neither by a signal nor at once."""
        code = self._child.returncode
        return code is not None and code >= 0 and self._interruptions < 2

    def interrupt(self) -> None:
        """Ask for a clean stop; a second time, for one at once, which frees the lock but not what is under way."""
        self._interruptions += 1
        self._signal(signal.SIGINT)
        if self._interruptions == 2:
            timer = threading.Timer(AT_ONCE_LIMIT, self._signal, (signal.SIGKILL,))
            timer.daemon = True
            timer.start()

    def wait(self, environment: str = "ENV") -> Finished:
        """Wait for its end, passing interruptions on. Raises Interrupted after the second one.

        `environment`: whose state it works on, for the command that repairs it.
        """
        with _interruptions(self.interrupt):
            code = self._child.wait()
        finished = Finished(code, _text(self._out), _text(self._err), self._interruptions > 0)
        if self._interruptions > 1:
            raise Interrupted(
                "stopped at once",
                why="a second interruption ended the engine in the middle of its work",
                next=f"turnout repair {environment}   (what was under way is read back from the cluster)",
            )
        return finished

    def _end_within(self, seconds: float) -> None:
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._child.wait()

    def _signal(self, number: signal.Signals) -> None:
        """Waits for nothing: it is called from a signal handler, in the middle of a wait."""
        if self._child.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, number)


def _started(
    command: Sequence[str], cwd: Path, env: Mapping[str, str], out: IO[bytes], err: IO[bytes]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=err, process_group=0
    )


class _Lifeline:
    """Asks the engine to stop when we are gone, however we ended: its providers may wait for minutes yet."""

    def __init__(self, engine: int) -> None:
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", 'read -r _end; kill -INT "$0"', str(engine)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )

    def cut(self) -> None:
        """The engine has ended."""
        self._watcher.kill()
        self._watcher.wait()
        if self._watcher.stdin:
            self._watcher.stdin.close()


def _text(written: IO[bytes]) -> str:
    written.seek(0)
    return written.read().decode(errors="replace")


@contextmanager
def _interruptions(stop: object) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = lambda *_: stop()  # type: ignore[operator]  # noqa: E731
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, *_also_ending())}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _also_ending() -> list[signal.Signals]:
    """One that is ignored (`nohup`) stays ignored."""
    return [number for number in interrupts.ENDING if signal.getsignal(number) is not signal.SIG_IGN]
