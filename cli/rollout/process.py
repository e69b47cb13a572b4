"""Tells on the same machine, without a doubt, that a process is gone."""

from __future__ import annotations

import os
from pathlib import Path

from cli import proc

_PROC = Path("/proc")


def mine() -> str:
    """Names this process for all time: boot, pid namespace, pid and start tick. Empty where there is no /proc."""
    return _name(os.getpid())


def gone(name: str) -> bool:
    """Whether the process of that name ran on this boot, in this pid namespace, and has ended."""
    parts = name.split("/")
    if len(parts) != 4 or parts[:2] != mine().split("/")[:2]:
        return False
    return _name(int(parts[2])) != name


def _name(pid: int) -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        scope = (_PROC / "self/ns/pid").readlink().name.strip("pid:[]")
        return f"{boot}/{scope}/{pid}/{_start_tick(pid)}"
    except OSError:
        return ""


def _start_tick(pid: int) -> str:
    """A process that is over, but that nobody has waited for, has none: in a container such ones may stay for ever."""
    fields = proc.stat(pid)
    return "" if fields[proc.STATE] in proc.OVER else fields[proc.STARTED]
