from cli.kube import kinds
from cli.kube.kinds import BUILT_IN


def test_a_table_knows_kubernetes_own_kinds() -> None:
    paths = {
        ("apps/v1", "Deployment"): "/apis/apps/v1/namespaces/dev/deployments/x",
        ("v1", "Endpoints"): "/api/v1/namespaces/dev/endpoints/x",
        ("networking.k8s.io/v1", "NetworkPolicy"): "/apis/networking.k8s.io/v1/namespaces/dev/networkpolicies/x",
        ("networking.k8s.io/v1", "IngressClass"): "/apis/networking.k8s.io/v1/ingressclasses/x",
        ("networking.k8s.io/v1", "Ingress"): "/apis/networking.k8s.io/v1/namespaces/dev/ingresses/x",
        ("v1", "Namespace"): "/api/v1/namespaces/x",
        ("storage.k8s.io/v1", "StorageClass"): "/apis/storage.k8s.io/v1/storageclasses/x",
        ("policy/v1", "PodDisruptionBudget"): "/apis/policy/v1/namespaces/dev/poddisruptionbudgets/x",
        ("coordination.k8s.io/v1", "Lease"): "/apis/coordination.k8s.io/v1/namespaces/dev/leases/x",
    }
    assert {key: BUILT_IN[key].path("dev", "x") for key in paths} == paths


def test_without_a_namespace_a_collection_is_that_of_all_namespaces() -> None:
    assert BUILT_IN["v1", "Pod"].path() == "/api/v1/pods"
    assert BUILT_IN["v1", "Pod"].path("dev", "p", "log") == "/api/v1/namespaces/dev/pods/p/log"


def test_discovery_leaves_subresources_out() -> None:
    found = kinds.from_discovery(
        {
            "groupVersion": "example.com/v1",
            "resources": [
                {"name": "widgets", "kind": "Widget", "namespaced": False},
                {"name": "widgets/status", "kind": "Widget", "namespaced": False},
            ],
        }
    )
    assert list(found) == [("example.com/v1", "Widget")]
    assert found["example.com/v1", "Widget"].path(None, "w") == "/apis/example.com/v1/widgets/w"
