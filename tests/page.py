"""The machine-written parts of a page, each between two marks."""

from __future__ import annotations

import re
from collections.abc import Iterable


def put_between(text: str, begin: str, end: str, lines: Iterable[str]) -> str:
    """The page with those lines in the place of what stood between its marks."""
    block = "\n".join([begin, *lines, end])
    return re.sub(f"{begin}.*?{end}", lambda _: block, text, flags=re.DOTALL)
