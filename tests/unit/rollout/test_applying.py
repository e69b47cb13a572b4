"""What `up`, `destroy` and `logs` leave behind and tell when things go wrong half-way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest

from cli import context
from cli.commands import destroy, driving, up
from cli.engine.model import Outcome
from cli.engine.run import Engine
from cli.errors import TurnoutError
from cli.kube.client import Kube
from cli.kube.config import Endpoint
from cli.kube.errors import Forbidden
from cli.progress import Silent
from cli.rollout import audit, lock, logs, releases, where


def test_apply_of_a_few_targets_names_no_record_that_is_not_there(
    cluster: Any, kube: Any, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.put(make.record("release-1", [make.deployment("api", "1")])[0], "configmaps")
    done = Outcome("dev", True, (), {}, {"release": "release-2"}, (), (), 0.1, "pulumi", "own")
    engine = Engine(tmp_path, "dev", Silent())
    monkeypatch.setattr(engine, "up", lambda *_, **__: done)
    with lock.environment_lock(kube, "dev", command="turnout up dev") as held:
        up.apply(driving.Work(kube, engine, held, Silent()), ["urn:pulumi:dev::turnout::x"], "")
    assert [release.record for release in releases.load(kube, "dev").releases] == ["release-1"]


def test_destroy_that_stops_half_way_is_in_the_audit_trail(
    kube: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(*_: Any, **__: Any) -> Any:
        raise TurnoutError("the engine was lost")

    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    monkeypatch.setattr(context, "project", lambda: tmp_path)
    monkeypatch.setattr(where, "connect", lambda _: kube)
    monkeypatch.setattr(Engine, "destroy", half)
    monkeypatch.setattr(Kube, "__exit__", lambda *_: None)
    with pytest.raises(TurnoutError, match="the engine was lost"):
        destroy.destroy("dev", yes=True)
    [entry] = audit.entries(kube, "dev")
    assert (entry.what, entry.outcome) == ("turnout destroy dev", "failed: the engine was lost")


@pytest.mark.parametrize(("code", "refused"), [(403, True), (400, False)])
def test_logs_that_may_not_be_read_are_not_an_empty_log(code: int, refused: bool) -> None:
    answer = httpx2.MockTransport(lambda _: httpx2.Response(code, json={"kind": "Status", "message": "pods/log"}))
    with Kube(Endpoint("http://api", "default", "test", None, None), transport=answer) as kube:
        sources = [("dev", "api-1", "api")]
        if refused:
            with pytest.raises(Forbidden):
                logs.read(kube, sources, logs.Wanted("api"))
        else:
            assert logs.read(kube, sources, logs.Wanted("api")) == []
