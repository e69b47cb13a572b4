"""`turnout drift --revert`: under the environment's lock, with an entry in the audit trail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cli.drift import choosing, looking, reverting
from cli.drift.model import Drifted, Report
from cli.errors import Interrupted

if TYPE_CHECKING:
    from cli.commands.driving import Work
    from cli.drift.reverting import Reversion

Agreed = Callable[[Report, Sequence[Drifted]], bool]
"""Whether what was found is to be put back."""


def revert(work: Work, command: str, addresses: Sequence[str], reason: str, agreed: Agreed) -> list[str]:
    """The addresses of what was put back. Raises Locked while a rollout is open, UsageError, KubeError, Interrupted."""
    from cli.rollout import applying

    kube, engine = work.kube, work.engine
    applying.must_not_be_open(kube, engine.environment)
    report, looked = looking.look(kube, engine.root, engine.environment)
    wanted = choosing.chosen(report, addresses)
    if not wanted or not agreed(report, wanted):
        return []
    return _audited(work, command, reason, _plans(work, looked, wanted))


def _plans(work: Work, looked: looking.Looked, wanted: Sequence[Drifted]) -> list[Reversion]:
    from cli.rollout import cursor

    at = cursor.read(work.kube, work.engine.environment)
    made = [reverting.plan(one, looked.declared(one), looked.seen.whole(work.kube, one.place), at) for one in wanted]
    return reverting.ordered(made)


def _audited(work: Work, command: str, reason: str, found: Sequence[Reversion]) -> list[str]:
    """The audit entry is written however it ends."""
    from cli.interrupts import between_steps
    from cli.rollout import audit, releases

    kube, environment = work.kube, work.engine.environment
    outcome = "interrupted"
    try:
        with between_steps() as asked:
            done = reverting.carry_out(kube, found, work.progress, work.held.check, asked)
        outcome = f"done: put back {', '.join(done)}"
    except Interrupted as error:
        outcome = error.what
        raise
    except Exception as error:
        outcome = f"failed: {str(error).splitlines()[0]}"
        raise
    finally:
        git = releases.commit(work.engine.root)
        audit.write(kube, environment, audit.entry(kube, command, why=reason, git=git, outcome=outcome))
    _count(work)
    return done


def _count(work: Work) -> None:
    """A track that was made again has as many copies as the settings say."""
    from cli.engine.run import check_settings
    from cli.rollout import counts

    kube, environment = work.kube, work.engine.environment
    app = check_settings(work.engine.root, environment).app
    counts.change(kube, environment, work.held, counts.look(kube, environment, app))
