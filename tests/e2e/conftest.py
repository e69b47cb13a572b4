"""The dev environment, deployed once for all end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli.demo.project import OLD, Project
from tests.harness import ROOT, Environment, turnout


@pytest.fixture(scope="session")
def dev(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """The dev environment, serving the app's old version; its state and passphrase are its own."""
    project = Project(tmp_path_factory.mktemp("project"))
    project.copy_from(ROOT)
    project.edit(lambda document: document["config"].update({"turnout:cluster": {"sandbox": sandbox}}))
    project.release(OLD)
    environment = Environment(project, sandbox)
    turnout("sandbox", "images", sandbox, "--load")
    environment.turnout("init", "dev")
    environment.turnout("up", "dev", "--yes")
    yield environment
    environment.kube.close()
