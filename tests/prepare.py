"""Builds what the tests run on, with progress, before pytest starts: `python -m tests.prepare`."""

from __future__ import annotations

from cli.progress import for_terminal
from cli.sandbox import build, images, parts


def main() -> None:
    """Build every part and image that this machine can use; what is in the cache already costs nothing."""
    progress = for_terminal()
    build.ensure([part.name for part in parts.PARTS], progress)
    images.ensure(list(images.IMAGES), progress)


if __name__ == "__main__":
    main()
