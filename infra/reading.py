"""Reads declared objects without trust: engines pass numbers as floats, plans hide values behind text. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from components.manifest import Manifest

HIDDEN: Final = ("[secret]", "[known after the apply]")
"""What a plan or a render shows in the place of such a value (`cli.engine.model`)."""
_DEFAULT_GRACE: Final = 30
_SLEEP: Final = re.compile(r"\bsleep\s+(\d+)")


def mapping(value: Any) -> Manifest:
    """The mapping, or an empty one in the place of anything else: nothing, or what a plan hides."""
    if isinstance(value, dict):
        return value
    return dict(value) if isinstance(value, Mapping) else {}


def entries(value: Any) -> list[Manifest]:
    """The mappings of a list."""
    return [dict(entry) for entry in value if isinstance(entry, Mapping)] if isinstance(value, list | tuple) else []


def number(value: Any, default: int) -> int:
    """The whole number, or `default` where there is none, or none that can be known."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return default


def text(value: Any) -> str:
    """`8080` or `25%`: of what may be a number or a text."""
    return str(int(value)) if isinstance(value, float) else str(value)


def grace(pod: Manifest) -> int:
    """Seconds that a pod, by its spec, has to end."""
    return number(pod.get("terminationGracePeriodSeconds"), _DEFAULT_GRACE)


def pause(container: Manifest) -> int:
    """Seconds that preStop sleeps, by the kubelet or by a program of the image; 0 where it does not."""
    return native_pause(container) or borrowed_pause(container)


def native_pause(container: Manifest) -> int:
    """Seconds that the kubelet sleeps for it."""
    return number(mapping(_pre_stop(container).get("sleep")).get("seconds"), 0)


def borrowed_pause(container: Manifest) -> int:
    """Seconds that a program of its image sleeps."""
    command = mapping(_pre_stop(container).get("exec")).get("command") or ()
    found = _SLEEP.search(" ".join(map(str, command)))
    return int(found[1]) if found else 0


def _pre_stop(container: Manifest) -> Manifest:
    return mapping(mapping(container.get("lifecycle")).get("preStop"))
