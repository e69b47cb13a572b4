"""What a provider's settings change."""

from __future__ import annotations

import json
from pathlib import Path

import grpc
import pytest

from cli.provider import protocol
from cli.provider.values import encode
from tests.integration.provider import Engine, Failed, Provider, urn
from tests.integration.provider_fixtures import Live, config_map

CONFIG_MAP, JOB = "kubernetes:core/v1:ConfigMap", "kubernetes:batch/v1:Job"
messages = protocol.provider
pytestmark = pytest.mark.cluster


def _resident(pid: int) -> int:
    """MiB of memory in use."""
    rows = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return int(rows["VmRSS"].split()[0]) // 1024


@pytest.fixture
def nowhere() -> str:
    """A kubeconfig of a server that is not there."""
    cluster = {"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}
    context = {"name": "c", "context": {"cluster": "c", "user": "c"}}
    whole = {"clusters": [cluster], "contexts": [context], "users": [{"name": "c", "user": {}}], "current-context": "c"}
    return json.dumps({"apiVersion": "v1", "kind": "Config", **whole})


def test_what_an_unreachable_cluster_held_is_given_up_where_that_is_asked_for(
    engine: Engine, running: Provider, nowhere: str
) -> None:
    made = engine.create(CONFIG_MAP, "given-up", config_map("given-up", a="1"))
    lost = running.engine(nowhere, deleteUnreachable="true")
    assert lost.read(made) is None
    lost.delete(made)
    assert any("deleteUnreachable" in text for text in running.statuses.seen)
    kept = running.engine(nowhere, skipUpdateUnreachable="true")
    assert kept.check(CONFIG_MAP, "given-up", config_map("given-up", a="2"), made.inputs) == made.inputs
    read = kept.read(made)
    assert read is not None and read.outputs == made.outputs
    with pytest.raises(Failed, match="no answer from the API server: delete ConfigMap"):
        kept.delete(made)


def test_a_kind_that_nobody_knows_is_refused_where_that_is_asked_for(running: Provider, live: Live) -> None:
    strict = running.engine(namespace=live.namespace, rejectUnknownResources="true")
    widget = {"metadata": {"name": "w"}}
    with pytest.raises(AssertionError, match="rejectUnknownResources"):
        strict.check("kubernetes:nowhere.example.com/v1:Widget", "w", widget)
    assert strict.check(CONFIG_MAP, "known", widget)


def test_an_expression_that_cannot_be_read_is_told_before_anything_is_made(engine: Engine) -> None:
    wanted = config_map("unread", a="1")
    wanted["metadata"]["annotations"] = {"pulumi.com/waitFor": "phase=Running"}
    with pytest.raises(AssertionError, match="waitFor"):
        engine.check(CONFIG_MAP, "unread", wanted)


def test_a_kubeconfig_may_be_a_path_of_any_form(running: Provider, live: Live, kubeconfig: Path) -> None:
    home = Path.home()
    forms = [str(kubeconfig), kubeconfig.read_text()]
    if kubeconfig.is_relative_to(home):
        forms.append(f"~/{kubeconfig.relative_to(home)}")
    for form in forms:
        engine = running.engine(form, namespace=live.namespace)
        assert engine.create(CONFIG_MAP, "form", config_map("form", a="1"), preview=True).outputs["kind"] == "ConfigMap"


def test_settings_that_there_are_none_of_are_named(engine: Engine, running: Provider) -> None:
    provider = "urn:pulumi:test::turnout::pulumi:providers:kubernetes::cluster"
    request = messages.CheckRequest(urn=provider, news=encode({"namspace": "x"}))
    assert not engine.stub.CheckConfig(request).failures
    assert "the kubernetes provider has no setting 'namspace'; is it 'namespace'?" in running.statuses.seen
    rendering = messages.CheckRequest(urn=provider, news=encode({"renderYamlToDirectory": "out"}))
    assert [row.property for row in engine.stub.CheckConfig(rendering).failures] == ["renderYamlToDirectory"]


def test_warnings_of_old_kinds_can_be_left_out(engine: Engine, running: Provider, live: Live) -> None:
    old, wanted = "kubernetes:core/v1:Endpoints", {"metadata": {"name": "old"}}
    quiet = running.engine(namespace=live.namespace, suppressDeprecationWarnings="true")
    quiet.create(old, "old", wanted, preview=True)
    assert not [text for text in running.statuses.seen if "deprecated" in text]
    engine.create(old, "old", wanted, preview=True)
    assert [text for text in running.statuses.seen if "Endpoints is deprecated" in text]


def test_memory_does_not_grow_with_the_number_of_resources(engine: Engine, running: Provider) -> None:
    def work(count: int) -> int:
        for index in range(count):
            engine.create(
                CONFIG_MAP, f"m-{count}-{index}", config_map(f"m-{count}-{index}", a="x" * 30_000), preview=True
            )
        return _resident(running.process.pid)

    work(50)
    before = work(100)
    assert work(300) - before < 6, "MiB; 300 objects of 30 kB, kept, would be 9 and more"


def test_a_job_that_is_not_complete_is_replaced_where_that_is_asked_for(engine: Engine, running: Provider) -> None:
    notes = {"pulumi.com/skipAwait": "true", "pulumi.com/replaceUnready": "true"}
    container = {"name": "c", "image": "turnout.local/none:0"}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    job = {"metadata": {"name": "stuck", "annotations": notes}, "spec": {"template": template}}
    made = engine.create(JOB, "stuck", job)
    change = engine.diff(made, job)
    assert change.replaces == ['.metadata.annotations["pulumi.com/replaceUnready"]'] and change.delete_first
    engine.delete(made)
    wanted = config_map("no-job", a="1")
    wanted["metadata"]["annotations"] = {"pulumi.com/replaceUnready": "true"}
    assert engine.diff(engine.create(CONFIG_MAP, "no-job", wanted), wanted).kind == "DIFF_NONE"
    assert any("is for Jobs alone" in text for text in running.statuses.seen)


def test_helm_and_kustomize_are_refused_by_name_with_the_way_out(engine: Engine) -> None:
    for token, name in (("kubernetes:helm.sh/v4:Chart", "Helm"), ("kubernetes:kustomize/v2:Directory", "Kustomize")):
        with pytest.raises(grpc.RpcError, match=f"(?s){token}.*{name}.*TURNOUT_PROVIDER"):
            engine.stub.Construct(messages.ConstructRequest(type=token, name="x"))
    with pytest.raises(grpc.RpcError, match=r"(?s)helm:template.*Helm.*TURNOUT_PROVIDER"):
        engine.stub.Invoke(messages.InvokeRequest(tok="kubernetes:helm:template"))
    release = messages.CheckRequest(urn=urn("kubernetes:helm.sh/v3:Release", "x"))
    with pytest.raises(grpc.RpcError, match=r"(?s)Release.*Helm.*TURNOUT_PROVIDER"):
        engine.stub.Check(release)
