"""A project's program, and its faults as errors to show. Apart from the engine, which a render does without."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from cli.engine import failures
from cli.errors import TurnoutError, UsageError

Program = Callable[[], object]


def load_program(root: Path) -> Program:
    """The project's program, `infra.program.program`, from the project's own folder where it has one."""
    if (root / "infra").is_dir() and str(root) not in sys.path:
        sys.path.insert(0, str(root))
    import importlib

    found: Program = importlib.import_module("infra.program").program
    return found


def is_hermetic(root: Path) -> bool:
    """Whether the project's program says that it can be run without a cluster, and once more: it has a `hermetic`.

    One that cannot even be loaded counts: whoever runs it then hears why.
    """
    try:
        load_program(root)
    except Exception:
        return True
    return hasattr(sys.modules["infra.program"], "hermetic")


def as_turnout_error(error: BaseException) -> TurnoutError:
    """A fault of the program as an error to show: its own when it is one, wrong settings as wrong use."""
    if isinstance(error, TurnoutError):
        return error
    if type(error).__name__ == "SettingsError":
        return UsageError(str(error))
    return failures.of_program(error)
