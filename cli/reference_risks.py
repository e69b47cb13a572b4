"""docs/risks.md from `infra.risks`: every code with its level and meaning, and how thresholds are asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from components.environment import TIERS
from infra.review import defaults
from infra.risks import LEVELS, RISKS, Topic

HEAD: Final = """\
# Risk, blast radius and approvals

Written from `infra/risks.py` by `python -m cli.reference`; do not edit.

Every preview ends with a risk: the worst level of its reasons. A reason has a code from the tables below, one sentence
with the objects' names, and their URNs. The same codes come from a preview of two commits and from a live one; what is
read are the objects before and after, whole, secrets as placeholders.

The blast radius beside it is counted, not guessed: pods that restart (copies, or an autoscaler's minimum; agents are
named, as nobody knows the number of nodes here), Services that send those pods traffic, what is replaced and deleted
(what is only let go of stays in the cluster and is neither), and what the cluster has to hold before and after:
requests and limits times copies, as the scheduler counts a pod, volumes, pods, and the most pods that autoscalers may
start.

Where a service has a strategy (blue/green, canary), its new pods come by a rollout beside the old ones: that is no
downtime. A restart of the only copy of something in the monitoring is `pauses-monitoring`, not `only-copy`.

## What has to be approved

`turnout:review.thresholds` says, by code or by level, what may be applied (`allow`), what somebody else has to approve
first (`approve`) and what may not be applied at all (`refuse`). A code counts before a level; a level stands for itself
and the worse ones, up to the next level that is named. {defaults}

    turnout:review:
      thresholds:
        high: approve           # high and critical
        restarts-every-node: approve
        deletes-data: refuse

`turnout up` and `turnout rollout start` then stop with exit 4 before anything is touched, and leave a request in the
cluster. Somebody else, with the role approver, sees what is asked for and answers:

    turnout approve prod --plan 3f2a91c0d1e2 --reason "the data is in the new database"

The same command then goes through, for that plan alone: the ID is a digest of all its changes, so another edit, or a
cluster that has moved, needs another approval. After the apply, approvals and requests are gone; the audit trail keeps
who approved what, and why.

- An approval rather than a flag (`--accept CODE`), because whoever is in a hurry would type the flag. An approval needs
  a second person, whose name is the API server's word: an admission policy sees to it that only approvers approve, in
  their own name. That the approver is not the one who applies is said by `turnout` itself.
- The first release of an environment is nobody's to approve: who may, comes with it.
- Between two commits the stricter side's thresholds count, and what the change loosens is `loosens-review`: a pull
  request cannot approve itself.
- Plain `pulumi up` asks no threshold. Where that matters, give the role deployer to a pipeline alone.
- `turnout rollback` asks nobody: at three in the morning it must work.
"""

_TITLES: Final[dict[Topic, str]] = {
    "downtime": "Downtime",
    "data": "Data",
    "security": "Security",
    "rollback": "The way back",
    "running": "What runs",
    "capacity": "Capacity",
    "review": "The review itself",
}


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD.format(defaults=_defaults()), *_tables()]).rstrip() + "\n"


def _defaults() -> str:
    stated = {tier: defaults(tier).get("thresholds", {}) for tier in TIERS}
    said = [
        f"{tier}: {', '.join(f'`{key}: {answer}`' for key, answer in found.items()) or 'nothing'}"
        for tier, found in stated.items()
    ]
    return f"Defaults: {'; '.join(said)}."


def _tables() -> Iterator[str]:
    for topic, title in _TITLES.items():
        found = [(code, risk) for code, risk in RISKS.items() if risk.topic == topic]
        yield from (f"## {title}\n", "| Code | Level | Meaning |", "|---|---|---|")
        for code, risk in sorted(found, key=lambda row: (-LEVELS.index(row[1].level), row[0])):
            yield f"| `{code}` | {risk.level} | {risk.meaning} |"
        yield ""
