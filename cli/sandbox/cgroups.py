"""The control groups of one sandbox: everything it starts is in them, so they are also how it is ended completely.

On version 1 each controller is a tree of its own; on version 2 there is one.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

KILL_SECONDS = 15.0
_WEIGHTS = {"cpu.shares": 1024, "cpu.weight": 100}
"""What a group has by itself, by the file of version 1 and of version 2."""


def path(identity: str) -> str:
    """Kubelet's root, below which pods live; the sandbox's own programs are in `daemons` beside them."""
    return f"/turnout-{identity}"


def trees(mounts: str) -> list[Path]:
    """The trees that processes are placed in, from the text of /proc/mounts: all of version 1's, else version 2's."""
    rows = [line.split() for line in mounts.splitlines()]
    first = [Path(row[1]) for row in rows if row[2] == "cgroup"]
    return first or [Path(row[1]) for row in rows if row[2] == "cgroup2"][:1]


def mounted() -> list[Path]:
    return trees(Path("/proc/mounts").read_text())


def _everywhere() -> list[Path]:
    """Every tree of either version: where both are mounted, runc makes its groups in both."""
    rows = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return [Path(row[1]) for row in rows if row[2] in ("cgroup", "cgroup2")]


def make(identity: str) -> list[Path]:
    """Create them; the answer lists the `daemons` groups that a program of the sandbox joins.

    A sandbox that is started with a niceness yields like a process that has it: in groups of their own, the niceness of
    its programs counts among themselves only.
    """
    daemons, processors = [], os.cpu_count() or 1
    for tree in mounted():
        _delegate(tree)
        group = _group(tree, f"turnout-{identity}")
        _weigh(group, processors, os.getpriority(os.PRIO_PROCESS, 0))
        _delegate(group)
        daemons.append(_group(group, "daemons"))
    return daemons


def _group(parent: Path, name: str) -> Path:
    group = parent / name
    group.mkdir(exist_ok=True)
    for file in ("cpuset.cpus", "cpuset.mems"):  # version 1 takes no process before both are set
        if (group / file).exists() and not (parent / "cgroup.controllers").exists():
            (group / file).write_text((parent / file).read_text())
    return group


def weight(usual: int, processors: int, niceness: int) -> int:
    """A group's share of the processors: that of one process on each, for a group's weight is spread over them.

    A step of niceness is a factor of 1.25, as the kernel has it for processes.
    """
    return max(2, round(usual * processors / 1.25**niceness))


def _weigh(group: Path, processors: int, niceness: int) -> None:
    for file, usual in _WEIGHTS.items():
        if (group / file).exists():
            (group / file).write_text(str(weight(usual, processors, niceness)))


def _delegate(group: Path) -> None:
    """On version 2, let children use every controller that the group itself may use."""
    controllers = group / "cgroup.controllers"
    for controller in controllers.read_text().split() if controllers.exists() else ():
        with contextlib.suppress(OSError):
            (group / "cgroup.subtree_control").write_text(f"+{controller}")


def pids(identity: str) -> set[int]:
    """Every process of the sandbox: its programs, containerd's shims and what runs in containers."""
    found: set[int] = set()
    for group in _all(identity):
        with contextlib.suppress(OSError):
            found |= {int(line) for line in (group / "cgroup.procs").read_text().split()}
    return found - {0, os.getpid()}


def kill(identity: str) -> int:
    """SIGKILL every process of the sandbox, until none is left; says how many there were."""
    seen: set[int] = set()
    deadline = time.monotonic() + KILL_SECONDS
    while (left := pids(identity)) and time.monotonic() < deadline:
        seen |= left
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    return len(seen)


def remove(identity: str) -> list[Path]:
    """Remove the groups, innermost first; the answer lists what could not be removed."""
    for _ in range(20):
        left = [group for group in _all(identity) if not _removed(group)]
        if not left:
            return []
        time.sleep(0.05)
    return left


def _removed(group: Path) -> bool:
    try:
        group.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _all(identity: str) -> Iterator[Path]:
    for tree in _everywhere():
        top = tree / f"turnout-{identity}"
        for folder, _, _ in os.walk(top, topdown=False):
            yield Path(folder)
