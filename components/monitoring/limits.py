"""What a Go server is told about its memory limit, so that it collects garbage before the kernel ends it."""

from __future__ import annotations

from typing import Final

from components.workload import Resources

_SHARE: Final = 0.9


def go_memory(resources: Resources) -> dict[str, str]:
    """The variable that Go's runtime reads: 90 % of the limit."""
    return {"GOMEMLIMIT": f"{int((resources.memory_limit or resources.memory) * _SHARE)}MiB"}
