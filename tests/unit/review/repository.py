"""A repository with this project's own program and settings, to edit and to compare commits of."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from cli.progress import Silent
from cli.review import hermetic
from cli.review.planned import Planned

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENTS = ("dev", "staging", "prod")


class Repository:
    """One commit at first; `root` can be edited."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        for name in ("infra", "components"):
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        for file in (ROOT / "Pulumi.yaml", *(ROOT / f"Pulumi.{name}.yaml" for name in ENVIRONMENTS)):
            shutil.copy(file, root)
        (root / ".gitignore").write_text("__pycache__/\n")
        self.git("init", "-q", "-b", "main")
        self.commit("first")

    def git(self, *arguments: str) -> str:
        who = ("-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *who, *arguments], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def edit(self, file: str, old: str, new: str, *, count: int = 1) -> None:
        """Replace a text that has to be there."""
        path = self.root / file
        text = path.read_text()
        assert old in text, f"{file} no longer has {old!r}"
        path.write_text(text.replace(old, new, count))

    def preview(self, base: str = "HEAD", head: str = "", names: tuple[str, ...] = ENVIRONMENTS) -> dict[str, Planned]:
        """A hermetic preview; without a head, of the working tree."""
        sides = hermetic.between(self.root, base, head)
        return {found.plan.environment: found for found in hermetic.plans(sides, names, Silent())}
