"""Whether metrics or logs are kept for a shorter time: what is older is deleted at once, and for good. Pure.

Read from the files and arguments of Prometheus (`storage.tsdb.retention`, `--storage.tsdb.retention.time`) and Loki
(`limits_config.retention_period`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from cli.review.facts import Fact
from cli.review.objects import RUNNING, Manifest, at, containers, mapping, values
from cli.review.world import Touched, World
from components.monitoring.settings import seconds

_PLACES: Final = {
    "metrics": ("storage", "tsdb", "retention", "time"),
    "logs": ("limits_config", "retention_period"),
}
_SPEAKS: Final = ("retention_period", "retention:")
_FLAG: Final = re.compile(r"--?storage\.tsdb\.retention(?:\.time)?=(\S+)")


def facts(there: World) -> Iterator[Fact]:
    for one in there.of("ConfigMap", *RUNNING):
        yield from _shorter(one)


def _shorter(one: Touched) -> Iterator[Fact]:
    before, after = _kept(one.before), _kept(one.after)
    for what, duration in before.items():
        left, right = _seconds(duration), _seconds(after.get(what, ""))
        if left and right and right < left:
            yield one.fact("shortens-retention", f"keeps {what} for {after[what]} instead of {duration}")


def _kept(made: Manifest) -> dict[str, str]:
    """How long each kind of data is kept, as far as this object says."""
    found: dict[str, str] = {}
    for content in mapping(made, "data").values() if made.get("kind") == "ConfigMap" else ():
        if isinstance(content, str) and any(word in content for word in _SPEAKS):
            found |= _of_file(content)
    for container in containers(made) if made.get("kind") in RUNNING else ():
        for argument in (*values(container, "args"), *values(container, "command")):
            if match := _FLAG.fullmatch(str(argument)):
                found["metrics"] = match[1]
    return found


@cache
def _of_file(content: str) -> dict[str, str]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        read: Any = YAML(typ="safe").load(content)
    except YAMLError:
        return {}
    stated = {what: at(read, *path) for what, path in _PLACES.items()}
    return {what: str(value) for what, value in stated.items() if value}


def _seconds(duration: str) -> float:
    """0 for nothing, or for what is no duration."""
    try:
        return seconds(duration)
    except ValueError:
        return 0
