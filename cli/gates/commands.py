"""A gate that is a command of the user's own."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress

from cli.gates.answers import Answer
from cli.gates.custom import About
from cli.gates.judge import Judgement, Verdict

CANNOT_SAY = 75
"""The exit code with which a command says that it does not know (EX_TEMPFAIL of sysexits.h)."""
LAST_LINES = 5
"""Of its output."""
_MOST = 64 * 1024
"""Bytes of it that are read."""
_SECRET = ("PASSPHRASE", "ACCESS_TOKEN")


def command(name: str, words: Sequence[str], about: About, seconds: float) -> Answer:
    """How it ends: 0 passes, 75 (and one that cannot be run or takes too long) is no data, anything else fails."""
    asked = " ".join(words)
    try:
        code, output = _run(words, _environment(about), seconds)
    except OSError as error:
        return Answer(about.service, name, Judgement("no data", f"cannot be run: {error.strerror}"), asked)
    if code is None:
        why = f"did not end within {seconds:g} s{_tail(output)}"
        return Answer(about.service, name, Judgement("no data", why), asked)
    judged = Judgement(_verdict(code), f"exit {code}{_tail(output)}")
    return Answer(about.service, name, judged, asked, {"exit": code})


def _run(words: Sequence[str], environment: dict[str, str], seconds: float) -> tuple[int | None, bytes]:
    """Its exit code (None: it took too long, and was ended with all that it had started) and the end of its output.

    The output goes to a file: what the command left running may hold a pipe open for as long as it lives.
    """
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            words, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        return _code(process, seconds), _end_of(output.fileno())


def _code(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    try:
        return process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        process.wait()
        return None
    except BaseException:
        _end(process)
        raise


def _end_of(file: int) -> bytes:
    """Read without moving the offset, at which somebody may still be writing."""
    return os.pread(file, _MOST, max(0, os.fstat(file).st_size - _MOST))


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _verdict(code: int) -> Verdict:
    return "pass" if code == 0 else "no data" if code == CANNOT_SAY else "fail"


def _environment(about: About) -> dict[str, str]:
    """This process's own, less what opens the state."""
    inherited = {name: value for name, value in os.environ.items() if not any(word in name for word in _SECRET)}
    return inherited | about.variables()


def _tail(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()[-LAST_LINES:]
    return f": {' | '.join(lines)}" if lines else ""
