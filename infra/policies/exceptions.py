"""Where a rule does not hold for a while: for which objects, why, who answers for it, and until when. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Exempted:
    """One entry of `turnout:review.exceptions`.

    `where`: a pattern of objects as findings name them, `Kind namespace/name` with `*` and `?`. `expires`: the last day
    on which it holds, in UTC. `shipped`: it came with a part of this repository, and nobody wrote it.
    """

    name: str
    rule: str
    where: str
    reason: str
    owner: str
    expires: date
    shipped: bool = False

    def covers(self, rule: str, where: str) -> bool:
        return rule == self.rule and fnmatchcase(where, self.where)

    def expired(self, today: date) -> bool:
        return today > self.expires

    def __str__(self) -> str:
        return f"{self.owner}, until {self.expires:%Y-%m-%d}: {self.reason}"
