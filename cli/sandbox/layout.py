"""Where one sandbox keeps its files, and the few facts about it that are chosen once and remembered."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from cli import paths
from cli.errors import TurnoutError, UsageError

Pods = Literal["real", "simulated"]
NODE = "sandbox"
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?")


@dataclass(frozen=True)
class Subnets:
    """The addresses of one sandbox, all inside one /16 block of its own (`block` is its first two octets)."""

    block: str

    @property
    def whole(self) -> str:
        return f"{self.block}.0.0/16"

    @property
    def pods(self) -> str:
        return f"{self.block}.0.0/20"

    @property
    def services(self) -> str:
        return f"{self.block}.128.0/18"

    @property
    def first_service(self) -> str:
        return f"{self.block}.128.1"

    @property
    def dns(self) -> str:
        return f"{self.block}.128.10"

    @property
    def gateway(self) -> str:
        return f"{self.block}.128.11"

    @property
    def link(self) -> str:
        return f"{self.block}.255.0/30"

    @property
    def host(self) -> str:
        """This machine, as the sandbox sees it."""
        return f"{self.block}.255.1"

    @property
    def node(self) -> str:
        """The sandbox's one node, as this machine sees it."""
        return f"{self.block}.255.2"


@dataclass(frozen=True)
class Settings:
    """What was chosen when the sandbox was first brought up. Ports are those on `address`."""

    name: str
    pods: Pods
    block: str
    ports: dict[str, int] = field(default_factory=dict)
    identity: str = ""
    """What it is called on the host, where a sandbox of another state folder may have the same name; none: its name."""
    created: tuple[str, ...] = ()
    """Empty folders that were made on the host as mount points, to be removed with the sandbox."""
    forwarding: str = ""
    """The host's `net.ipv4.ip_forward` before the sandbox turned it on."""

    @property
    def subnets(self) -> Subnets:
        return Subnets(self.block)

    @property
    def address(self) -> str:
        """Where the API server listens."""
        return self.subnets.node if self.pods == "real" else "127.0.0.1"

    @property
    def server(self) -> str:
        return f"https://{self.address}:{self.ports['kube-apiserver']}"


class Layout:
    """The folder of one sandbox. Raises UsageError for a name that Kubernetes and Linux would not both take."""

    def __init__(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} cannot name a sandbox",
                why="expected at most 30 of a-z, 0-9 and -, beginning and ending with a letter or digit",
            )
        self.name = name
        self.root = paths.sandbox_dir(name)
        self.kubeconfig = paths.sandbox_kubeconfig(name)
        self.settings_file = self.root / "sandbox.json"
        self.pki = self.root / "pki"
        self.config = self.root / "config"
        self.log = self.root / "log"
        self.run = self.root / "run"
        self.etcd = self.root / "etcd"
        self.node = self.root / "node"
        self.volumes = self.root / "volumes"
        self.namespaces = self.root / "namespaces"
        self.network_namespace = self.namespaces / "net"
        self.mount_namespace = self.namespaces / "mnt"

    def make(self) -> None:
        """Create the folders, closed to other users: they hold keys and the data of volumes."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.root.chmod(0o700)
        for folder in (self.pki, self.config, self.log, self.run):
            folder.mkdir(exist_ok=True, mode=0o700)

    def settings(self) -> Settings | None:
        """What was chosen before, or None for a sandbox that is not there."""
        try:
            text = self.settings_file.read_text()
        except FileNotFoundError:
            return None
        try:
            values = json.loads(text)
            return Settings(**{**values, "created": tuple(values.get("created", ()))})
        except (ValueError, TypeError) as error:
            raise TurnoutError(
                f"{self.settings_file} cannot be read", why=str(error), next=f"turnout sandbox down {self.name}"
            ) from error

    def identity(self) -> str:
        """See `Settings.identity`; of a sandbox whose settings are not there or cannot be read, what it would get."""
        try:
            known = self.settings()
        except TurnoutError:
            known = None
        if known:
            return known.identity or known.name
        return f"{self.name}-{hashlib.sha256(str(self.root).encode()).hexdigest()[:6]}"

    def remember(self, settings: Settings) -> None:
        write(self.settings_file, json.dumps(asdict(settings), indent=2))


def names() -> list[str]:
    """The sandboxes that have a folder on this machine, running or not."""
    folder = paths.state_dir() / "sandboxes"
    return sorted(child.name for child in folder.iterdir() if child.is_dir()) if folder.is_dir() else []


def known() -> list[tuple[Layout, Settings]]:
    """The sandboxes of this user whose settings can be read: one that cannot must not stand in the others' way."""
    found = []
    for name in names():
        with contextlib.suppress(TurnoutError):
            layout = Layout(name)
            if settings := layout.settings():
                found.append((layout, settings))
    return found


def write(path: Path, text: str, *, mode: int = 0o600) -> bool:
    """Write a file whole or not at all; says whether its content changed."""
    if path.exists() and path.read_text() == text:
        return False
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=mode, exist_ok=False)
    unfinished.write_text(text)
    unfinished.replace(path)
    return True
