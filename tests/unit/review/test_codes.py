from __future__ import annotations

from cli.engine.model import Change, Operation, Plan
from cli.review.judge import judge
from infra.risks import RISKS
from tests.unit.review import (
    test_capacity,
    test_data,
    test_downtime,
    test_entries,
    test_network,
    test_pods,
    test_rights,
    test_running,
)

ELSEWHERE = {"uncertain", "loosens-review", "uncovers-secret"}


def test_every_code_is_shown_by_an_example() -> None:
    tables = [test_capacity, test_data, test_downtime, test_entries, test_network, test_pods, test_rights, test_running]
    shown = {code for module in tables for case in module.CASES.values() for code, _ in case[-1]}
    assert set(RISKS) - shown <= ELSEWHERE
    assert shown <= set(RISKS)


def test_what_only_the_apply_can_tell_is_said() -> None:
    change = Change("urn:a", "random:index:Name", "a", Operation.UPDATE, certain=False)
    [reason] = judge(Plan("prod", (change,), {}, 0.1, "", "")).reasons
    assert (reason.code, reason.text) == ("uncertain", "Name a may change: only the apply can tell")
