"""Fixtures of the integration tests."""

from tests.integration.faulty import scene
from tests.integration.provider_fixtures import engine, kube, live, namespace, running

__all__ = ["engine", "kube", "live", "namespace", "running", "scene"]
