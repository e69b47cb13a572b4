"""Fixtures of the integration tests."""

import signal
from collections.abc import Iterator

import pytest

from tests.integration.faulty import scene
from tests.integration.provider_fixtures import engine, kube, live, namespace, running

__all__ = ["engine", "hang_ups", "kube", "live", "namespace", "running", "scene"]


@pytest.fixture
def hang_ups() -> Iterator[None]:
    """Children hear SIGHUP, also where the tests run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)
