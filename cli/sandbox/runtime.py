"""Container images in a sandbox's own containerd: what is there, and bringing more in from archives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cli.progress import Progress
from cli.sandbox.node import Node
from cli.sandbox.node_config import CONTAINERD_SOCKET

IMPORT_TIMEOUT = 300.0
IMPORTS_AT_ONCE = 1


class Archive(Protocol):
    """A container image as a file (`cli.sandbox.images.Image`)."""

    @property
    def ref(self) -> str: ...
    @property
    def archive(self) -> Path: ...
    @property
    def digest(self) -> str: ...


@dataclass(frozen=True)
class Present:
    """An image that containerd has."""

    ref: str
    digest: str
    size: str


def absent(wanted: Iterable[Archive], present: Iterable[Present]) -> list[Archive]:
    """Those that are not there, or there with another content."""
    known = {(image.ref, image.digest) for image in present}
    return [image for image in wanted if (image.ref, image.digest) not in known]


def parse(table: str) -> list[Present]:
    """From what `ctr images list` prints: REF TYPE DIGEST SIZE UNIT PLATFORMS LABELS."""
    rows = [line.split() for line in table.splitlines()[1:]]
    named = [row for row in rows if len(row) > 4 and not row[0].startswith("sha256:")]
    return [Present(row[0], row[2], f"{row[3]} {row[4]}") for row in named]


def listing(node: Node) -> list[Present]:
    return parse(_ctr(node, "images", "list"))


def load(node: Node, wanted: Sequence[Archive], progress: Progress) -> int:
    """Import what is absent, several at once; says how many that were."""
    missing = absent(wanted, listing(node)) if wanted else []
    if missing:
        with ThreadPoolExecutor(IMPORTS_AT_ONCE) as pool:
            list(pool.map(lambda image: _import(node, image, progress), missing))
    return len(missing)


def _import(node: Node, image: Archive, progress: Progress) -> None:
    with progress.step(f"loading {image.ref} into the sandbox"):
        _ctr(node, "images", "import", str(image.archive))


def _ctr(node: Node, *arguments: str) -> str:
    command = ["ctr", "--address", CONTAINERD_SOCKET, "--namespace", "k8s.io", *arguments]
    return node.run(*command, timeout=IMPORT_TIMEOUT)
