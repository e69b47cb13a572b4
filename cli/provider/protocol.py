"""Pulumi's generated protocol modules, without importing `pulumi` itself (0.5 s) around them."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

_ALIAS = "cli.provider._pulumi"


def _folder() -> Path:
    found = importlib.util.find_spec("pulumi")
    if found is None or not found.submodule_search_locations:
        raise ImportError("the package pulumi is not installed")
    return Path(next(iter(found.submodule_search_locations))) / "runtime" / "proto"


def load(name: str) -> Any:
    """One generated module, imported when it is first asked for."""
    if _ALIAS not in sys.modules:
        package = ModuleType(_ALIAS)
        package.__path__ = [str(_folder())]
        sys.modules[_ALIAS] = package
    return importlib.import_module(f"{_ALIAS}.{name}")


engine: Any = load("engine_pb2")
engine_grpc: Any = load("engine_pb2_grpc")
errors: Any = load("errors_pb2")
plugin: Any = load("plugin_pb2")
provider: Any = load("provider_pb2")
provider_grpc: Any = load("provider_pb2_grpc")
status: Any = load("status_pb2")
