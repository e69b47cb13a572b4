"""What a change of the settings takes away of what its own review would have asked for. Pure.

Whoever writes a pull request can write its thresholds too; so between two commits the stricter side asks, and what was
loosened is a risk of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from cli.review.facts import Fact, listed
from infra.risks import RISKS

if TYPE_CHECKING:
    from infra.model import Settings
    from infra.review import Answer

Asked = Callable[[str, str], "Answer"]
"""(code, level) to what the settings want of it."""

_CODE: Final = "loosens-review"
_STRICTNESS: Final = ("allow", "approve", "refuse")
_NO_MORE: Final = {"approve": "asks nobody to approve", "refuse": "no longer refuses"}


def asked(before: Settings | None, after: Settings | None) -> Asked:
    """By the stricter of both."""
    sides = [side.review for side in (before, after) if side is not None]

    def answer(code: str, level: str) -> Answer:
        found = [side.answer(code, level) for side in sides]
        return max(found, key=_STRICTNESS.index, default="allow")

    return answer


def facts(before: Settings | None, after: Settings | None) -> Iterator[Fact]:
    if before is None or after is None:
        return
    for answer, codes in _weaker(before, after).items():
        yield Fact(_CODE, "turnout:review.thresholds", f"{_NO_MORE[answer]} {listed(codes, most=len(RISKS))}")
    for name, rule in after.review.exceptions.items():
        if before.review.exceptions.get(name) != rule:
            said = f"excepts {rule.where} from {rule.rule} until {rule.expires}: {rule.reason}"
            yield Fact(_CODE, f"turnout:review.exceptions.{name}", said)
    for name, level in before.review.policies.items():
        if level == "mandatory" and after.review.policies.get(name) != "mandatory":
            yield Fact(_CODE, f"turnout:review.policies.{name}", "is no longer raised to mandatory")
    if before.rollout.approval and not after.rollout.approval:
        yield Fact(_CODE, "turnout:rollout.approval", "is off: a rollout waits for nobody")


def _weaker(before: Settings, after: Settings) -> dict[str, list[str]]:
    """Codes of which less is asked, by what was asked."""
    found: dict[str, list[str]] = {}
    for code, risk in RISKS.items():
        then, now = (side.review.answer(code, risk.level) for side in (before, after))
        if _STRICTNESS.index(now) < _STRICTNESS.index(then):
            found.setdefault(then, []).append(code)
    return found
