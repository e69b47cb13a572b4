"""Before an apply: no mandatory policy may be broken. Asked before anything is touched."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from cli.errors import Refused

if TYPE_CHECKING:
    from cli.engine.model import Plan
    from cli.review.model import Finding
    from infra.model import Settings

_SHOWN = 10
_OBJECTS = 3


class Look:
    """Renders the environment beside other work; `must_hold` tells what came out.

    A program of another shape, without a `hermetic` of its own, is not judged: running it once more might do something.
    """

    def __init__(self, root: Path, settings: Settings) -> None:
        import asyncio  # noqa: F401 -- of two threads that import it first, one finds it half made

        self._root, self._settings = root, settings
        self._found: Sequence[Finding] = ()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._look, name="policies", daemon=True)
        self._thread.start()

    def must_hold(self) -> None:
        """Raises Refused (exit 4), and whatever the program itself refuses."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        must_hold(self._settings.environment, self._found)

    def _look(self) -> None:
        from cli.engine.programs import is_hermetic
        from cli.engine.render import render
        from cli.review import findings

        try:
            if is_hermetic(self._root):
                graph = render(self._root, self._settings.environment)
                self._found = findings.compared(findings.objects(graph), None, self._settings)
        except BaseException as error:
            self._error = error


def plan_must_hold(root: Path, plan: Plan, settings: Settings) -> None:
    """The same, of what a plan's program declares. Raises Refused (exit 4)."""
    from cli.engine.programs import is_hermetic
    from cli.review import findings

    if is_hermetic(root):
        must_hold(plan.environment, findings.of_plan(plan, settings))


def must_hold(environment: str, findings: Iterable[Finding]) -> None:
    """Raises Refused (exit 4) with the rules that are broken, by which objects, and what to do about each."""
    broken = sorted((each for each in findings if each.refuses), key=lambda each: each.rule)
    if not broken:
        return
    rules = [(rule, list(of)) for rule, of in groupby(broken, lambda each: each.rule)]
    names = ", ".join(rule for rule, _ in rules[:_OBJECTS])
    raise Refused(
        f"{environment} breaks {names}{_more(len(rules), _OBJECTS, 'policy', 'policies')}; nothing was touched",
        why="\n".join(_said(rules)),
        next=f"mend it, or except it under turnout:review.exceptions in Pulumi.{environment}.yaml "
        f"(turnout policy show {rules[0][0]})",
    )


def _said(rules: Sequence[tuple[str, Sequence[Finding]]]) -> list[str]:
    lines = []
    for rule, found in rules[:_SHOWN]:
        places = "; ".join(f"{each.where}: {each.message}" for each in found[:_OBJECTS])
        places += _more(len(found), _OBJECTS, "finding", "findings")
        lines.append(f"{rule}: {places}; instead: {found[0].remedy}")
    return lines + ([f"and {len(rules) - _SHOWN} more policies"] if len(rules) > _SHOWN else [])


def _more(count: int, shown: int, one: str, many: str) -> str:
    rest = count - shown
    return f" and {rest} more {one if rest == 1 else many}" if rest > 0 else ""
