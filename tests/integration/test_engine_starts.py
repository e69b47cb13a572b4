"""How often each command starts `pulumi`: every start costs a quarter of a second before any work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.engine import binary
from cli.progress import Silent
from tests.integration.small import Small, small

pytestmark = pytest.mark.cluster

COUNTING = '#!/bin/sh\necho "$1 $2" >> "{log}"\nexec "{real}" "$@"\n'


class Counted:
    """A project whose `pulumi` notes each start of it."""

    def __init__(self, project: Small) -> None:
        self.project, self._log = project, project.folder / "starts"
        tool = project.folder / "bin/pulumi"
        tool.parent.mkdir()
        tool.write_text(COUNTING.format(log=self._log, real=binary.find(Silent()).path))
        tool.chmod(0o755)
        project.variables |= {
            "PATH": f"{tool.parent}:{os.environ['PATH']}",
            "TURNOUT_CACHE": str(project.folder / "cache"),
        }

    def starts(self, verb: str, *options: str) -> list[str]:
        """What a command asked `pulumi` for, in order; without the question for its version."""
        self._log.write_text("")
        self.project.run(verb, self.project.environment, *options)
        lines = [line.split(" -")[0].strip() for line in self._log.read_text().splitlines()]
        return [line for line in lines if line != "version"]


@pytest.fixture
def counted(tmp_path: Path, sandbox: str, kubeconfig: Path) -> Iterator[Counted]:
    with small(tmp_path, sandbox, kubeconfig) as project:
        yield Counted(project)


def test_each_operation_starts_the_engine_once(counted: Counted) -> None:
    assert counted.starts("up", "--yes") == ["stack init", "up"]
    assert counted.starts("up", "--yes") == ["up"]
    assert counted.starts("preview", "--exit-code") == ["preview"]
    assert counted.starts("refresh") == ["refresh"]
    assert counted.starts("destroy", "--yes") == ["destroy"]
