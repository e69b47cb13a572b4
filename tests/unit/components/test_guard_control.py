"""What the policies of the control namespace look at."""

from __future__ import annotations

from components.environment import Namespaces, Placement
from components.guard import approval, control

PLACE = Placement(environment="dev", tier="dev", namespaces=Namespaces.of("dev"), stack="control", component="guard")


def test_only_config_maps_of_the_environments_own_control_namespace_are_looked_at() -> None:
    for policy, binding in (approval.manifests(PLACE), control.manifests(PLACE)):
        matched = policy["spec"]["matchConstraints"]
        assert matched["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "turnout-dev"}}
        [rule] = matched["resourceRules"]
        assert rule["resources"] == ["configmaps"]
        assert binding["spec"]["policyName"] == policy["metadata"]["name"]
        assert binding["spec"]["validationActions"] == ["Deny"]


def test_deletions_are_never_in_the_way_of_the_cluster_itself() -> None:
    for policy, _ in (approval.manifests(PLACE), control.manifests(PLACE)):
        for rule in policy["spec"]["matchConstraints"]["resourceRules"]:
            assert "DELETE" not in rule["operations"]


def test_approvals_are_held_against_the_rollout() -> None:
    policy, binding = approval.manifests(PLACE)
    assert policy["spec"]["paramKind"] == {"apiVersion": "v1", "kind": "ConfigMap"}
    reference = binding["spec"]["paramRef"]
    assert (reference["name"], reference["namespace"]) == ("rollout", "turnout-dev")
