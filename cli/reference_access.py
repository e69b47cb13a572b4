"""docs/access.md from the one table of rights: who may run which command, and what that takes."""

from __future__ import annotations

from collections.abc import Iterator

from components.access.rights import ROLES, RoleName
from components.access.roles import role_name, rules_of

HEAD = """\
# Who may do what

Written from `components/access/rights.py` by `python -m cli.reference`; do not edit.

Every environment brings four roles with it: as Roles in its namespaces, and for the deployer a ClusterRole that reads.
The settings name who has them, as `Group:NAME`, `User:NAME` or `ServiceAccount:NAMESPACE/NAME`:

    turnout:rollout:
      access:
        viewer: ["Group:developers"]
        deployer: ["ServiceAccount:ci/deployer"]
        approver: ["Group:leads"]
        on-call: ["Group:sre"]

They can be bound by other means as well, in each namespace: `kubectl create rolebinding … --role turnout-on-call`.

`turnout doctor ENV` says which commands your rights suffice for, and what the others take. A command that is refused
names the right that is missing and the role that has it.

- An administrator of the cluster makes an environment (the first `turnout up`), deletes it (`turnout destroy`), and
  changes its namespaces, these roles and the admission policies: whom they bind must not be able to loosen them.
- Nobody approves their own rollout, and only approvers approve: an admission policy sees to both, whatever the tool.
- `turnout.dev` is a group of rights that no API serves; the admission policies ask for them. Whoever has the right to
  write a ConfigMap in the control namespace writes approvals only with `create approvals.turnout.dev`, and what steers
  rollouts (`rollout`, `cursor`, `pins`, `releases`) only with `update rollouts.turnout.dev`.
- On-call reads no Secret but the addresses of notifications. But whoever can put a Deployment back can also start one
  that mounts a Secret of the app: Kubernetes has no right between the two.
"""

_PLACES = {
    "app": "`ENV`",
    "monitoring": "`ENV-monitoring`",
    "agents": "`ENV-agents`",
    "control": "`turnout-ENV`",
    "cluster": "the cluster",
}


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_commands(), *(line for role in ROLES for line in _role(role))])


def _commands() -> Iterator[str]:
    yield from ("| Role | Commands |", "|---|---|")
    for role, commands in ROLES.items():
        yield f"| {role} | {', '.join(f'`{command}`' for command in commands)} |"
    yield ""


def _role(role: RoleName) -> Iterator[str]:
    yield from (f"## {role_name(role)}\n", "| Where | What | Rights |", "|---|---|---|")
    for place, rules in rules_of(role).items():
        for rule in rules:
            group = f".{rule['apiGroups'][0]}" if rule["apiGroups"][0] else ""
            only = f" (only {', '.join(rule['resourceNames'])})" if "resourceNames" in rule else ""
            what = ", ".join(f"`{resource}{group}`" for resource in rule["resources"])
            yield f"| {_PLACES[place]} | {what}{only} | {', '.join(rule['verbs'])} |"
    yield ""
