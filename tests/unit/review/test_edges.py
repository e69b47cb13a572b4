from __future__ import annotations

from cli.engine.graph import Options, Resource, ResourceGraph
from cli.review.edges import edges
from tests.unit.review.builder import Manifest, change, made, plan, pods, running, service, urn

VOLUMES = [{"name": "a", "configMap": {"name": "files"}}, {"name": "b", "secret": {"secretName": "keys"}}]
API = running(template=pods("api", serviceAccountName="api", volumes=VOLUMES))
SCALER = made(
    "HorizontalPodAutoscaler", "api", {"scaleTargetRef": {"kind": "Deployment", "name": "api"}, "minReplicas": 2}
)
BUDGET = made("PodDisruptionBudget", "api", {"selector": {"matchLabels": {"app": "api"}}})
ROUTE = made("HTTPRoute", "api", {"rules": [{"backendRefs": [{"name": "api", "port": 80}]}]})
CONFIG, SECRET, ACCOUNT = made("ConfigMap", "files"), made("Secret", "keys"), made("ServiceAccount", "api")


def resource(made_of: Manifest, *needs: Manifest) -> Resource:
    token = f"kubernetes:core/v1:{made_of['kind']}"
    return Resource(urn(made_of), token, "a", "", True, made_of, tuple(map(urn, needs)), {}, "", Options())


def test_names_in_the_objects_tell_what_they_need() -> None:
    apps = {"apiVersion": "apps/v1"}
    new = [{**API, **apps}, service(), SCALER, BUDGET, ROUTE, CONFIG, SECRET, ACCOUNT, made("ConfigMap", "other")]
    assert edges(plan(*(change(None, each) for each in new))) == {
        urn(API): (urn(CONFIG), urn(SECRET), urn(ACCOUNT)),
        urn(service()): (urn(API),),
        urn(SCALER): (urn(API),),
        urn(BUDGET): (urn(API),),
        urn(ROUTE): (urn(service()),),
    }


def test_with_a_graph_what_does_not_change_is_named_where_it_touches_a_change() -> None:
    far, near = made("ConfigMap", "far"), made("ConfigMap", "near")
    graph = ResourceGraph("prod", (resource(far), resource(near, far), resource(API, near), resource(service())), {})
    found = edges(plan(change(API, running(template=pods("api", hostname="x")))), graph)
    assert found == {urn(API): (urn(near),), urn(service()): (urn(API),)}


def test_what_goes_is_known_by_what_it_was() -> None:
    assert edges(plan(change(API, None), change(CONFIG, None))) == {urn(API): (urn(CONFIG),)}


def test_two_thousand_changes_are_not_compared_each_with_each() -> None:
    """Selectors are asked of what can meet them alone: the work grows with the plan, not with its square."""
    asked = []

    class Label(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            asked.append(other)
            return str.__eq__(self, other)

    def selecting(name: str) -> Manifest:
        return service(name, selector={"app": Label(name)})

    names = [f"app-{number}" for number in range(200)]
    new = [*(selecting(name) for name in names), *(running("Deployment", name, template=pods(name)) for name in names)]
    assert len(edges(plan(*(change(None, each) for each in new)))) == len(names)
    assert len(asked) < 20 * len(names)
