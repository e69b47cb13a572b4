"""docs/policies.md from the rules: each with its reason, remedy, levels, what it supports, and its fixture."""

from __future__ import annotations

from collections.abc import Iterator

from components.environment import TIERS
from infra.policies import GROUPS, RULES, Rule
from infra.policies import fixtures as fixtures_of
from infra.review import defaults

HEAD = f"""\
# Policies

Written from `infra/policies` by `python -m cli.reference`; do not edit.

{len(RULES)} rules over the Kubernetes objects that an environment declares, whoever wrote them. They are asked at every
preview and before every `turnout up` and `turnout rollout start`, without a cluster. A broken *mandatory* rule refuses
the apply (exit 4, nothing is touched); an *advisory* one is told. An environment in a sandbox is judged as dev.

`turnout policy report` says how each environment keeps them (also as JSON, SARIF or JUnit), `turnout policy show RULE`
what one is about.

`turnout:review.policies` raises a rule's level in one environment. What lowers one is an exception, which says for
which objects, why, who answers for it and until when:

    turnout:review:
      exceptions:
        legacy-mailer:
          rule: read-only-root
          where: Deployment prod/mailer
          reason: Writes its spool beside its program until the version after next.
          owner: team-mail
          expires: "2027-03-31"

`where` is `Kind namespace/name` as findings name an object, with `*` and `?`. After its last day (UTC) an exception
holds no more and is a finding itself; so is one that nothing needs.

Plain Pulumi asks the same rules: `pulumi preview --stack prod --policy-pack infra/policies/pack`, with the settings'
levels and exceptions ([how](plain-pulumi.md#the-policies)).

"Supports" means that a rule helps to keep a control of a framework. Nobody is compliant with one because of it.
"""


def page() -> str:
    """The whole page."""
    return (
        "\n".join([HEAD, *_overview(), *_shipped(), *(line for rule in RULES for line in _rule(rule))]).rstrip() + "\n"
    )


def _overview() -> Iterator[str]:
    for group, rules in GROUPS.items():
        yield from (f"## {group}\n", "| Rule | dev | staging | prod |", "|---|---|---|---|")
        for rule in rules:
            levels = " | ".join(rule.levels.of(tier) for tier in TIERS)
            yield f"| [`{rule.id}`](#{rule.id}) | {levels} |"
        yield ""


def _shipped() -> Iterator[str]:
    yield "## Exceptions that come with turnout\n"
    yield "Of its own monitoring and databases; an entry of the same name in the settings replaces parts of one.\n"
    yield from ("| Name | Rule | Where | Why | Until |", "|---|---|---|---|---|")
    for name, each in defaults("prod")["exceptions"].items():
        yield f"| `{name}` | `{each['rule']}` | `{each['where']}` | {each['reason']} | {each['expires']} |"
    yield ""


def _rule(rule: Rule) -> Iterator[str]:
    yield f"## {rule.id}\n"
    yield f"{_sentence(rule.why)}\n"
    yield f"Instead: {rule.remedy}.\n"
    if rule.supports:
        yield f"Supports: {'; '.join(map(str, rule.supports))}.\n"
    yield "```yaml"
    yield fixtures_of.of(rule.id).text.rstrip()
    yield "```\n"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
