"""What can go wrong, as one tree.

TurnoutError               1  anything that is not below
├── UsageError             2  wrong use or settings
├── Refused                4  policy, pin, freeze or missing approval
├── Locked                 5  somebody else holds the environment
├── RolledBack             6  the rollout failed and was rolled back
├── RollbackFailed         7  the rollback itself failed
├── Interrupted            8  ended by a signal
└── StalePlan              9  what the plan was made for has moved

The number is the process's exit code. Codes are stable; 3 (changes present) is an answer, not an error.
"""

from __future__ import annotations

from typing import Final

CHANGES_PRESENT: Final = 3
CODES: Final = {
    0: "done, or no changes",
    1: "error",
    2: "wrong use or settings",
    CHANGES_PRESENT: "changes present (`preview --exit-code`)",
    4: "refused by policy, pin, freeze or missing approval",
    5: "locked by somebody else",
    6: "the rollout failed and was rolled back",
    7: "the rollback itself failed",
    8: "interrupted",
    9: "stale plan",
}
"""Every exit code, and what it tells a script."""


class TurnoutError(Exception):
    """Says what happened, why, and which command to run next. Never holds a secret's value."""

    exit_code = 1

    def __init__(self, what: str, *, why: str = "", next: str = "", exit_code: int | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.next = next
        if exit_code is not None:
            self.exit_code = exit_code

    def __str__(self) -> str:
        lines = [self.what]
        if self.why:
            lines.append(f"why: {self.why}")
        if self.next:
            lines.append(f"next: {self.next}")
        return "\n".join(lines)


class UsageError(TurnoutError):
    exit_code = 2


class Refused(TurnoutError):
    exit_code = 4


class Locked(TurnoutError):
    exit_code = 5


class RolledBack(TurnoutError):
    exit_code = 6


class RollbackFailed(TurnoutError):
    exit_code = 7


class Interrupted(TurnoutError):
    exit_code = 8


class StalePlan(TurnoutError):
    exit_code = 9
