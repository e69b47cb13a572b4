"""The dev environment, deployed once for all end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli.demo.cluster import build_everything
from cli.demo.project import OLD, Project
from cli.progress import Lines
from cli.sandbox import cluster as sandboxes
from cli.sandbox import images
from tests.harness import ROOT, Environment


@pytest.fixture(scope="session")
def dev(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """The dev environment, serving the app's old version; its state and passphrase are its own."""
    project = Project(tmp_path_factory.mktemp("project"))
    project.copy_from(ROOT)
    project.edit(lambda document: document["config"].update({"turnout:cluster": {"sandbox": sandbox}}))
    project.release(OLD)
    environment = Environment(project, sandbox)
    progress = Lines()
    broken = images.app_image(ROOT / "examples" / "agents", "1.2.0", "broken", progress)
    sandboxes.load_images(sandbox, [*build_everything(ROOT, progress)[0], broken], progress)
    environment.turnout("init", "dev")
    environment.turnout("up", "dev", "--yes")
    yield environment
    environment.kube.close()
