"""Debian packages as the content of images: resolved, downloaded and unpacked, never installed.

apt runs with lists and a cache of its own in turnout's cache, so neither root nor an `apt-get update` of the machine is
needed, and nothing of the machine's own apt changes.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from cli import paths
from cli.errors import TurnoutError
from cli.progress import Step

_TIMEOUT_SECONDS: Final = 300


@dataclass(frozen=True)
class Package:
    """One binary package. `depends` are its requirements, each a list of alternatives by name."""

    name: str
    version: str
    depends: tuple[tuple[str, ...], ...] = field(default=(), repr=False)


Lookup = Callable[[Sequence[str]], Mapping[str, Package]]


def fetch(roots: Sequence[str], without: Iterable[str], folder: Path, step: Step) -> list[Package]:
    """Unpacks `roots` and all that they need, less `without`, into `folder`; returns what was unpacked.

    Raises TurnoutError on a machine without apt, and when a package is not to be had.
    """
    _require_apt()
    step.update("reading Debian's package lists")
    _refresh()
    packages = closure(roots, without, _show)
    step.update(f"downloading {len(packages)} Debian packages")
    archives = _download(packages)
    for archive in archives:
        _run(["dpkg-deb", "--extract", str(archive), str(folder)])
    return packages


def closure(roots: Sequence[str], without: Iterable[str], lookup: Lookup) -> list[Package]:
    """`roots` and everything that they depend on, sorted by name. What is in `without` is left out with its own needs.

    Of alternatives the first that exists is taken. Raises TurnoutError for a requirement that nothing meets.
    """
    left_out = frozenset(without)
    found: dict[str, Package] = {}
    wanted: list[tuple[str, ...]] = [(root,) for root in roots]
    while wanted:
        known = lookup(sorted({name for alternatives in wanted for name in alternatives}))
        chosen = [_choose(alternatives, known, found) for alternatives in wanted]
        fresh = {package.name: package for package in chosen if package.name not in found}
        found |= fresh
        wanted = [need for package in fresh.values() for need in package.depends if not left_out & set(need)]
    return [found[name] for name in sorted(found)]


def _choose(alternatives: Sequence[str], known: Mapping[str, Package], found: Mapping[str, Package]) -> Package:
    for name in alternatives:
        if package := found.get(name) or known.get(name):
            return package
    raise TurnoutError(
        f"Debian's package lists have none of: {', '.join(alternatives)}",
        why="the sandbox's database images are made from Debian's packages",
        next="see that /etc/apt names a Debian archive that can be reached",
    )


def parse(stanzas: str) -> dict[str, Package]:
    """`apt-cache show`'s answer, by name; of several versions the first, which is the one that apt would take."""
    packages: dict[str, Package] = {}
    for stanza in re.split(r"\n\s*\n", stanzas.strip()):
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if re.match(r"[\w-]+: ", line))
        if name := fields.get("Package"):
            needs = ", ".join(fields[kind] for kind in ("Pre-Depends", "Depends") if kind in fields)
            packages.setdefault(name, Package(name, fields["Version"], _requirements(needs)))
    return packages


def _requirements(text: str) -> tuple[tuple[str, ...], ...]:
    """`a (>= 1), b | c:any` as (("a",), ("b", "c"))."""
    return tuple(
        tuple(re.split(r"[\s:(\[]", alternative.strip(), maxsplit=1)[0] for alternative in requirement.split("|"))
        for requirement in text.split(",")
        if requirement.strip()
    )


def _show(names: Sequence[str]) -> dict[str, Package]:
    # apt-cache fails when one of the names is virtual, and still shows the others.
    return parse(_apt("apt-cache", "show", "--no-all-versions", *names, check=False)) if names else {}


@cache
def _refresh() -> None:
    """Reads the archive's lists, once in a process."""
    _apt("apt-get", "update")


def _download(packages: Sequence[Package]) -> list[Path]:
    store = _home() / "archives"
    store.mkdir(parents=True, exist_ok=True)
    missing = [package for package in packages if not _archive(store, package)]
    if missing:
        _apt("apt-get", "download", *(f"{package.name}={package.version}" for package in missing), folder=store)
    return [path for package in packages if (path := _archive(store, package))]


def _archive(store: Path, package: Package) -> Path | None:
    version = package.version.replace(":", "%3a")
    return next(iter(sorted(store.glob(f"{package.name}_{version}_*.deb"))), None)


def _apt(tool: str, *arguments: str, folder: Path | None = None, check: bool = True) -> str:
    lists, cache = _home() / "lists", _home() / "cache"
    for needed in (lists / "partial", cache / "archives" / "partial"):
        needed.mkdir(parents=True, exist_ok=True)
    options = {
        "Dir::State::lists": str(lists),
        "Dir::Cache": str(cache),
        "APT::Sandbox::User": "",
        "APT::Update::Post-Invoke": "",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
    }
    settings = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    return _run([tool, "--quiet", "--quiet", *settings, *arguments], folder, check)


def _run(arguments: list[str], folder: Path | None = None, check: bool = True) -> str:
    answer = subprocess.run(
        arguments, cwd=folder, capture_output=True, text=True, check=False, timeout=_TIMEOUT_SECONDS
    )
    if check and answer.returncode != 0:
        raise TurnoutError(
            f"{arguments[0]} failed while fetching Debian packages",
            why=answer.stderr.strip() or answer.stdout.strip(),
            next="see that the machine reaches its Debian archive, then run the same command again",
        )
    return answer.stdout


def _require_apt() -> None:
    absent = [tool for tool in ("apt-get", "apt-cache", "dpkg-deb") if not shutil.which(tool)]
    if absent:
        raise TurnoutError(
            f"this machine ({platform.system()}) has no {', '.join(absent)}",
            why="the sandbox's PostgreSQL, Redis and busybox images are made from Debian's packages",
            next="turnout sandbox up --pods simulated, or use a Debian machine",
        )


def _home() -> Path:
    return paths.cache_dir() / "debian"
