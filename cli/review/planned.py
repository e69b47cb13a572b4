"""What a judgement starts from: one environment's plan, and what the plan was made from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cli.engine.model import Mode, Plan
from cli.review.model import Reviewed

if TYPE_CHECKING:
    from cli.engine.graph import ResourceGraph
    from cli.errors import TurnoutError
    from infra.model import Settings


@dataclass(frozen=True)
class Planned:
    """A plan, the graph and the settings that it leads to, and those that it starts from; None where not known.

    `error`: why there is no plan; the others go on. Not `policed`: no policy is asked, as none is before its apply.
    """

    plan: Plan
    graph: ResourceGraph | None = None
    settings: Settings | None = None
    base: ResourceGraph | None = None
    before: Settings | None = None
    error: TurnoutError | None = None
    policed: bool = True


def failed(environment: str, mode: Mode, error: TurnoutError, *, base: str = "", head: str = "") -> Planned:
    """An environment of which no plan could be made."""
    return Planned(Plan(environment, (), {}, 0.0, "", "", mode=mode, base=base, head=head), error=error)


def reviewed(planned: Planned) -> Reviewed:
    """The plan with its judgement; one that failed has none."""
    if planned.error is not None:
        return Reviewed(planned.plan, failed=str(planned.error))
    from cli.review import findings
    from cli.review.judge import judge

    judged = judge(planned.plan, planned.settings, planned.graph, planned.before)
    if not planned.policed:
        return judged
    found = findings.of_plan(planned.plan, planned.settings, planned.graph, planned.base)
    return replace(judged, findings=found)
