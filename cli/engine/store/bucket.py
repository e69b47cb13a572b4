"""A place for state: a folder of this machine as Pulumi's file backend keeps it, or a bucket (see `objects`)."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cli.engine import failures
from cli.engine.locks import SIDECAR
from cli.engine.store.verify import Problem
from cli.errors import UsageError

SCHEMES = ("s3", "gs", "azblob")
_UNFINISHED = re.compile(r"fileblob\d+|\.turnout-.*")


@dataclass(frozen=True)
class Object:
    """What a listing tells. `modified`: seconds since 1970."""

    key: str
    size: int
    modified: float


class Bucket(Protocol):
    """Bytes by key. Whatever cannot be reached raises StateUnreadable."""

    @property
    def url(self) -> str: ...

    def find(self, prefix: str) -> list[Object]:
        """Everything whose key starts with `prefix`, by key."""

    def read(self, key: str) -> bytes | None:
        """None where there is no such object."""

    def write(self, key: str, data: bytes) -> None:
        """Replaces the object whole, or leaves it as it was."""

    def delete(self, key: str) -> None:
        """No error where there is none."""


def open_bucket(url: str, variables: Mapping[str, str]) -> Bucket | None:
    """The place behind a backend's URL; None where only the engine itself reaches it (Pulumi Cloud, postgres)."""
    scheme = url.partition("://")[0]
    if scheme == "file":
        return Folder(folder_of(url))
    if scheme in SCHEMES:
        from cli.engine.store.objects import Objects

        return Objects(url, variables)
    if scheme in ("https", "http", "postgres"):
        return None
    raise UsageError(
        f"{url} is no place for state", why="it is none of file://, s3://, gs://, azblob://, https://", next="name one"
    )


def folder_of(url: str) -> Path:
    """The folder of a `file://` URL, as Pulumi understands it: `~` is the home, relative ones start here."""
    return Path(url.removeprefix("file://").partition("?")[0]).expanduser().absolute()


class Folder:
    """The file backend's folder. Each object may have a sidecar `KEY.attrs`, which is the backend's own."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def url(self) -> str:
        return f"file://{self.root}"

    def path(self, key: str) -> Path:
        return self.root / key

    def find(self, prefix: str) -> list[Object]:
        folder, _, start = prefix.rpartition("/")
        return sorted(self._files(self.root / folder, start), key=lambda found: found.key)

    def read(self, key: str) -> bytes | None:
        try:
            return self.path(key).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise unreachable(f"{self.path(key)} cannot be read", error) from error

    def write(self, key: str, data: bytes) -> None:
        """Through a file beside it, flushed to the disk before it takes the name."""
        target = self.path(key)
        unfinished = target.with_name(f".turnout-{os.getpid()}-{target.name}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _write_through(unfinished, data)
            target.with_name(target.name + SIDECAR).unlink(missing_ok=True)
            unfinished.replace(target)
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise unreachable(f"{target} cannot be written", error) from error

    def delete(self, key: str) -> None:
        try:
            self.path(key).unlink(missing_ok=True)
            self.path(key + SIDECAR).unlink(missing_ok=True)
        except OSError as error:
            raise unreachable(f"{self.path(key)} cannot be deleted", error) from error

    def sidecar_problems(self, key: str) -> list[Problem]:
        """An engine that reads sidecars reads no object whose own is cut short; turnout's runs do not look at them."""
        sidecar = self.path(key + SIDECAR)
        try:
            json.loads(sidecar.read_bytes())
        except FileNotFoundError:
            return []
        except (OSError, ValueError):
            return [Problem("file", f"{sidecar} is not whole, and plain pulumi minds: delete it", fatal=False)]
        return []

    def _files(self, folder: Path, start: str) -> Iterator[Object]:
        for parent, _, names in os.walk(folder):
            for name in names:
                path = Path(parent, name)
                key = path.relative_to(self.root).as_posix()
                if name.endswith(SIDECAR) or _UNFINISHED.fullmatch(name) or not _starts(path, folder, start):
                    continue
                with suppress(FileNotFoundError):
                    status = path.stat()
                    yield Object(key, status.st_size, status.st_mtime_ns / 1e9)


def unreachable(what: str, error: BaseException, next: str = "") -> failures.StateUnreadable:
    """For a place that does not answer."""
    why = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}".splitlines()[0]
    return failures.StateUnreadable(what, why=str(why), next=next or "mend that, then run the same command again")


def _starts(path: Path, folder: Path, start: str) -> bool:
    return path.relative_to(folder).as_posix().startswith(start)


def _write_through(path: Path, data: bytes) -> None:
    with path.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
