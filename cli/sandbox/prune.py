"""Deletes what the cache holds of earlier keys. The newest two of each are kept: two checkouts may take turns."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Final

from cli import paths

_KEPT: Final = 2


def binaries(part: str) -> None:
    """Deletes folders of the part's binaries but the two last used, and builds of it that nobody finished.

    To be called by whoever holds the part's lock.
    """
    store = paths.cache_dir() / "bin"
    for folder in (*_older(store, rf"{re.escape(part)}-[0-9a-f]{{12}}"), *store.glob(f".{part}-*.unfinished")):
        shutil.rmtree(folder, ignore_errors=True)


def images(name: str) -> None:
    """Deletes archives of the image but the two last used. `name` is the archive's less its key."""
    for archive in _older(paths.cache_dir() / "images", rf"{re.escape(name)}-[0-9a-f]{{12}}\.tar"):
        archive.with_suffix(".json").unlink(missing_ok=True)
        archive.unlink(missing_ok=True)


def used(path: Path) -> None:
    """Marks a folder or an archive as used now."""
    try:
        os.utime(path)
    except OSError:  # a cache that this user may only read
        return


def _older(store: Path, pattern: str) -> list[Path]:
    found = [(path.stat().st_mtime, path) for path in store.iterdir() if re.fullmatch(pattern, path.name)]
    return [path for _, path in sorted(found, reverse=True)[_KEPT:]]
