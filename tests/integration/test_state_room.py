"""A full, a read-only and a filling file system under the state: real ones, mounted for the test."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.harness import eventually
from tests.integration import small as projects
from tests.integration.small import Small, ended

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount"),
]

PROGRAM = (
    "import asyncio\n"
    + projects.PROGRAM
    + """
    async def later(_):
        while not Path("go").exists():
            await asyncio.sleep(0.05)
        for number in range(shape["maps"]):
            make("ConfigMap", f"map-late-{number}", {"data": {"mark": "late"}}, after=[first])

    pulumi.Output.from_input(first.id).apply(later)
"""
)


class Disk:
    """A small file system of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        _run("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder))

    def fill(self) -> None:
        """Until not one more block can be had."""
        descriptor = os.open(self.folder / "ballast", os.O_WRONLY | os.O_CREAT)
        with suppress(OSError):
            while True:
                os.write(descriptor, bytes(4096))
        os.close(descriptor)

    def empty(self) -> None:
        (self.folder / "ballast").unlink()

    def allow(self, *options: str) -> None:
        _run("mount", "-o", ",".join(("remount", *options)), str(self.folder))

    def no_more_files(self) -> None:
        status = os.statvfs(self.folder)
        self.allow(f"nr_inodes={status.f_files - status.f_ffree + 4}")

    def files(self) -> dict[str, bytes]:
        return {str(file): file.read_bytes() for file in self.folder.rglob("*") if file.is_file()}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    found = Disk(tmp_path / "disk")
    try:
        yield found
    finally:
        _run("umount", "--lazy", str(found.folder))


@pytest.fixture
def project(tmp_path: Path, sandbox: str, kubeconfig: Path, disk: Disk) -> Iterator[Small]:
    folder = tmp_path / "project"
    folder.mkdir()
    with projects.small(folder, sandbox, kubeconfig, PROGRAM) as made:
        (folder / "go").touch()
        made.variables["PULUMI_BACKEND_URL"] = f"file://{disk.folder}"
        yield made


def test_full_and_read_only_folders_are_noticed_before_anything_is_changed(project: Small, disk: Disk) -> None:
    environment = project.environment
    project.run("up", environment, "--yes")
    before, there = disk.files(), project.maps()
    assert len(there) == 6
    project.ask_for(maps=5)
    for make, undo, told, advice in (
        (disk.fill, disk.empty, "no space left on device", f"turnout state prune {environment}"),
        (disk.no_more_files, lambda: disk.allow("nr_inodes=0"), "no space left on device", "free"),
        (lambda: disk.allow("ro"), lambda: disk.allow("rw"), "read-only file system", "mount it writable"),
    ):
        make()
        for words in (("up", "--yes"), ("refresh",), ("destroy", "--yes")):
            done = project.run(words[0], environment, *words[1:], expect=1)
            assert "nothing was changed" in done.stderr and told in done.stderr and advice in done.stderr
        undo()
        assert disk.files() == before, "no probe is left behind"
        assert project.maps() == there
    disk.allow("ro")
    project.run("preview", environment)
    disk.allow("rw")
    project.run("up", environment, "--yes")
    assert len(project.maps()) == 10


def test_state_lost_in_a_run_is_kept_here_and_recovered_by_the_commands_that_are_named(
    project: Small, disk: Disk
) -> None:
    environment = project.environment
    (project.folder / "go").unlink()
    process = project.start("up", environment, "--yes")
    try:
        eventually(lambda: len(_maps_stored(project, disk)) == 3, "the first maps in the state")
        disk.fill()
    finally:
        (project.folder / "go").touch()
        done = ended(process)
    assert done.returncode == 1
    assert "failed to save snapshot" in done.stderr and "no space left on device" in done.stderr
    named = re.search(
        rf"turnout (state restore {environment} --from (\S+)), turnout (repair {environment})", done.stderr
    )
    assert named and (project.folder / named[2]).stat().st_mode & 0o077 == 0
    disk.empty()
    project.run(*named[1].split(), "--yes", expect=None)
    project.run(*named[3].split(), "--yes")
    project.run("up", environment, "--yes")
    assert len(project.maps()) == 6
    assert "no changes" in project.run("preview", environment).stdout.lower()


def _maps_stored(project: Small, disk: Disk) -> list[str]:
    file = disk.folder / ".pulumi/stacks" / projects.NAME / f"{project.environment}.json"
    text = file.read_text() if file.exists() else ""
    return re.findall(r'"id":"[^"]+/(map-\d)"', text)


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)
