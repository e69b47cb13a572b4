"""A state file's bytes as a deployment, with everything that keeps the engine from using it.

Source: pkg/resource/stack/{checkpoint,deployment}.go of pulumi/pulumi.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.engine.store import verify as rules
from cli.engine.store.layout import Stack
from cli.engine.store.verify import Problem

VERSION = 3
VERSION_WITH_FEATURES = 4
FEATURES = frozenset(
    {
        "refreshBeforeUpdate",
        "views",
        "hooks",
        "taint",
        "replaceWith",
        "snippets-prototype",
        "extensionParameterization",
        "byteString",
    }
)
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True)
class Checkpoint:
    """What a state file holds. `deployment` is empty for an environment that was never applied, and for a file that
    cannot be read: then there are problems. `exported`: it is what `pulumi stack export` gives, not a state file."""

    deployment: Mapping[str, Any] = field(default_factory=dict)
    version: int = VERSION
    features: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    exported: bool = False

    @property
    def whole(self) -> bool:
        return rules.whole(self.problems)

    @property
    def resources(self) -> int:
        """How many there are, the stack itself and its providers not counted."""
        found = self.deployment.get("resources")
        entries = found if isinstance(found, list) else []
        return sum(1 for entry in entries if isinstance(entry, dict) and not _is_engines_own(entry))

    def encoded(self, stack: Stack, compression: str = "") -> bytes:
        """The state file that holds it."""
        document: dict[str, Any] = {"version": self.version}
        if self.features:
            document["features"] = list(self.features)
        document["checkpoint"] = {"stack": stack.reference, "latest": self.deployment}
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        return gzip.compress(text, mtime=0) if compression == ".gz" else text


def examine(data: bytes, stack: Stack) -> Checkpoint:
    """Read a state file, a backup or an export, and tell all that is wrong with it. Never raises."""
    if data.startswith(_ZSTD):
        return _broken(
            "it is compressed with zstd, which turnout does not read: apply once with PULUMI_DIY_BACKEND_ZSTD=0"
        )
    try:
        document = json.loads(gzip.decompress(data) if data.startswith(_GZIP) else data)
    except (OSError, EOFError, zlib.error):
        return _broken("its compressed data ends in the middle")
    except (ValueError, RecursionError) as error:
        return _broken(_not_json(data, error))
    if not isinstance(document, dict):
        return _broken("it is not a state: not an object")
    return _of_document(document, stack)


def _of_document(document: Mapping[str, Any], stack: Stack) -> Checkpoint:
    version, features = document.get("version"), document.get("features") or []
    problems = _version_problems(document, version, features)
    if problems:
        return Checkpoint(problems=tuple(problems))
    exported = isinstance(document.get("deployment"), dict)
    holder = document if exported else document["checkpoint"]
    deployment = holder.get("deployment" if exported else "latest") or {}
    problems = [*_name_problems(holder, stack), *rules.verify(deployment)]
    if isinstance(deployment, Mapping):
        problems += rules.foreign(deployment, stack.project, stack.name)
    kept = deployment if isinstance(deployment, Mapping) else {}
    return Checkpoint(kept, version or VERSION, tuple(features), tuple(problems), exported)


def _version_problems(document: Mapping[str, Any], version: Any, features: Any) -> list[Problem]:
    checkpoint, deployment = document.get("checkpoint"), document.get("deployment")
    if not isinstance(checkpoint, dict) and not isinstance(deployment, dict):
        old = "latest" in document or version in (0, 1, 2)
        return [Problem("file", _OLD if old else "it is not a state: it has neither checkpoint nor deployment")]
    if version in (VERSION, VERSION_WITH_FEATURES):
        return _feature_problems(features)
    if version == 0 and isinstance(checkpoint, dict) and not checkpoint.get("latest"):
        return []
    if isinstance(version, int) and version < VERSION:
        return [Problem("file", _OLD)]
    return [Problem("file", f"its layout is version {version}, newer than this engine's: use a newer engine")]


_OLD = "its layout is an old one, of an engine before 1.0: apply it once with the engine of then"


def _feature_problems(features: Any) -> list[Problem]:
    named = [str(feature) for feature in features] if isinstance(features, list) else [str(features)]
    unknown = sorted(set(named) - FEATURES)
    return [Problem("file", f"it needs features of a newer engine: {', '.join(unknown)}")] if unknown else []


def _name_problems(holder: Mapping[str, Any], stack: Stack) -> list[Problem]:
    named = holder.get("stack")
    if named in (None, "", stack.name, stack.reference):
        return []
    return [Problem("foreign", f"it is the state of {named}, not of {stack.reference}")]


def _not_json(data: bytes, error: Exception) -> str:
    if not data.strip():
        return "it is empty"
    if getattr(error, "pos", 0) >= len(data.rstrip()) or not data.rstrip().endswith(b"}"):
        return f"it ends in the middle, after {len(data)} bytes"
    return f"it is not JSON: {error}"


def _broken(text: str) -> Checkpoint:
    return Checkpoint(problems=(Problem("file", text),))


def _is_engines_own(entry: Mapping[str, Any]) -> bool:
    return str(entry.get("type", "")).startswith("pulumi:p")
