"""What git says of a checkout."""

from __future__ import annotations

import subprocess
from pathlib import Path

_SECONDS = 10.0


def said(root: Path, *words: str, seconds: float = _SECONDS) -> str | None:
    """The answer of `git WORDS` in that folder; None where git refuses, is not there, or takes too long."""
    command = ["git", "-C", str(root), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
