"""Which of the app's parts a plan gives a new release, as read from the plan of the engine. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from cli.engine.model import Operation
from cli.rollout import contents
from cli.rollout.control import Manifest
from components.names import APP, COMPONENT
from components.tracks import TEMPLATE

if TYPE_CHECKING:
    from cli.engine.model import Change, Plan
    from components.app.settings import AppSettings

_DEPLOYMENT: Final = "kubernetes:apps/v1:Deployment"
_CHANGES: Final = (Operation.CREATE, Operation.UPDATE, Operation.REPLACE)


def templates(plan: Plan) -> dict[str, str]:
    """Each service or worker whose pods will be others, with the hash of its new template (empty where it has none)."""
    return {_part(change): _hash(change) for change in plan.changes if _has_new_pods(change)}


def created(plan: Plan) -> set[str]:
    """The services and workers that are not there yet."""
    rows = (change for change in plan.changes if _is_of_app(change))
    return {_part(change) for change in rows if change.operation is Operation.CREATE}


def irreversible(plan: Plan, app: AppSettings) -> list[dict[str, str]]:
    """The release's jobs that cannot be undone once they ran: `name`, `run` (the Job's own name), `when`."""
    final = {name: job.when or "before" for name, job in app.jobs.items() if not job.reversible}
    runs = {contents.workload(made): made["metadata"]["name"] for made in plan.declared if _is_run(made)}
    return [{"name": name, "run": runs[name], "when": when} for name, when in final.items() if name in runs]


def _is_run(made: Manifest) -> bool:
    return made["kind"] == "Job" and contents.label(made, COMPONENT) == APP


def _has_new_pods(change: Change) -> bool:
    if not _is_of_app(change):
        return False
    if change.operation is Operation.UPDATE:
        return any(field.path.startswith("spec.template") for field in change.fields)
    return change.operation in _CHANGES


def _is_of_app(change: Change) -> bool:
    return change.type == _DEPLOYMENT and change.component.startswith(f"{APP}/")


def _part(change: Change) -> str:
    return change.component.split("/")[1]


def _hash(change: Change) -> str:
    for field in change.fields:
        if TEMPLATE in field.path:
            return str(field.after)
        if found := _inside(field.after, field.path):
            return found
    return ""


def _inside(value: Any, path: str) -> str:
    """Of an object that is created whole."""
    keys = {"metadata": ("annotations",), "metadata.annotations": ()}.get(path)
    if keys is None:
        return ""
    for key in (*keys, TEMPLATE):
        value = value.get(key) if isinstance(value, Mapping) else None
    return str(value or "")
