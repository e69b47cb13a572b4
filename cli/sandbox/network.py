"""Addresses for a sandbox, chosen so that nothing on this machine uses them, and free ports."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import socket
import subprocess
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from cli.errors import TurnoutError
from cli.sandbox import layout, prerequisites
from cli.sandbox.layout import Subnets

Network = ipaddress.IPv4Network
CANDIDATES = range(64, 255)  # 10.64.0.0/16 up to 10.254.0.0/16: clear of what Docker, k3s and kubeadm start with
RESOLV_CONF = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))


def choose(name: str, taken: Collection[Network]) -> Subnets:
    """The first free block at or after the one that the name's hash points at, so that a sandbox usually
    gets the same addresses again."""
    start = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % len(CANDIDATES)
    for number in (*CANDIDATES[start:], *CANDIDATES[:start]):
        subnets = Subnets(f"10.{number}")
        if not any(network.overlaps(Network(subnets.whole)) for network in taken):
            return subnets
    raise TurnoutError(
        "no free block of addresses for the sandbox",
        why=f"this machine uses every /16 from 10.{CANDIDATES[0]} to 10.{CANDIDATES[-1]}",
        next="end one that is not needed: turnout sandbox down NAME",
    )


def taken() -> list[Network]:
    """What this machine's routes, addresses and name servers, and other sandboxes, use."""
    routes = _ip("route", "show", "table", "all")
    found = [route["dst"] for route in routes if route.get("dst", "default") != "default"]
    addresses = [info["local"] for link in _ip("addr") for info in link.get("addr_info", ()) if "local" in info]
    others = [settings.subnets.whole for _, settings in layout.known()]
    return list(_networks([*found, *addresses, *nameservers(RESOLV_CONF), *others]))


def nameservers(files: Iterable[Path]) -> list[str]:
    """The machine's own name servers that can be asked from another network namespace: none on loopback."""
    lines = [line.split() for file in files if file.exists() for line in file.read_text().splitlines()]
    servers = [words[1] for words in lines if len(words) > 1 and words[0] == "nameserver"]
    return [server for server in dict.fromkeys(servers) if _reachable(server)]


def free_ports(names: Sequence[str]) -> dict[str, int]:
    """A free port on loopback for each name. They are all held until the last is found, so none repeats."""
    sockets = [socket.socket() for _ in names]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return {name: each.getsockname()[1] for name, each in zip(names, sockets, strict=True)}
    finally:
        for each in sockets:
            each.close()


def _ip(*arguments: str) -> list[dict[str, Any]]:
    command = prerequisites.where("ip")
    if command is None:
        return []
    answer = subprocess.run([command, "-4", "-j", *arguments], capture_output=True, text=True, timeout=10, check=False)
    result: list[dict[str, Any]] = json.loads(answer.stdout or "[]")
    return result


def _networks(texts: Iterable[object]) -> Iterable[Network]:
    for text in texts:
        try:
            yield Network(str(text), strict=False)
        except ValueError:
            continue


def _reachable(server: str) -> bool:
    try:
        address = ipaddress.ip_address(server)
    except ValueError:
        return False
    return address.version == 4 and not address.is_loopback
