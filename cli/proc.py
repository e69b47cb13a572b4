"""What Linux tells about a process, by proc(5)."""

from __future__ import annotations

from pathlib import Path

OVER = ("Z", "X")
"""States of a process that has ended, and that nobody has waited for yet."""
STATE, STARTED = 0, 19
"""Places in `stat`: the state, and the clock tick at which it started."""


def stat(pid: int) -> list[str]:
    """The fields of `/proc/PID/stat` from the third on; the name before them may hold spaces and brackets.

    Raises OSError where there is no such process, or no /proc.
    """
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
