"""The live preview: the engine's plan by the provider's own comparison, with what the cluster says about it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cli.engine.model import Plan
    from cli.engine.run import Engine
    from cli.kube.client import Kube
    from cli.progress import Progress
    from cli.rollout.book import Debt
    from cli.rollout.counts import Count
    from components.tracks import Tracks

_A_MOMENT = 0.5
"""Seconds that a preview waits, when it is done, for an answer that was asked for when it began."""
_DRIFT = "drift"
_DEBT = "whether the state knows of the last rollback"
_BACK = "whether a rollback will be possible"

_UNCOUNTED = "the cluster did not say how many copies run: a change of those of a service with two tracks is not shown"


def plan(root: Path, environment: str, targets: Sequence[str], progress: Progress) -> Plan:
    """What an apply would change now. Raises TurnoutError for what the program, a pin or a provider refuses."""
    from cli.drift import notice
    from cli.engine.run import Engine
    from cli.rollout import debts, possible, traps, where
    from cli.rollout.beside import Beside

    engine = Engine(root, environment, progress)
    debt: Beside[Debt | None] = Beside(environment, lambda kube: debts.owed(kube, environment), None)
    server = Beside(environment, traps.server, None)
    public = not where.is_sandbox(environment)
    back = Beside(environment, lambda kube: possible.likeliest(kube, environment, public=public), "")
    drift = Beside(environment, notice.question(root, environment), "")
    copies = _copies(engine)
    found = _counted(engine.preview(targets), copies)
    walked_into = traps.found(engine.root, environment, found.declared, server.within(_A_MOMENT))
    others = filter(None, [drift.within(_A_MOMENT)])
    found = _warned(found, [*_left_open(engine), *_owed(debt.within(_A_MOMENT)), *others, *traps.told(walked_into)])
    found = _noted(found, back.within(_A_MOMENT))
    return _unanswered(found, {_DRIFT: drift.silence, _DEBT: debt.silence, _BACK: back.silence})


def _copies(engine: Engine) -> list[Count] | None:
    """The copies that differ beside the engine; what is pinned out is said at once.

    Where the cluster does not answer, the state alone knows of tracks, and nobody of copies (None).
    """
    from contextlib import suppress

    from cli.kube.errors import KubeError
    from cli.review import scope
    from cli.rollout import counts, letting, where

    environment = engine.environment
    with suppress(KubeError), where.connect(environment) as kube:
        engine.cursor = _tracks(kube, engine)
        letting.must_be_let_in(kube, environment, engine.root, f"turnout up {environment}")
        settings = scope.settings(engine.root, environment)
        return counts.look(kube, environment, settings.app) if settings else []
    return None


def _counted(plan: Plan, copies: list[Count] | None) -> Plan:
    from cli.rollout import counts

    return _warned(plan, [_UNCOUNTED]) if copies is None else counts.told(plan, copies)


def _tracks(kube: Kube, engine: Engine) -> Mapping[str, Tracks]:
    """Where the tracks are; while a rollout is under way, what its stage was brought with."""
    from cli.engine.run import check_settings
    from cli.rollout import cursor, opened, targets

    now = cursor.read(kube, engine.environment)
    rollout = opened.under_way(kube, engine.environment)
    step = rollout.brought if rollout else None
    if step is None:
        return now.to_program()
    return now.to_program(targets.held(check_settings(engine.root, engine.environment).app, step), step.services)


def _left_open(engine: Engine) -> list[str]:
    """Where only the engine can read the state, its own warning is in the plan already."""
    import os

    from cli.engine import pending

    found = pending.of_state(engine.root, engine.environment, dict(os.environ))
    return [pending.warning(engine.environment, found)] if found else []


def _owed(debt: Debt | None) -> list[str]:
    if debt is None:
        return []
    return [f"the state does not know of the rollback to release {debt.number} yet: the next turnout up settles that"]


def _noted(plan: Plan, text: str) -> Plan:
    from cli.engine.model import Diagnostic

    return replace(plan, diagnostics=(*plan.diagnostics, Diagnostic("info", text))) if text else plan


def _unanswered(plan: Plan, silences: Mapping[str, str]) -> Plan:
    """No answer must not read as none. `silences`: what was asked for, and why it was not told."""
    for what, why in silences.items():
        plan = _noted(plan, f"{what} was not looked for: {why}" if why else "")
    return plan


def _warned(plan: Plan, warnings: list[str]) -> Plan:
    from cli.engine.model import Diagnostic

    return replace(plan, diagnostics=(*plan.diagnostics, *(Diagnostic("warning", text) for text in warnings)))
