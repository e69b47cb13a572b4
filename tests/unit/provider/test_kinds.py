import pytest

from cli.errors import TurnoutError
from cli.provider import kinds
from cli.provider.kinds import Type


@pytest.mark.parametrize(
    ("token", "type_"),
    [
        ("kubernetes:apps/v1:Deployment", Type("apps/v1", "Deployment")),
        ("kubernetes:core/v1:ConfigMap", Type("v1", "ConfigMap")),
        ("kubernetes:core/v1:NamespacePatch", Type("v1", "Namespace", patch=True)),
        ("kubernetes:rbac.authorization.k8s.io/v1:Role", Type("rbac.authorization.k8s.io/v1", "Role")),
        ("kubernetes:example.com/v1:WidgetPatch", Type("example.com/v1", "WidgetPatch")),
    ],
)
def test_a_type_token_names_version_and_kind(token: str, type_: Type) -> None:
    assert kinds.of_token(token) == type_
    assert kinds.of_urn(f"urn:pulumi:dev::turnout::turnout:app:App${token}::x") == type_


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("kubernetes:helm.sh/v3:Release", "Helm"),
        ("kubernetes:helm.sh/v4:Chart", "Helm"),
        ("kubernetes:kustomize/v2:Directory", "Kustomize"),
        ("kubernetes:core/v1:PodList", "List"),
        ("docker:index:Container", "not a Kubernetes kind"),
    ],
)
def test_what_is_not_served_is_refused_by_name_with_the_way_out(token: str, why: str) -> None:
    with pytest.raises(TurnoutError) as caught:
        kinds.of_token(token)
    assert token in caught.value.what and why in caught.value.why and "TURNOUT_PROVIDER" in caught.value.next


def test_a_custom_kinds_patch_is_told_by_the_kind_that_it_asks_for() -> None:
    urn = "urn:pulumi:dev::turnout::kubernetes:example.com/v1:WidgetPatch::x"
    assert kinds.of_urn(urn, "Widget") == Type("example.com/v1", "Widget", patch=True)
    assert kinds.of_urn(urn, "WidgetPatch") == kinds.of_urn(urn) == Type("example.com/v1", "WidgetPatch")


def test_a_kind_of_kubernetes_own_has_its_scope_in_every_version() -> None:
    assert kinds.is_namespaced("batch/v1beta1", "CronJob")
    assert not kinds.is_namespaced("rbac.authorization.k8s.io/v1alpha1", "ClusterRole")
    assert kinds.is_namespaced("example.com/v1", "Namespace")


def test_ids() -> None:
    assert kinds.object_id({"metadata": {"namespace": "dev", "name": "x"}}) == "dev/x"
    assert kinds.object_id({"metadata": {"name": "x"}}) == "x"
    assert kinds.parse_id("dev/x") == ("dev", "x") and kinds.parse_id("x") == (None, "x")
