from __future__ import annotations

from cli.demo.__main__ import _until_old
from cli.demo.cluster import written_by_kubectl
from cli.demo.terminal import Ran


def test_kubectls_entries_are_removed_from_the_last_on() -> None:
    managers = ["kubectl-rollout", "turnout", "kube-controller-manager", "kubectl"]
    assert written_by_kubectl([{"manager": name} for name in managers]) == [3, 0]


def test_a_rollback_lasts_until_only_the_old_release_answers() -> None:
    counted = {"new_connections": [["1.0.0", 0, 4, 9], ["1.1.0", 5, 12, 9], ["1.0.0", 13, 20, 9], ["1.1.0", 30, 40, 9]]}
    assert _until_old(counted, Ran(10, 11), before=25) == 2
    assert _until_old(counted, Ran(10, 15), before=25) == 2, "the other workloads are no part of it"
