"""Standard streams whose reader may leave first: what nobody can read any more ends no work and hides no exit code."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

_LEFT = (errno.EPIPE, errno.EIO)
"""A pipe without its reader, a terminal that was closed."""


class Lasting:
    """A text stream that drops what can no longer be written. `unread`: its reader has left.

    `needed`: any other fault (a full disk) is raised, so that nobody takes what is there for the whole.
    """

    def __init__(self, stream: TextIO, *, needed: bool = False) -> None:
        self._stream, self._needed = stream, needed
        self.unread = False

    def write(self, text: str) -> int:
        with self._dropping():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._dropping():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextmanager
    def _dropping(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:
            left = isinstance(error, OSError) and error.errno in _LEFT
            self.unread = self.unread or left
            if self._needed and not left:
                raise


def lasting(stream: TextIO, *, needed: bool = False) -> TextIO:
    """The stream as one that outlasts its reader, see `Lasting`."""
    return cast("TextIO", Lasting(stream, needed=needed))


def outlast_readers() -> None:
    """Both standard streams of this process, from now on."""
    if sys.stdout is not None:
        sys.stdout = lasting(sys.stdout, needed=True)
    if sys.stderr is not None:
        sys.stderr = lasting(sys.stderr)


def unread() -> bool:
    """Whether nobody reads standard output any more: what goes on only to be read may end."""
    return bool(getattr(sys.stdout, "unread", False))
