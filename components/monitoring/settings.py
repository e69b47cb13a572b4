"""Types of the settings that the monitoring components share.

Sizes are written as in Kubernetes (`512Mi`, `2Gi`) and held as whole MiB; durations are written as in Prometheus
(`30s`, `15d`) and held in the largest unit up to days that gives a whole number, so that equal ones never differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from components.workload import Resources

_DURATION: Final = re.compile(r"(\d+)(ms|s|m|h|d|w)")
_SECONDS: Final[Mapping[str, float]] = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_UNITS: Final = ("d", "h", "m", "s", "ms")
_MEBIBYTES: Final[Mapping[str, int]] = {"Mi": 1, "Gi": 1024, "Ti": 1024 * 1024}


def seconds(duration: str) -> float:
    """`90s`, `15m`, `1h30m`, `30d` as seconds. ValueError for anything else."""
    parts = _DURATION.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise ValueError(f"{duration!r} is not a duration such as 30s, 15m, 1h30m or 15d")
    return sum(int(number) * _SECONDS[unit] for number, unit in parts)


def mebibytes(size: str | int) -> int:
    """`512Mi`, `2Gi`, `1Ti` as whole MiB. ValueError for anything else."""
    if isinstance(size, int) and not isinstance(size, bool):
        return size
    match = re.fullmatch(r"(\d+)(Mi|Gi|Ti)", str(size))
    if not match:
        raise ValueError(f"{size!r} is not a size such as 512Mi, 2Gi or 1Ti")
    return int(match[1]) * _MEBIBYTES[match[2]]


def _duration(value: str) -> str:
    """`48h`, `2880m` and `1d24h` are `2d`."""
    milliseconds = round(seconds(value) * 1000)
    if milliseconds <= 0:
        raise ValueError("must be longer than nothing")
    unit = next(unit for unit in _UNITS if milliseconds % round(_SECONDS[unit] * 1000) == 0)
    return f"{milliseconds // round(_SECONDS[unit] * 1000)}{unit}"


Duration = Annotated[str, AfterValidator(_duration)]
Mebibytes = Annotated[int, BeforeValidator(mebibytes), Field(ge=1)]
Name = Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$")]


class Section(BaseModel):
    """A part of the settings: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ResourceSettings(Section):
    """What one pod asks for: millicores; memory, requested and limited alike unless `memory_limit` says more."""

    cpu: int = Field(ge=1)
    memory: Mebibytes
    memory_limit: Mebibytes | None = None

    def resources(self) -> Resources:
        return Resources(cpu=self.cpu, memory=self.memory, memory_limit=self.memory_limit)


def resource_defaults(cpu: int, memory: str, memory_limit: str | None = None) -> dict[str, Any]:
    """The plain form of ResourceSettings, for a section's table of defaults."""
    plain: dict[str, Any] = {"cpu": cpu, "memory": memory}
    return plain | ({"memory_limit": memory_limit} if memory_limit else {})


def by_tier(
    dev: Mapping[str, Any], staging: Mapping[str, Any], prod: Mapping[str, Any]
) -> Callable[[str], dict[str, Any]]:
    """A section's `defaults` function: the plain values that a settings file of that tier is merged over."""
    table = {"dev": dev, "staging": staging, "prod": prod}
    return lambda tier: dict(table[tier])
