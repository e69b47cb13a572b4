"""Writes container images as OCI layouts in one tar file, which containerd imports; no engine and no registry.

An image here is one uncompressed layer. The same description always gives the same bytes: entries are sorted, times are
zero, owners are what the description says. Layers are streamed through a file beside the archive, so memory does not
grow with them.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final

_EPOCH: Final = "1970-01-01T00:00:00Z"
_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
_INDEX: Final = "application/vnd.oci.image.index.v1+json"
_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True)
class Owner:
    """Numeric user and group, as the image has them."""

    user: int = 0
    group: int = 0


ROOT: Final = Owner()


@dataclass(frozen=True)
class File:
    """A regular file; its content is given, or read from a path when the image is written."""

    path: str
    content: bytes | Path
    mode: int = 0o644
    owner: Owner = ROOT


@dataclass(frozen=True)
class Directory:
    path: str
    mode: int = 0o755
    owner: Owner = ROOT


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    path: str
    target: str


Entry = File | Directory | Link


@dataclass(frozen=True)
class Config:
    """How the image is run. `user` is `uid:gid` in numbers: the kubelet can check no other form for runAsNonRoot."""

    entrypoint: tuple[str, ...]
    command: tuple[str, ...] = ()
    user: str = "65532:65532"
    env: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    working_dir: str = "/"
    stop_signal: str = ""


@dataclass(frozen=True)
class Blob:
    """A piece of an image. `digest` is `sha256:…`, `size` in bytes."""

    digest: str
    size: int
    content: bytes | Path

    def descriptor(self, media_type: str) -> dict[str, Any]:
        return {"mediaType": media_type, "digest": self.digest, "size": self.size}


def write(archive: Path, ref: str, entries: Iterable[Entry], config: Config, architecture: str) -> str:
    """Writes the image `ref` (`name:tag`) to `archive` and returns the digest of its manifest, `sha256:…`.

    `architecture` is Go's name of it (`amd64`). The archive appears whole or not at all. Raises OSError when it cannot
    be written, ValueError for two entries at one path.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    layer_file = archive.with_name(f".{archive.name}.layer.{os.getpid()}")
    unfinished = archive.with_name(f".{archive.name}.{os.getpid()}")
    try:
        layer = _write_layer(layer_file, entries)
        digest = _write_archive(unfinished, ref, layer, config, architecture)
        unfinished.rename(archive)
    finally:
        layer_file.unlink(missing_ok=True)
        unfinished.unlink(missing_ok=True)
    return digest


def tree(folder: Path, skip: tuple[str, ...] = ()) -> Iterator[Entry]:
    """What a folder holds as entries owned by root, less the paths that start with one of `skip` (`usr/share/doc/`)."""
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder).as_posix()
        if not f"{relative}/".startswith(skip):
            yield _entry(path, relative)


def _entry(path: Path, relative: str) -> Entry:
    if path.is_symlink():
        return Link(relative, str(path.readlink()))
    mode = stat.S_IMODE(path.stat().st_mode) & 0o777
    return Directory(relative, mode) if path.is_dir() else File(relative, path, mode)


def _write_layer(path: Path, entries: Iterable[Entry]) -> Blob:
    with path.open("wb") as out:
        counted = _Digesting(out)
        with tarfile.open(fileobj=counted, mode="w|", format=tarfile.GNU_FORMAT) as tar:  # type: ignore[call-overload]
            for entry in layout(entries):
                _add(tar, entry)
    return Blob(counted.digest(), counted.size, path)


def layout(entries: Iterable[Entry]) -> list[Entry]:
    """The entries in the order of the layer, with every folder above them that is not given itself.

    Raises ValueError when two files, or a file and a folder, have the same path.
    """
    given: dict[str, Entry] = {}
    for entry in entries:
        path = _clean(entry.path)
        if not path:
            continue
        if path in given and not (isinstance(entry, Directory) and isinstance(given[path], Directory)):
            raise ValueError(f"two entries of an image have the path /{path}")
        given[path] = entry
    implied = {parent: Directory(parent) for path in given for parent in _parents(path) if parent not in given}
    everything = given | implied
    return [everything[path] for path in sorted(everything)]


def _parents(path: str) -> list[str]:
    return [parent.as_posix() for parent in PurePosixPath(path).parents if parent.as_posix() != "."]


def _clean(path: str) -> str:
    cleaned = PurePosixPath("/", path).relative_to("/").as_posix()
    return "" if cleaned == "." else cleaned


def _add(tar: tarfile.TarFile, entry: Entry) -> None:
    info = tarfile.TarInfo(_clean(entry.path))
    match entry:
        case Directory(mode=mode, owner=owner):
            info.type, info.mode, info.uid, info.gid = tarfile.DIRTYPE, mode, owner.user, owner.group
            tar.addfile(info)
        case Link(target=target):
            info.type, info.mode, info.linkname = tarfile.SYMTYPE, 0o777, target
            tar.addfile(info)
        case File(content=content, mode=mode, owner=owner):
            info.mode, info.uid, info.gid = mode, owner.user, owner.group
            _add_content(tar, info, content)


def _add_content(tar: tarfile.TarFile, info: tarfile.TarInfo, content: bytes | Path) -> None:
    if isinstance(content, bytes):
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
        return
    with content.open("rb") as source:
        info.size = os.fstat(source.fileno()).st_size
        tar.addfile(info, source)


def _write_archive(path: Path, ref: str, layer: Blob, config: Config, architecture: str) -> str:
    settings = _json(image_config(config, layer.digest, architecture))
    manifest = _json(_manifest(settings, layer))
    named = {"io.containerd.image.name": ref, "org.opencontainers.image.ref.name": ref.rpartition(":")[2]}
    index = {
        "schemaVersion": 2,
        "mediaType": _INDEX,
        "manifests": [{**manifest.descriptor(_MANIFEST), "annotations": named}],
    }
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        _add(tar, File("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'))
        _add(tar, File("index.json", _json(index).content))
        for blob in (manifest, settings, layer):
            _add(tar, File(f"blobs/sha256/{blob.digest.removeprefix('sha256:')}", blob.content))
    return manifest.digest


def image_config(config: Config, layer: str, architecture: str) -> dict[str, Any]:
    """The image's configuration document, for a layer of the given (uncompressed) digest."""
    run: dict[str, Any] = {
        "User": config.user,
        "Env": [f"{name}={value}" for name, value in config.env],
        "Entrypoint": list(config.entrypoint),
        "Cmd": list(config.command),
        "WorkingDir": config.working_dir,
        "Labels": dict(config.labels),
        "StopSignal": config.stop_signal,
    }
    return {
        "created": _EPOCH,
        "architecture": architecture,
        "os": "linux",
        "config": {name: value for name, value in run.items() if value},
        "rootfs": {"type": "layers", "diff_ids": [layer]},
        "history": [{"created": _EPOCH, "created_by": "turnout"}],
    }


def _manifest(settings: Blob, layer: Blob) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": settings.descriptor(_CONFIG),
        "layers": [layer.descriptor(_LAYER)],
    }


def _json(document: dict[str, Any]) -> Blob:
    content = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    return Blob(f"sha256:{hashlib.sha256(content).hexdigest()}", len(content), content)


class _Digesting:
    """A writable stream that counts and digests what goes through it."""

    def __init__(self, out: BinaryIO) -> None:
        self._out, self._sum, self.size = out, hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        self._sum.update(data)
        self.size += len(data)
        return self._out.write(data)

    def digest(self) -> str:
        return f"sha256:{self._sum.hexdigest()}"
