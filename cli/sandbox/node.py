"""The host's side of a sandbox with real pods: it lives in a network and a mount namespace of its own.

So its bridge, its kube-proxy and policy tables and every pod's mounts are invisible to the host and vanish with it.
The host keeps one link, one route, one nft table (outgoing traffic), a control group, and the namespaces' files.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

from cli.errors import TurnoutError
from cli.sandbox import cgroups, layout, prerequisites
from cli.sandbox.layout import Layout, Settings
from cli.sandbox.node_config import BRIDGE, BRIDGE_ADDRESS

COMMAND_TIMEOUT = 30.0
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
# below the sandbox's `node` folder: where it lies inside the sandbox's mount namespace
MOUNTS = {
    "containerd": "/var/lib/containerd",
    "run-containerd": "/run/containerd",
    "kubelet": "/var/lib/kubelet",
    "cni": "/var/lib/cni",
    "log-pods": "/var/log/pods",
    "log-containers": "/var/log/containers",
    "netns": "/run/netns",
}


def device(identity: str) -> str:
    """The host's end of the link; Linux allows 15 characters."""
    short = identity if len(identity) <= 12 else hashlib.sha256(identity.encode()).hexdigest()[:12]
    return f"tn-{short}"


def link_commands(layout: Layout, settings: Settings) -> list[list[str]]:
    """What makes the link on the host's side."""
    name, subnets = device(layout.identity()), settings.subnets
    return [
        ["ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(layout.network_namespace)],
        ["ip", "address", "add", f"{subnets.host}/30", "dev", name],
        ["ip", "link", "set", name, "up"],
    ]


def inner_commands(settings: Settings) -> list[list[str]]:
    """What makes the network inside the sandbox's namespace."""
    subnets = settings.subnets
    return [
        ["ip", "link", "set", "lo", "up"],
        ["ip", "address", "replace", f"{subnets.node}/30", "dev", "eth0"],
        ["ip", "link", "set", "eth0", "up"],
        ["ip", "route", "replace", "default", "via", subnets.host],
        *bridge_commands(subnets.pods),
    ]


def bridge_commands(pods: str) -> list[list[str]]:
    """The pods' bridge, their gateway. The CNI plugin would set its address anew for each pod that starts, which makes
    the kernel forget every neighbour behind it: a packet on its way at that moment is lost."""
    network = ip_network(pods)
    make = f"ip link show {BRIDGE} >/dev/null 2>&1 || ip link add {BRIDGE} address {BRIDGE_ADDRESS} type bridge"
    return [
        ["/bin/sh", "-c", make],
        ["ip", "address", "replace", f"{network[1]}/{network.prefixlen}", "dev", BRIDGE],
        ["ip", "link", "set", BRIDGE, "up"],
    ]


def inner_script(layout: Layout) -> str:
    """Shell text for inside the namespaces, safe to repeat: kernel settings and the node's folders in their places."""
    lines = [
        "set -e",
        "echo 1 > /proc/sys/net/ipv4/ip_forward",
        "echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables",
        "findmnt --noheadings --output PROPAGATION / | grep -q shared || mount --make-rshared /",
    ]
    for folder, place in MOUNTS.items():
        # a peer group of its own: otherwise each pod's mounts appear a second time below the folder
        lines.append(
            f'mountpoint -q {place} || {{ mount --bind "{layout.node / folder}" {place}; '
            f"mount --make-private {place}; mount --make-rshared {place}; }}"
        )
    resolv = layout.config / "resolv.conf"
    lines.append(f'mountpoint -q /etc/resolv.conf || mount --bind "{resolv}" "$(readlink -f /etc/resolv.conf)"')
    return "\n".join(lines)


def outgoing(layout: Layout, settings: Settings) -> str:
    """The host's nft table: what leaves the sandbox carries the host's address, and nobody but the host gets in."""
    table, link, whole = f"turnout-{layout.identity()}", device(layout.identity()), settings.subnets.whole
    return f"""\
table ip {table}
delete table ip {table}
table ip {table} {{
    chain outgoing {{
        type nat hook postrouting priority srcnat
        ip saddr {whole} ip daddr != {whole} masquerade
    }}
    chain incoming {{
        type filter hook forward priority filter
        oifname "{link}" ct state established,related accept
        oifname "{link}" drop
    }}
}}
"""


class Node:
    """Makes, enters and removes the namespaces of one sandbox."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._identity = layout.identity()

    def enter(self, command: Sequence[str]) -> list[str]:
        """The command, inside both namespaces and the sandbox's control groups."""
        groups = [str(tree / cgroups.path(self._identity)[1:] / "daemons") for tree in cgroups.mounted()]
        join = 'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ > "$1/cgroup.procs"; shift; n=$((n-1)); done; exec "$@"'
        return ["/bin/sh", "-c", join, "sh", str(len(groups)), *groups, *self._inside(command)]

    def run(self, *command: str, text: str | None = None, timeout: float = COMMAND_TIMEOUT) -> str:
        """Run to its end inside the namespaces; its output."""
        return run(self._inside(command), text, timeout)

    def prepare(self, settings: Settings) -> None:
        """Everything on the host that the node's programs need. Safe to repeat; picks up a half-made state."""
        cgroups.make(self._identity)
        self._folders()
        self._namespaces()
        self._link(settings)
        run(["nft", "-f", "-"], outgoing(self._layout, settings))
        FORWARDING.write_text("1\n")
        for command in inner_commands(settings):
            self.run(*command)
        self.run("/bin/sh", "-c", inner_script(self._layout))

    def remove(self) -> None:
        """Undo `prepare`, whatever of it is there, after ending every process."""
        cgroups.kill(self._identity)
        quiet(["ip", "link", "delete", device(self._identity)])
        quiet(["nft", "delete", "table", "ip", f"turnout-{self._identity}"])
        for file in (self._layout.mount_namespace, self._layout.network_namespace, self._layout.namespaces):
            while _mounted(file):
                run(["umount", "--lazy", str(file)])
        cgroups.remove(self._identity)

    @property
    def there(self) -> bool:
        return _mounted(self._layout.network_namespace) and _mounted(self._layout.mount_namespace)

    def _inside(self, command: Sequence[str]) -> list[str]:
        spaces = self._layout
        return ["nsenter", f"--net={spaces.network_namespace}", f"--mount={spaces.mount_namespace}", "--", *command]

    def _folders(self) -> None:
        for folder in MOUNTS:
            (self._layout.node / folder).mkdir(parents=True, exist_ok=True)
        self._layout.volumes.mkdir(exist_ok=True)
        self._layout.namespaces.mkdir(exist_ok=True)

    def _namespaces(self) -> None:
        """Held by files on a mount of their own, which is private as the kernel demands."""
        spaces = self._layout
        if not _mounted(spaces.namespaces):
            run(["mount", "--bind", str(spaces.namespaces), str(spaces.namespaces)])
            run(["mount", "--make-private", str(spaces.namespaces)])
        if not _mounted(spaces.network_namespace):
            spaces.network_namespace.touch()
            run(["unshare", f"--net={spaces.network_namespace}", "true"])
        if not _mounted(spaces.mount_namespace):
            spaces.mount_namespace.touch()
            run(["unshare", f"--mount={spaces.mount_namespace}", "--propagation", "private", "true"])

    def _link(self, settings: Settings) -> None:
        if not Path(f"/sys/class/net/{device(self._identity)}").exists():
            for command in link_commands(self._layout, settings):
                run(command)
        run(["ip", "route", "replace", settings.subnets.whole, "via", settings.subnets.node])


def borrow(settings: Settings) -> Settings:
    """Take note of what `prepare` changes on the host, and make the folders that its mounts need there."""
    absent = [place for place in MOUNTS.values() if not Path(place).exists()]
    for place in absent:
        Path(place).mkdir(parents=True)
    forwarding = settings.forwarding or FORWARDING.read_text().strip()
    return replace(settings, created=tuple(dict.fromkeys((*settings.created, *absent))), forwarding=forwarding)


def give_back(name: str, settings: Settings) -> None:
    """Put the host back as it was before the first sandbox; while others remain, leave that to one of them."""
    if others := _others(name):
        heir, theirs = others[0]
        heir.remember(_inherit(theirs, settings))
        return
    if _tables_of_sandboxes():
        return  # of another state folder
    for place in settings.created:
        with contextlib.suppress(OSError):
            Path(place).rmdir()
    if settings.forwarding == "0":
        FORWARDING.write_text("0\n")


def _inherit(heir: Settings, leaving: Settings) -> Settings:
    """The first of several sandboxes found forwarding off, the later ones found it on."""
    values = [value for value in (heir.forwarding, leaving.forwarding) if value]
    created = tuple(dict.fromkeys((*heir.created, *leaving.created)))
    return replace(heir, created=created, forwarding=min(values, default=""))


def _others(name: str) -> list[tuple[Layout, Settings]]:
    """The other sandboxes with real pods, which share what there is only one of on a host."""
    return [(other, settings) for other, settings in layout.known() if other.name != name and settings.pods == "real"]


def _tables_of_sandboxes() -> list[str]:
    return [line for line in run(["nft", "list", "tables"]).splitlines() if line.startswith("table ip turnout-")]


def run(command: Sequence[str], text: str | None = None, timeout: float = COMMAND_TIMEOUT) -> str:
    """Run a host command. Raises TurnoutError with what it printed when it fails."""
    answer = _call(command, text, timeout)
    if answer.returncode != 0:
        raise TurnoutError(
            f"{' '.join(command)[:200]} failed with {answer.returncode}",
            why=(answer.stderr or answer.stdout).strip()[-800:],
        )
    return answer.stdout


def quiet(command: Sequence[str]) -> bool:
    """Run a host command that may have nothing to do; says whether it did."""
    return _call(command, None, COMMAND_TIMEOUT).returncode == 0


def _call(command: Sequence[str], text: str | None, timeout: float) -> subprocess.CompletedProcess[str]:
    program = prerequisites.where(command[0]) or command[0]
    environment = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{prerequisites.SEARCH_PATH}"}
    try:
        return subprocess.run(
            [program, *command[1:]],
            input=text,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env=environment,
        )
    except subprocess.TimeoutExpired as error:
        raise TurnoutError(f"{' '.join(command)[:200]} did not end within {timeout:.0f} s") from error


def file_system(path: Path, mountinfo: str) -> str:
    """The type of the file system that holds `path`, from the text of /proc/PID/mountinfo (proc(5))."""
    rows = [line.split() for line in mountinfo.splitlines()]
    mounts = [(Path(row[4]), row[row.index("-") + 1]) for row in rows]
    around = [(len(place.parts), kind) for place, kind in mounts if path.is_relative_to(place)]
    return max(around, default=(0, ""), key=lambda each: each[0])[1]


def _mounted(path: Path) -> bool:
    """Whether something is mounted at exactly this path, from the kernel's own list (proc(5), mountinfo)."""
    wanted = str(path).replace(" ", "\\040")
    return any(line.split()[4] == wanted for line in Path("/proc/self/mountinfo").read_text().splitlines())
