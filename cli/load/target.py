"""Where load may go: to this machine, and to nothing else."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from cli.errors import UsageError


@dataclass(frozen=True)
class Target:
    """An address that load may be sent to."""

    host: str
    port: int
    path: str


def target(url: str, *, sandbox: str | None = None) -> Target:
    """Take a URL apart. Raises UsageError unless it names a loopback address, or one in `sandbox`, the network (CIDR)
    of a sandbox's services on this machine."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise UsageError(f"cannot send load to {url}", why="expected http://ADDRESS[:PORT]/PATH")
    address = _address(parts.hostname)
    if not (address.is_loopback or (sandbox and address in ipaddress.ip_network(sandbox))):
        raise UsageError(
            f"no load is sent to {address}",
            why="it is neither a loopback address nor in the sandbox's service network",
            next="name that network when the address is a service of a sandbox here: --sandbox CIDR",
        )
    return Target(str(address), parts.port or 80, parts.path or "/")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise UsageError(f"{host} is not an IP address", why="names are not resolved for a load") from None
