"""`python -m tests.e2e.plain ENV`: what plain `pulumi up` does in this checkout, where there is no language host.

The engine with the program and nothing else: no cursor from the cluster, no lock of the environment, no rollout. Prints
what a preview shows before and after it, and why it failed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from cli.engine.run import Engine
from cli.errors import TurnoutError
from cli.progress import Silent


def main(environment: str) -> None:
    engine = Engine(Path.cwd(), environment, Silent())
    json.dump({"shown": _shown(engine), "refused": _applied(engine), "left": _shown(engine)}, sys.stdout)


def _applied(engine: Engine) -> str:
    """Why it was not applied as a whole; empty when it was."""
    try:
        outcome = engine.up()
    except TurnoutError as error:
        return str(error)
    if outcome.ok:
        return ""
    return "\n".join([*(one.message for one in outcome.failures), *(one.message for one in outcome.diagnostics)])


def _shown(engine: Engine) -> Any:
    """The changes that a preview shows, or why it shows none."""
    try:
        return [f"{change.operation} {change.urn}" for change in engine.preview().changes]
    except TurnoutError as error:
        return str(error)


if __name__ == "__main__":
    main(sys.argv[1])
