"""Where turnout keeps things on this machine, following the XDG base directory specification."""

from __future__ import annotations

import os
from pathlib import Path

from cli.errors import UsageError

VARIABLES = ("TURNOUT_STATE", "TURNOUT_CACHE", "XDG_STATE_HOME", "XDG_CACHE_HOME")
"""The caller's choice of where things are kept; whatever is started for them has to know."""


def cache_dir() -> Path:
    """Built binaries and images; safe to delete. `TURNOUT_CACHE` overrides."""
    return _under("TURNOUT_CACHE", "XDG_CACHE_HOME", "~/.cache")


def state_dir() -> Path:
    """Running sandboxes; end them with `turnout sandbox down` before deleting. `TURNOUT_STATE` overrides."""
    return _under("TURNOUT_STATE", "XDG_STATE_HOME", "~/.local/state")


def sandbox_dir(name: str) -> Path:
    """The folder of one sandbox, which holds everything that it writes."""
    return state_dir() / "sandboxes" / name


def sandbox_kubeconfig(name: str) -> Path:
    """The administrator's kubeconfig of a sandbox (mode 0600)."""
    return sandbox_dir(name) / "kubeconfig"


def project_root(start: Path | None = None) -> Path:
    """The nearest folder at or above `start` (default: where the command was called) with a `Pulumi.yaml`."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "Pulumi.yaml").is_file():
            return folder
    raise UsageError(
        f"no Pulumi.yaml in {here} or above it",
        why="turnout works inside a project: a folder with Pulumi.yaml and one Pulumi.<env>.yaml an environment",
        next="cd into your checkout, or name it: turnout -C DIR …",
    )


def work_dir(root: Path) -> Path:
    """The project's own scratch folder, ignored by git: file state, demo results, logs."""
    return root / ".turnout"


def _under(own: str, xdg: str, fallback: str) -> Path:
    if value := os.environ.get(own):
        return Path(value).expanduser()
    return Path(os.environ.get(xdg) or fallback).expanduser() / "turnout"
