"""The project that a command works on, chosen once by `turnout -C DIR`."""

from __future__ import annotations

from pathlib import Path

from cli import paths

_chosen: Path | None = None


def choose(folder: Path | None) -> None:
    """Work on the project at or above `folder`; None means the current folder."""
    global _chosen
    _chosen = folder


def project() -> Path:
    """The project's root folder. Raises TurnoutError (exit 2) when there is none."""
    return paths.project_root(_chosen)
