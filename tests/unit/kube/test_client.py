import json
import time
from collections.abc import Callable, Iterator

import httpx2
import pytest
from lightkube.core.exceptions import ConfigError

from cli.kube.client import Kube
from cli.kube.config import Endpoint
from cli.kube.errors import KubeError, Unauthorized, Unreachable
from cli.kube.operations import Server
from cli.kube.retry import Policy

WHERE = Endpoint("http://cluster", "default", "c", None, None)
QUICK = Policy(attempts=3, first=0.001)


def kube(handler: Callable[[httpx2.Request], httpx2.Response]) -> Kube:
    return Kube(WHERE, server=Server(QUICK), transport=httpx2.MockTransport(handler))


def test_an_apply_goes_out_as_such() -> None:
    seen: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json={"ok": True})

    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "dev"}}
    assert kube(handler).apply(manifest, "turnout", force=True) == {"ok": True}
    (request,) = seen
    assert request.method == "PATCH" and request.url.path == "/apis/apps/v1/namespaces/dev/deployments/a"
    assert dict(request.url.params) == {"fieldManager": "turnout", "force": "true", "fieldValidation": "Warn"}
    assert request.headers["content-type"] == "application/apply-patch+yaml"
    assert json.loads(request.content) == manifest


def test_no_connection_is_told_with_the_next_command() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    with pytest.raises(Unreachable) as caught:
        kube(handler).get("v1", "Pod", "p", "dev")
    assert "refused" in caught.value.why and caught.value.next


def test_a_watch_lists_first_and_lists_again_when_it_is_too_old() -> None:
    lists = 0

    def handler(request: httpx2.Request) -> httpx2.Response:
        nonlocal lists
        if "watch" not in request.url.params:
            lists += 1
            row = {"metadata": {"name": f"p{lists}", "resourceVersion": str(lists)}}
            return httpx2.Response(200, json={"metadata": {"resourceVersion": str(lists)}, "items": [row]})
        if lists == 1:
            gone = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}}
            return httpx2.Response(200, content=json.dumps(gone))
        item = {"metadata": {"name": "new", "resourceVersion": "9"}}
        mark = {"metadata": {"resourceVersion": "10"}}
        lines = [{"type": "BOOKMARK", "object": mark}, {"type": "MODIFIED", "object": item}]
        return httpx2.Response(200, content="\n".join(map(json.dumps, lines)))

    seen = []
    for what, item in kube(handler).watch("v1", "Pod", "dev", seconds=60):
        seen.append((what, item["metadata"]["name"]))
        if item["metadata"]["name"] == "new":
            break
    assert seen == [("ADDED", "p1"), ("ADDED", "p2"), ("MODIFIED", "new")]


def test_a_watch_that_is_refused_ends_with_the_reason() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        if "watch" in request.url.params:
            return httpx2.Response(403, json={"message": "no", "reason": "Forbidden"})
        return httpx2.Response(200, json={"metadata": {"resourceVersion": "1"}, "items": []})

    with pytest.raises(KubeError, match="not allowed: watch pods in dev"):
        list(kube(handler).watch("v1", "Pod", "dev", seconds=5))


def test_a_stream_without_credentials_says_so() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        if "watch" in request.url.params or request.url.path.endswith("/log"):
            raise ConfigError("please log in")
        return httpx2.Response(200, json={"metadata": {"resourceVersion": "1"}, "items": []})

    with pytest.raises(Unauthorized, match="please log in"):
        list(kube(handler).watch("v1", "Pod", "dev", seconds=5))
    with pytest.raises(Unauthorized, match="please log in"):
        list(kube(handler).follow_logs("dev", "p"))


def test_logs_come_line_by_line() -> None:
    def handler(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=b"one\ntwo\nthree")

    assert list(kube(handler).follow_logs("dev", "p")) == ["one", "two", "three"]


def test_a_body_that_trickles_for_ever_is_given_up_on() -> None:
    def trickle() -> Iterator[bytes]:
        while True:
            time.sleep(0.01)
            yield b" "

    asked: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, content=trickle())

    hasty = Kube(WHERE, server=Server(QUICK), transport=httpx2.MockTransport(handler), whole=0.05)
    with pytest.raises(Unreachable, match="no answer"):
        hasty.get("v1", "Pod", "p", "dev")
    assert len(asked) == QUICK.attempts


def test_a_watch_that_is_garbled_goes_on_where_it_was() -> None:
    item = {"metadata": {"name": "new", "resourceVersion": "9"}}
    bodies = [b'{"type": "MODIF', json.dumps({"type": "MODIFIED", "object": item}).encode()]

    def handler(request: httpx2.Request) -> httpx2.Response:
        if "watch" in request.url.params:
            return httpx2.Response(200, content=bodies.pop(0))
        return httpx2.Response(200, json={"metadata": {"resourceVersion": "1"}, "items": []})

    seen = kube(handler).watch("v1", "Pod", "dev", seconds=60)
    assert next(seen)[1]["metadata"]["name"] == "new"
