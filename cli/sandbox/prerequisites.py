"""What real pods need from the host: programs that Debian packages, and a few kernel features.

`missing()` looks, `install()` asks apt-get. Nothing else on the host is changed.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cli.errors import TurnoutError
from cli.progress import Progress, Step

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
APT_TIMEOUT = 600.0
APT_UPDATE_TIMEOUT = 180.0


@dataclass(frozen=True)
class Need:
    """One program that real pods need, and the Debian package that brings it."""

    program: str
    package: str


NEEDS = (
    Need("containerd", "containerd"),
    Need("containerd-shim-runc-v2", "containerd"),
    Need("ctr", "containerd"),
    Need("runc", "runc"),
    Need("nft", "nftables"),
    Need("iptables", "iptables"),
    Need("ip", "iproute2"),
    Need("nsenter", "util-linux"),
    Need("unshare", "util-linux"),
    Need("mount", "mount"),
)


def where(program: str) -> str | None:
    """The program's path; root's folders are searched also when PATH lacks them."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:{SEARCH_PATH}")


def missing() -> list[str]:
    """Debian packages to install, without repetition and in a stable order."""
    return list(dict.fromkeys(need.package for need in NEEDS if where(need.program) is None))


def can_run_real_pods() -> bool:
    """Root on Linux; whether programs are missing is another question, see `missing`."""
    return platform.system() == "Linux" and os.geteuid() == 0


def ensure(progress: Progress) -> None:
    """Install what is missing. Raises TurnoutError with the exact command when this machine has no apt-get."""
    packages = missing()
    if not packages:
        return
    command = f"apt-get install --yes --no-install-recommends {' '.join(packages)}"
    if where("apt-get") is None:
        raise TurnoutError(
            f"real pods need {', '.join(packages)}",
            why="they are not installed, and this machine has no apt-get to install them with",
            next=f"install them (on Debian: {command}), or: turnout sandbox up --pods simulated",
        )
    with progress.step(f"installing {', '.join(packages)}") as step:
        _install(packages, step)
    if still := missing():
        raise TurnoutError(
            f"{', '.join(still)} did not install", next=f"run it by hand and read what it says: {command}"
        )


def _install(packages: list[str], step: Step) -> None:
    if _apt(["install", "--yes", "--no-install-recommends", *packages], step, APT_TIMEOUT) == 0:
        return
    step.update("refreshing the package lists")
    _apt(["update"], step, APT_UPDATE_TIMEOUT)
    _apt(["install", "--yes", "--no-install-recommends", *packages], step, APT_TIMEOUT)


def _apt(arguments: list[str], step: Step, timeout: float) -> int:
    """Run apt-get, its last line as the step's detail."""
    path = f"{os.environ.get('PATH', '')}:{SEARCH_PATH}"
    with subprocess.Popen(
        ["apt-get", "-o", f"Acquire::http::Timeout={timeout:.0f}", "-o", "DPkg::Lock::Timeout=120", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "PATH": path},
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip():
                step.update(line.strip()[:100])
    return process.returncode


def kernel_problem() -> str:
    """Why real pods cannot run on this kernel, or nothing."""
    if not Path("/proc/sys/net/bridge/bridge-nf-call-iptables").exists():
        modprobe = where("modprobe")
        if modprobe:
            subprocess.run([modprobe, "br_netfilter"], capture_output=True, timeout=30, check=False)
        if not Path("/proc/sys/net/bridge/bridge-nf-call-iptables").exists():
            return "the kernel has no br_netfilter, so Services and NetworkPolicies would not work between pods"
    if "overlay" not in Path("/proc/filesystems").read_text():
        modprobe = where("modprobe")
        if modprobe:
            subprocess.run([modprobe, "overlay"], capture_output=True, timeout=30, check=False)
        if "overlay" not in Path("/proc/filesystems").read_text():
            return "the kernel has no overlay file system"
    return ""
