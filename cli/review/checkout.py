"""The files of a commit that a render needs, unpacked once into turnout's cache; the working tree where it is meant."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cli import paths
from cli.errors import UsageError

PARTS: Final = ("infra", "components", "Pulumi.yaml", "Pulumi.*.yaml")
"""All that a program is rendered from; `cli` is always the running one."""
KEPT_SECONDS: Final = 14 * 24 * 3600.0
"""How long the files of a commit stay in the cache after their last use."""


@dataclass(frozen=True)
class Tree:
    """Files to render from. `label` names them to people (`origin/main 3f2a91c`); `cached`: they are turnout's own."""

    folder: Path
    label: str
    commit: str = ""
    notes: tuple[str, ...] = ()
    cached: bool = False


def commit(root: Path, ref: str) -> Tree:
    """The files of `ref`. Raises UsageError (exit 2) when this repository does not have it."""
    found = _resolved(root, ref)
    folder = _cache() / f"{found}{_suffix(root)}"
    if not folder.is_dir():
        _unpack(root, found, folder)
    os.utime(folder)
    return Tree(folder, f"{ref} {found[:7]}" if not found.startswith(ref) else found[:7], found, cached=True)


def working_tree(root: Path) -> Tree:
    """The files as they lie there; says where they differ from the commit."""
    head = _git(root, "rev-parse", "--verify", "--quiet", "HEAD").strip()
    changed = _git(root, "status", "--porcelain", "--", *PARTS).splitlines()
    if not changed:
        return Tree(root, f"HEAD {head[:7]}", head)
    note = f"the head is the working tree: {_files(changed)} with uncommitted changes"
    return Tree(root, f"working tree on {head[:7]}", head, (note,))


def behind(root: Path, base: Tree, head: Tree) -> tuple[str, ...]:
    """What to know when the base has commits that the head does not have: they show as undone."""
    if not (base.commit and head.commit) or base.commit == head.commit:
        return ()
    missing = _git(root, "rev-list", "--count", f"{head.commit}..{base.commit}", check=False).strip()
    if missing in ("", "0"):
        return ()
    where = _git(root, "merge-base", base.commit, head.commit, check=False).strip()[:12]
    better = f"rebase, or compare with --base {where}" if where else "rebase first"
    return (f"{base.label} has {missing} commits that {head.label} has not: they show as undone; {better}",)


def clean(now: float | None = None) -> None:
    """Remove what nobody used for a while. A folder that another process removes meanwhile is no fault."""
    oldest = (now or time.time()) - KEPT_SECONDS
    for folder in _old(oldest):
        shutil.rmtree(folder, ignore_errors=True)


def _old(oldest: float) -> Iterator[Path]:
    for folder in _cache().glob("*"):
        try:
            if folder.stat().st_mtime < oldest:
                yield folder
        except OSError:
            continue


def _cache() -> Path:
    return paths.cache_dir() / "commits"


def _suffix(root: Path) -> str:
    """A project in a folder of its repository is told from the one in another folder."""
    prefix = _git(root, "rev-parse", "--show-prefix").strip().strip("/")
    return f"-{prefix.replace('/', '-')}" if prefix else ""


def _resolved(root: Path, ref: str) -> str:
    found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}", check=False)
    if found.strip():
        return found.strip()
    shallow = _git(root, "rev-parse", "--is-shallow-repository", check=False).strip() == "true"
    why = "this clone is shallow: it holds the last commits only" if shallow else "git does not know that name"
    raise UsageError(f"there is no commit {ref} here", why=why, next=_fetching(root, ref, shallow=shallow))


def _fetching(root: Path, ref: str, *, shallow: bool) -> str:
    """The command that brings it, where it is a branch of a remote; else the one that brings all."""
    remote, _, branch = ref.partition("/")
    if branch and remote in _git(root, "remote", check=False).split():
        return f"git fetch {'--depth=1 ' * shallow}{remote} +{branch}:refs/remotes/{ref}"
    return "git fetch --unshallow --tags" if shallow else "git fetch --all --tags"


def _unpack(root: Path, found: str, folder: Path) -> None:
    """Whole or not at all, also when two previews do it at once."""
    packed = _archive(root, found)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unpacking-") as place:
        unpacked = Path(place) / "tree"
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(unpacked, filter="data")
        try:
            unpacked.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise


def _archive(root: Path, found: str) -> bytes:
    there = _git(root, "ls-tree", "--name-only", found, "--", *_candidates(root, found)).split()
    if "Pulumi.yaml" not in there or "infra" not in there:
        raise UsageError(
            f"the commit {found[:7]} cannot be rendered: it has no infra/ and Pulumi.yaml here",
            why="a hermetic preview runs this turnout over the infra/ and components/ of each commit",
            next="name a later commit: turnout preview --base COMMIT, or compare with the cluster: --mode live",
        )
    return _run(root, "archive", "--format=tar", found, "--", *there).stdout


def _candidates(root: Path, found: str) -> list[str]:
    names = _git(root, "ls-tree", "--name-only", found).split("\n")
    settings = [name for name in names if name.startswith("Pulumi.") and name.endswith(".yaml")]
    return [*PARTS[:2], *settings]


def _git(root: Path, *arguments: str, check: bool = True) -> str:
    done = _run(root, *arguments)
    if check and done.returncode:
        raise _failed(root, done.stderr.decode(errors="replace").strip())
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""


def _run(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", "-C", str(root), *arguments], check=False, capture_output=True)
    except FileNotFoundError as error:
        raise UsageError("git is not installed", next="apt-get install git") from error


def _failed(root: Path, why: str) -> UsageError:
    if "not a git repository" in why:
        return UsageError(f"{root} is not in a git repository", next="turnout preview --mode live")
    return UsageError("git refused", why=why)


def _files(changed: list[str]) -> str:
    names = [line[3:] for line in changed]
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{rest}"
