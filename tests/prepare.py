"""Builds what the tests run on, with progress, before pytest starts: `python -m tests.prepare`."""

from __future__ import annotations

from cli.demo.cluster import build_everything
from cli.progress import for_terminal
from cli.sandbox import build, parts
from tests.harness import ROOT


def main() -> None:
    """Build every part and image that the tests use; what is in the cache already costs nothing."""
    progress = for_terminal()
    build.ensure((*parts.TESTS, *parts.ADDONS), progress)
    build_everything(ROOT, progress)


if __name__ == "__main__":
    main()
