from cli.kube.operations import Server
from cli.kube.related import current_pods, gather, selector
from tests.unit.kube.objects import deployment, event, pod, replica_set
from tests.unit.kube.script import Script, answer, refusal


def page(*items: object) -> object:
    return answer(200, {"metadata": {"resourceVersion": "1"}, "items": list(items)})


def test_only_pods_of_the_newest_revision_count() -> None:
    old, new = replica_set("1", "old"), replica_set("2", "new")
    every = [pod("a", owner="old"), pod("b", owner="new"), pod("c", owner="stranger")]
    assert [row["metadata"]["name"] for row in current_pods(deployment(), [old, new], every)] == ["b"]


def test_pods_events_and_last_lines_are_gathered_for_pods_in_trouble() -> None:
    crashed = pod(state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState={"terminated": {"exitCode": 1}})
    log = answer(200)
    script = Script(
        page(replica_set()),  # type: ignore[arg-type]
        page(crashed, pod("fine", ready=True)),  # type: ignore[arg-type]
        page(),  # type: ignore[arg-type]
        page(event("api-1", "BackOff", "restarting")),  # type: ignore[arg-type]
        type(log)(200, {}, b"one\ntwo\n"),
    )
    about = script.run(gather(Server(), deployment()))
    assert len(about.pods) == 2 and about.events[0]["reason"] == "BackOff"
    assert about.logs == {("api-1", "app"): ["one", "two"]}
    assert [request.params.get("fieldSelector") for request in script.asked[2:4]] == [
        "involvedObject.name=api-rs",
        "involvedObject.name=api-1",
    ]
    assert script.asked[4].params == {"container": "app", "tailLines": "10", "previous": "true"}


def test_what_we_may_not_read_is_left_out() -> None:
    script = Script(*[refusal(403, "Forbidden")] * 3)
    about = script.run(gather(Server(), deployment()))
    assert not about.pods and not about.events


def test_selectors() -> None:
    rows = [
        {"key": "a", "operator": "In", "values": ["x", "y"]},
        {"key": "b", "operator": "DoesNotExist"},
    ]
    obj = {"spec": {"selector": {"matchLabels": {"app": "api"}, "matchExpressions": rows}}}
    assert selector(obj) == "app=api,a in (x,y),!b"
    assert selector({"spec": {"selector": {"app": "api"}}}) == "app=api"
    assert selector({"spec": {}}) is None
