"""Image archives, read back with nothing but tar and JSON."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from cli.sandbox import oci
from cli.sandbox.oci import Config, Directory, Entry, File, Link, Owner

_CONFIG = Config(("/app",), ("serve",), "65532:65532", (("PATH", "/bin"),), (("who", "turnout"),), "/data", "SIGINT")
_REF = "turnout.local/app:1.0"


class Archive:
    """An OCI layout, each blob checked against its digest."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.index = self._document("index.json")
        self.manifest = self._document(_blob(self.index["manifests"][0]["digest"]))
        self.config = self._document(_blob(self.manifest["config"]["digest"]))

    def layer(self) -> list[tarfile.TarInfo]:
        with tarfile.open(self.path) as archive:
            content = archive.extractfile(_blob(self.manifest["layers"][0]["digest"]))
            assert content is not None
            with tarfile.open(fileobj=content) as layer:
                return layer.getmembers()

    def _document(self, name: str) -> dict[str, Any]:
        with tarfile.open(self.path) as archive:
            file = archive.extractfile(name)
            assert file is not None
            content: dict[str, Any] = json.load(file)
            return content


def _blob(digest: str) -> str:
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    program = tmp_path / "program"
    program.write_bytes(b"x" * 3_000_000)
    entries: list[Entry] = [
        File("app", program, 0o755),
        File("etc/app/settings", b"a: 1\n", 0o640, Owner(5, 6)),
        Directory("data", 0o700, Owner(7, 8)),
    ]
    oci.write(tmp_path / "image.tar", _REF, entries, _CONFIG, "amd64")
    return Archive(tmp_path / "image.tar")


def test_every_blob_is_what_its_name_says(archive: Archive) -> None:
    with tarfile.open(archive.path) as tar:
        blobs = [member for member in tar.getmembers() if member.name.startswith("blobs/")]
        for blob in blobs:
            content = tar.extractfile(blob)
            assert content is not None
            assert hashlib.file_digest(content, "sha256").hexdigest() == blob.name.rsplit("/", 1)[1]  # type: ignore[arg-type]
    sizes = {blob.name: blob.size for blob in blobs}
    for named in (archive.index["manifests"][0], archive.manifest["config"], *archive.manifest["layers"]):
        assert sizes[_blob(named["digest"])] == named["size"]


def test_containerd_finds_the_name(archive: Archive) -> None:
    annotations = archive.index["manifests"][0]["annotations"]
    assert annotations == {"io.containerd.image.name": _REF, "org.opencontainers.image.ref.name": "1.0"}


def test_the_configuration_says_how_it_is_run(archive: Archive) -> None:
    assert archive.config["config"] == {
        "User": "65532:65532",
        "Env": ["PATH=/bin"],
        "Entrypoint": ["/app"],
        "Cmd": ["serve"],
        "WorkingDir": "/data",
        "Labels": {"who": "turnout"},
        "StopSignal": "SIGINT",
    }
    assert (archive.config["os"], archive.config["architecture"]) == ("linux", "amd64")
    assert archive.config["rootfs"]["diff_ids"] == [archive.manifest["layers"][0]["digest"]]


def test_files_have_their_mode_and_owner_and_folders_above_them(archive: Archive) -> None:
    found = {info.name: (info.mode, info.uid, info.gid, info.size, info.mtime) for info in archive.layer()}
    assert found == {
        "app": (0o755, 0, 0, 3_000_000, 0),
        "data": (0o700, 7, 8, 0, 0),
        "etc": (0o755, 0, 0, 0, 0),
        "etc/app": (0o755, 0, 0, 0, 0),
        "etc/app/settings": (0o640, 5, 6, 5, 0),
    }


def test_the_same_description_gives_the_same_bytes(tmp_path: Path) -> None:
    entries: list[Entry] = [File("b", b"2"), Link("a", "b"), Directory("c")]
    first = oci.write(tmp_path / "one.tar", _REF, entries, _CONFIG, "amd64")
    second = oci.write(tmp_path / "two.tar", _REF, reversed(entries), _CONFIG, "amd64")
    assert first == second
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


def test_the_digest_follows_the_content_and_the_configuration(tmp_path: Path) -> None:
    digests = {
        oci.write(tmp_path / "image.tar", _REF, [File("a", b"1")], _CONFIG, "amd64"),
        oci.write(tmp_path / "image.tar", _REF, [File("a", b"2")], _CONFIG, "amd64"),
        oci.write(tmp_path / "image.tar", _REF, [File("a", b"1")], Config(("/b",)), "amd64"),
        oci.write(tmp_path / "image.tar", _REF, [File("a", b"1", 0o600)], _CONFIG, "amd64"),
    }
    assert len(digests) == 4


def test_a_failure_leaves_no_archive(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(FileNotFoundError):
        oci.write(tmp_path / "out" / "image.tar", _REF, [File("a", tmp_path / "missing")], _CONFIG, "amd64")
    assert list((tmp_path / "out").iterdir()) == []


def test_two_files_at_one_path_are_refused() -> None:
    with pytest.raises(ValueError, match="/etc/passwd"):
        oci.layout([File("etc/passwd", b"a"), File("/etc/passwd", b"b")])


def test_a_folder_may_be_given_twice_and_the_last_counts() -> None:
    assert oci.layout([Directory("data"), Directory("data/", 0o700)]) == [Directory("data/", 0o700)]


def test_folders_come_before_what_is_in_them() -> None:
    names = [entry.path for entry in oci.layout([File("a/b/c", b""), File("a-b", b""), File("a.d/e", b"")])]
    assert names == ["a", "a-b", "a.d", "a.d/e", "a/b", "a/b/c"]


def test_a_tree_keeps_modes_and_links_and_leaves_out_what_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "usr" / "share" / "doc").mkdir(parents=True)
    (tmp_path / "usr" / "share" / "doc" / "readme").write_text("long")
    (tmp_path / "usr" / "tool").write_text("#!")
    (tmp_path / "usr" / "tool").chmod(0o4755)
    (tmp_path / "usr" / "sh").symlink_to("tool")
    assert list(oci.tree(tmp_path, ("usr/share/doc/",))) == [
        Directory("usr"),
        Link("usr/sh", "tool"),
        Directory("usr/share"),
        File("usr/tool", tmp_path / "usr" / "tool", 0o755),
    ]
