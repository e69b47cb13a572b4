"""What a workload that calls a database or a collector is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from components.workload.spec import SecretFiles, Workloads


@dataclass(frozen=True, kw_only=True)
class Backing:
    """Who is called, on which port of its pods, and the variables and secret files by which a caller finds it."""

    target: Workloads
    port: int
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[SecretFiles, ...] = ()
