"""The official plugin: where it is, and runs that use it, or ours."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

NAME = "pulumi-resource-kubernetes"
VARIABLE = "TURNOUT_OFFICIAL_PROVIDER"
MISSING = f"the official plugin is not there: put {NAME} on PATH, install it, or name it in {VARIABLE}"


def binary(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The plugin named by the variable, on PATH, or the newest 4.x among Pulumi's own."""
    named = environment.get(VARIABLE)
    if named:
        return Path(named) if Path(named).is_file() else None
    if found := shutil.which(NAME, path=environment.get("PATH")):
        return Path(found)
    home = Path(environment.get("PULUMI_HOME") or Path.home() / ".pulumi")
    installed = sorted(home.glob(f"plugins/resource-kubernetes-v4.*/{NAME}"), key=lambda file: file.stat().st_mtime)
    return installed[-1] if installed else None


@contextmanager
def chosen(provider: str) -> Iterator[None]:
    """The engine uses `own` or `official` for the length of the block; the latter by PATH, which needs no install."""
    path = os.environ.get("PATH", "")
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, {"TURNOUT_PROVIDER": provider}):
        if provider == "official":
            file = binary()
            assert file is not None, MISSING
            (Path(folder) / NAME).symlink_to(file)
            home = {"PULUMI_HOME": folder, "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}
            with mock.patch.dict(os.environ, {"PATH": f"{folder}:{path}", **home}):
                yield
        else:
            yield
