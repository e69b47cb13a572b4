from cli.kube.operations import Server
from cli.kube.related import current_pods, gather, selector
from cli.kube.requests import Answer
from tests.unit.kube.objects import deployment, event, pod, replica_set
from tests.unit.kube.script import Script, answer, refusal


def page(*items: object) -> Answer:
    return answer(200, {"metadata": {"resourceVersion": "1"}, "items": list(items)})


def test_only_pods_of_the_newest_revision_count() -> None:
    old, new = replica_set("1", "old"), replica_set("2", "new")
    every = [pod("a", owner="old"), pod("b", owner="new"), pod("c", owner="stranger")]
    assert [row["metadata"]["name"] for row in current_pods(deployment(), [old, new], every)] == ["b"]


def test_pods_events_and_last_lines_are_gathered_for_pods_in_trouble() -> None:
    crashed = pod(state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState={"terminated": {"exitCode": 1}})
    log = answer(200)
    script = Script(
        page(replica_set()),
        page(crashed, pod("fine", ready=True)),
        page(event("api-1", "BackOff", "restarting")),
        type(log)(200, {}, b"one\ntwo\n"),
    )
    about = script.run(gather(Server(), deployment()))
    assert len(about.pods) == 2 and about.events[0]["reason"] == "BackOff"
    assert about.logs == {("api-1", "app"): ["one", "two"]}
    assert script.asked[2].params["fieldSelector"] == "involvedObject.name=api-1"
    assert script.asked[3].params == {"container": "app", "tailLines": "10", "previous": "true"}


def test_events_of_the_maker_tell_why_there_is_no_pod() -> None:
    script = Script(page(replica_set()), page(), page(event("api-rs", "FailedCreate", "quota")))
    about = script.run(gather(Server(), deployment()))
    assert script.asked[2].params["fieldSelector"] == "involvedObject.name=api-rs"
    assert about.events[0]["reason"] == "FailedCreate"


def test_events_of_the_maker_tell_why_it_has_fewer_pods_than_it_wants() -> None:
    first = {**pod("db-0", ready=True), "metadata": {"name": "db-0", "uid": "p", "ownerReferences": [{"uid": "s"}]}}
    wanted = {
        "kind": "StatefulSet",
        "metadata": {"name": "db", "namespace": "dev", "uid": "s"},
        "spec": {"replicas": 2},
    }
    script = Script(page(first), page(event("db", "FailedCreate", "refused by a webhook")))
    assert script.run(gather(Server(), wanted)).events[0]["message"] == "refused by a webhook"


def test_events_of_a_pod_alone_are_always_read() -> None:
    alone = {"kind": "Pod", **pod("alone", state={"waiting": {"reason": "ContainerCreating"}})}
    script = Script(page(event("alone", "FailedMount", "secret x not found")))
    assert script.run(gather(Server(), alone)).events[0]["reason"] == "FailedMount"


def test_events_are_read_of_a_pod_that_takes_long_to_start() -> None:
    slow = pod(state={"waiting": {"reason": "ContainerCreating"}})
    placed = {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    slow["status"]["conditions"] = [placed]
    script = Script(page(replica_set()), page(slow), page(event("api-1", "FailedMount", "secret x not found")))
    assert script.run(gather(Server(), deployment())).events[0]["reason"] == "FailedMount"


def test_of_pods_that_only_start_no_events_are_read() -> None:
    script = Script(page(replica_set()), page(pod("fine", ready=True)))
    assert not script.run(gather(Server(), deployment())).events


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
