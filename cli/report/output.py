"""Puts a view where it belongs: styled text or one JSON document on stdout."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from typing import Any

from cli.report.plain import visible
from cli.report.text import Line


def lines(view: Iterable[Line]) -> None:
    """Print lines, in colour on a terminal (NO_COLOR is respected); what would act on a terminal is spelled out."""
    view = [Line(visible(line.text, keep="\n\t"), line.style) for line in view]
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        sys.stdout.write("".join(f"{line.text}\n" for line in view))
        return
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    for line in view:
        console.print(line.text, style=line.style or None, markup=False)


def document(data: Any) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
