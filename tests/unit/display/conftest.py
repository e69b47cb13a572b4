"""Streams that nobody reads any more."""

from __future__ import annotations

import os
import pty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

import pytest


def _pipe() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def _terminal() -> int:
    ours, theirs = pty.openpty()
    os.close(ours)
    return theirs


@contextmanager
def opened(descriptor: int) -> Iterator[TextIO]:
    file = os.fdopen(descriptor, "w")
    try:
        yield file
    finally:
        with suppress(OSError):
            file.close()


@pytest.fixture(params=[_pipe, _terminal], ids=["pipe", "terminal"])
def unread(request: pytest.FixtureRequest) -> Iterator[TextIO]:
    make: Callable[[], int] = request.param
    with opened(make()) as file:
        yield file
