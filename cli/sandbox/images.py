"""Builds the sandbox's container images into the cache: there is no registry to pull them from.

`<cache>/images/<name>-<key>.tar` is an OCI layout for `ctr -n k8s.io images import`, with what is known about it beside
it (`.json`). The key covers the recipe, the binaries and this code.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from cli import paths
from cli.errors import UsageError
from cli.progress import Progress, Step
from cli.sandbox import build, debian, locking, oci, prune, recipes, toolchain
from cli.sandbox.oci import Config, Entry, File
from cli.sandbox.recipes import Recipe
from cli.sandbox.toolchain import Go

_CODE: Final = tuple(Path(module.__file__ or "") for module in (oci, debian, recipes))
_CERTIFICATES: Final = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_VERSION: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,100}")
_USUAL_SECONDS: Final = {"postgres": 20.0, "redis": 8.0, "busybox": 5.0}


@dataclass(frozen=True)
class Image:
    """A container image on this machine. `digest` is its manifest's (`sha256:…`), `size` the archive's, in bytes."""

    ref: str
    archive: Path
    digest: str
    size: int


def ensure(names: Sequence[str], progress: Progress) -> list[Image]:
    """The images `names` in that order; builds those that are missing, and the binaries in them.

    Raises UsageError for an unknown name and TurnoutError when a build or a download failed.
    """
    wanted = [_recipe(name) for name in names]
    programs = [program for recipe in wanted for program, _ in recipe.programs]
    binaries = build.ensure(programs, progress) if programs else {}
    return [_ensure_image(recipe, binaries, progress) for recipe in wanted]


def names() -> list[str]:
    """Every image that `ensure` knows."""
    return [recipe.name for recipe in recipes.RECIPES]


def app_image(source: Path, version: str, variant: str, progress: Progress) -> Image:
    """The sample app's image `turnout.local/agents:<version>[-<variant>]`, built from its Go module at `source`.

    The tag is the version that the program reports (`-X main.version`). Raises UsageError for a tag that no image can
    have and TurnoutError when the build failed.
    """
    tag = f"{version}-{variant}" if variant else version
    if not _VERSION.fullmatch(tag):
        raise UsageError(f"{tag!r} cannot be an image's tag", why="letters, digits, dots, dashes and underscores only")
    go = toolchain.find(progress)
    key = _digest([tag, go.version, go.target, *_contents(_sources(source)), *_contents(_CODE)])
    ref = f"turnout.local/agents:{tag}"
    archive = _store() / f"agents-{tag}-{key}.tar"
    return _known(ref, archive) or _build_app(source, tag, ref, archive, go, progress)


def _recipe(name: str) -> Recipe:
    for recipe in recipes.RECIPES:
        if recipe.name == name:
            return recipe
    raise UsageError(f"the sandbox has no image called {name}", why=f"there are: {', '.join(names())}")


def _ensure_image(recipe: Recipe, binaries: Mapping[str, Path], progress: Progress) -> Image:
    archive = _store() / f"{recipe.name}-{_key(recipe, binaries)}.tar"
    return _known(recipe.ref, archive) or _build_image(recipe, binaries, archive, progress)


def _key(recipe: Recipe, binaries: Mapping[str, Path]) -> str:
    programs = [binaries[program].parent.name for program, _ in recipe.programs]
    return _digest([repr(recipe), *programs, *_contents(_CODE), *_contents(_certificates())])


def _build_image(recipe: Recipe, binaries: Mapping[str, Path], archive: Path, progress: Progress) -> Image:
    usually = _USUAL_SECONDS.get(recipe.name)
    with (
        progress.step(f"making image {recipe.name}", usually=usually) as step,
        locking.only_one(f"image-{recipe.name}", step),
        tempfile.TemporaryDirectory(prefix="rootfs-", dir=_made(_store())) as folder,
    ):
        return _known(recipe.ref, archive) or _assemble(recipe, binaries, archive, Path(folder), step)


def _assemble(recipe: Recipe, binaries: Mapping[str, Path], archive: Path, rootfs: Path, step: Step) -> Image:
    packages = debian.fetch(recipe.packages, recipe.without, rootfs, step) if recipe.packages else []
    entries = [*_contents_of(recipe, binaries), *oci.tree(rootfs, recipe.skip)]
    facts = {package.name: package.version for package in packages}
    image = _write(recipe.ref, archive, entries, recipe.config, facts)
    prune.images(recipe.name)
    return image


def _contents_of(recipe: Recipe, binaries: Mapping[str, Path]) -> Iterator[Entry]:
    yield from recipes.base(recipe.config.user)
    yield from recipe.entries
    yield from _trust()
    for program, path in recipe.programs:
        yield File(path, binaries[program], 0o755)


def _build_app(source: Path, tag: str, ref: str, archive: Path, go: Go, progress: Progress) -> Image:
    with (
        progress.step(f"building {ref}", usually=20) as step,
        locking.only_one("image-agents", step),
        tempfile.TemporaryDirectory(prefix="agents-", dir=_made(_store())) as folder,
    ):
        program = Path(folder) / "agents"
        build.run_go(_app_command(go, tag, program), source, "agents", step)
        config = Config(("/agents",))
        entries = [*recipes.base(config.user), *_trust(), File("agents", program, 0o755)]
        image = _write(ref, archive, entries, config, {})
        prune.images(f"agents-{tag}")
        return image


def _app_command(go: Go, tag: str, output: Path) -> list[str]:
    return [str(go.command), "build", *build.FLAGS, f"-ldflags=-s -w -X main.version={tag}", "-o", str(output), "."]


def _write(ref: str, archive: Path, entries: list[Entry], config: Config, packages: dict[str, str]) -> Image:
    digest = oci.write(archive, ref, entries, config, architecture())
    image = Image(ref, archive, digest, archive.stat().st_size)
    facts = {**asdict(image), "archive": archive.name, "packages": packages}
    build.replace_text(_facts(archive), json.dumps(facts, indent=2) + "\n")
    return image


def _known(ref: str, archive: Path) -> Image | None:
    try:
        facts = json.loads(_facts(archive).read_text())
    except (OSError, ValueError):
        return None
    if not archive.is_file():
        return None
    prune.used(archive)
    return Image(ref, archive, facts["digest"], facts["size"])


def _facts(archive: Path) -> Path:
    return archive.with_suffix(".json")


def _trust() -> Iterator[Entry]:
    for bundle in _certificates():
        yield File("etc/ssl/certs/ca-certificates.crt", bundle)


def _certificates() -> list[Path]:
    """This machine's certificate authorities: images trust what it trusts."""
    return [path for path in map(Path, _CERTIFICATES) if path.is_file()][:1]


def _sources(folder: Path) -> list[Path]:
    """What a Go build of the folder may read, hidden files and tests aside."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("_test.go", ".md")))
    return sorted(path for path in files if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _contents(files: Sequence[Path]) -> list[str]:
    return [f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files]


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def architecture() -> str:
    """This machine's processor as Go and container images name it."""
    machine = platform.machine().lower()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def _store() -> Path:
    return paths.cache_dir() / "images"


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
