"""What Check takes and what it refuses: as the official plugin does."""

from __future__ import annotations

import pytest

from cli.errors import TurnoutError
from cli.provider import check, kinds
from cli.provider.check import Naming
from tests.parity import known, recording
from tests.parity.pairs.refusals import ASKED, Asked


def refused(asked: Asked) -> bool:
    naming = Naming("n", b"seed", "n-proposed" if asked.autonaming == "propose" else "", asked.autonaming == "disable")
    try:
        type_ = kinds.of_token(asked.token)
        return bool(check.check(asked.new, asked.old, type_, naming, "default")[1])
    except TurnoutError:
        return True


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.name)
def test_what_is_refused(asked: Asked) -> None:
    official = recording.load("refusals")[asked.name]
    assert refused(asked) == (official if asked.name not in known.REFUSALS else not official)
