"""axe-core, the accessibility checker that browsers' own tools use: fetched with npm, pinned by its content, kept in
turnout's cache. A machine without npm skips what needs it."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from cli.paths import cache_dir

VERSION = "4.10.3"
SHA256 = "0f2b4d7dcdf7d1219df8d1959ad68e565f51d14c3f0d88bb71cd59abeb956292"
_LIMIT = 120


def script() -> str:
    """The checker as one script."""
    folder = cache_dir() / "axe-core" / VERSION
    archive = folder / f"axe-core-{VERSION}.tgz"
    if not archive.is_file():
        _fetch(folder)
    content = archive.read_bytes()
    assert hashlib.sha256(content).hexdigest() == SHA256, f"{archive} is not what was pinned: delete it"
    with tarfile.open(archive) as opened:
        member = opened.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()


def _fetch(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs npm, for axe-core")
    folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "pack", f"axe-core@{VERSION}", "--pack-destination", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT, check=False)
    if done.returncode != 0:
        pytest.skip(f"axe-core could not be fetched: {done.stderr.strip().splitlines()[-1:]}")
