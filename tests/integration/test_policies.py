"""An apply that breaks a mandatory policy, on a real API server: refused before anything is touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.kube.errors import NotFound
from tests.integration.small import PROGRAM, Small, small

pytestmark = pytest.mark.cluster
HERMETIC = PROGRAM + "\n\nhermetic = program\n"
ONE = """\
  turnout:review:
    exceptions:
      idle: {rule: resources, where: Deployment */never, reason: it never starts, owner: tests, expires: 2099-12-31}
"""


@pytest.fixture
def shop(tmp_path: Path, sandbox: str, kubeconfig: Path) -> Iterator[Small]:
    """A project that is judged as any other is; its Deployment breaks many policies."""
    with small(tmp_path, sandbox, kubeconfig, HERMETIC) as project:
        project.ask_for(maps=1, never=True)
        file = tmp_path / f"Pulumi.{project.environment}.yaml"
        file.write_text(file.read_text() + ONE)
        yield project


def test_it_is_refused_untouched_until_it_is_mended(shop: Small) -> None:
    done = shop.run("up", shop.environment, "--yes", expect=4)
    place = f"Deployment {shop.environment}/never"
    assert f"{shop.environment} breaks capabilities, default-account, default-deny and " in done.stderr
    assert f"capabilities: {place}: never does not drop ALL; instead: capabilities: {{drop: [ALL]}}" in done.stderr
    assert f"under turnout:review.exceptions in Pulumi.{shop.environment}.yaml" in done.stderr
    with pytest.raises(NotFound):
        shop.kube.get("v1", "Namespace", shop.environment)
    assert not list(shop.state_folder.glob(f"stacks/**/{shop.environment}.json"))
    shop.ask_for(maps=1)
    shop.run("up", shop.environment, "--yes")
    assert set(shop.maps()) == {"map-0"}


def test_a_preview_tells_the_same_and_ends_with_4(shop: Small) -> None:
    done = shop.run("preview", shop.environment, expect=4)
    told = [line.split()[2].rstrip(":") for line in done.stdout.splitlines() if line.startswith("policy (mandatory)")]
    assert "read-only-root" in told
    assert "resources" not in told
