"""The pack answers the engine's protocol: asked over gRPC what the engine asks, it says what the rules say."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from components.manifest import type_token
from infra.policies import BY_ID, fixtures
from infra.policies.pack import serving
from infra.policies.pack.stack import PROJECT

PACK = Path(serving.__file__).parent
STACK = "urn:pulumi:prod::shop::"
MANDATORY, ADVISORY, DISABLED = map(analyzer_pb2.EnforcementLevel.Value, ("MANDATORY", "ADVISORY", "DISABLED"))


@pytest.fixture
def pack() -> Iterator[Any]:
    server, port = serving.serve(serving.Pack())
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield analyzer_pb2_grpc.AnalyzerStub(channel)
    server.stop(None).wait()


def configure(pack: Any, name: str, project: str = "shop") -> None:
    pack.Handshake(analyzer_pb2.AnalyzerHandshakeRequest(engine_address="127.0.0.1:1"))
    pack.ConfigureStack(analyzer_pb2.AnalyzerStackConfigureRequest(stack=name, project=project, dry_run=True))


def resource(made: dict[str, Any], token: str = "") -> Any:
    properties = struct_pb2.Struct()
    properties.update(made)
    token, name = token or type_token(made), made["metadata"]["name"]
    return analyzer_pb2.AnalyzerResource(type=token, urn=f"{STACK}{token}::{name}", name=name, properties=properties)


def asked(pack: Any, objects: list[dict[str, Any]]) -> list[Any]:
    request = analyzer_pb2.AnalyzeStackRequest(resources=[resource(made) for made in objects])
    return list(pack.AnalyzeStack(request).diagnostics)


def broken(*rules: str) -> list[dict[str, Any]]:
    objects = fixtures.sound()
    for rule in rules:
        objects = fixtures.patched(objects, fixtures.of(rule).fails)
    return objects


def test_it_lists_every_rule_with_the_level_of_the_stacks_tier(pack: Any) -> None:
    configure(pack, "dev")
    info = pack.GetAnalyzerInfo(empty_pb2.Empty())
    found = {each.name: each.enforcementLevel for each in info.policies}
    assert set(found) == set(BY_ID)
    assert (found["host-path"], found["liveness"], found["image-digest"]) == (MANDATORY, ADVISORY, DISABLED)
    assert all(each.description and each.remediation_steps for each in info.policies)


def test_a_sound_stack_is_let_through(pack: Any) -> None:
    configure(pack, "prod")
    assert asked(pack, fixtures.sound()) == []


def test_what_is_broken_names_rule_level_resource_and_remedy(pack: Any) -> None:
    configure(pack, "prod")
    [found] = asked(pack, broken("host-path"))
    assert (found.policyName, found.enforcementLevel) == ("host-path", MANDATORY)
    assert found.urn == f"{STACK}kubernetes:apps/v1:Deployment::web"
    assert found.message.startswith("Deployment shop/web: mounts /var/log of its node (spec.template.spec.volumes[1]")
    assert found.description == BY_ID["host-path"].why


@pytest.mark.parametrize(("stack", "level"), [("dev", None), ("staging", MANDATORY), ("live", MANDATORY)])
def test_a_stack_of_another_project_is_held_to_its_names_tier_else_to_prods(
    pack: Any, stack: str, level: int | None
) -> None:
    configure(pack, stack)
    assert [each.enforcementLevel for each in asked(pack, broken("image-digest"))] == ([level] if level else [])


def test_exceptions_of_this_projects_settings_hold(pack: Any) -> None:
    configure(pack, "prod", PROJECT)
    node_exporter = fixtures.patched(fixtures.sound(), fixtures.of("host-path").fails)
    for made in node_exporter:
        if made["kind"] == "Deployment":
            made["metadata"] = made["metadata"] | {"namespace": "prod-agents", "name": "node-exporter"}
            made["kind"] = "DaemonSet"
    assert "host-path" not in {each.policyName for each in asked(pack, node_exporter)}


def test_the_packs_own_configuration_sets_levels(pack: Any) -> None:
    configure(pack, "prod")
    policies = {
        "all": analyzer_pb2.PolicyConfig(enforcementLevel=DISABLED),
        "seccomp": analyzer_pb2.PolicyConfig(enforcementLevel=ADVISORY),
    }
    pack.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig=policies))
    found = asked(pack, broken("host-path", "seccomp"))
    assert [(each.policyName, each.enforcementLevel) for each in found] == [("seccomp", ADVISORY)]


def test_a_secret_is_seen_as_one_and_never_told(pack: Any) -> None:
    configure(pack, "prod")
    secret = {rpc._special_sig_key: rpc._special_secret_sig, "value": "hush-5c1d"}
    objects = [made | ({"data": {"plain": secret}} if made["kind"] == "ConfigMap" else {}) for made in fixtures.sound()]
    [found] = asked(pack, objects)
    assert found.policyName == "secret-in-configmap"
    assert "hush" not in str(found)


def test_what_is_known_only_later_and_patches_are_passed_over(pack: Any) -> None:
    configure(pack, "prod")
    later = {"data": {"web.yaml": rpc.UNKNOWN}}
    unknown = [made | (later if made["kind"] == "ConfigMap" else {}) for made in fixtures.sound()]
    request = [resource(made) for made in unknown]
    request.append(resource(_deployment(broken("host-path")), "kubernetes:apps/v1:DeploymentPatch"))
    answer = pack.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=request))
    assert list(answer.diagnostics) == []


def test_of_one_resource_alone_nothing_is_said(pack: Any) -> None:
    assert list(pack.Analyze(analyzer_pb2.AnalyzeRequest()).diagnostics) == []
    assert list(pack.Remediate(analyzer_pb2.AnalyzeRequest()).remediations) == []


def test_the_engine_can_start_it_and_reads_its_port() -> None:
    with subprocess.Popen([sys.executable, str(PACK), "127.0.0.1:1"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
                info = analyzer_pb2_grpc.AnalyzerStub(channel).GetPluginInfo(empty_pb2.Empty())
            assert info.version == serving.VERSION
        finally:
            process.kill()


def test_its_file_names_the_version_that_it_answers() -> None:
    assert f"version: {serving.VERSION}\n" in (PACK / "PulumiPolicy.yaml").read_text()


def _deployment(objects: list[dict[str, Any]]) -> dict[str, Any]:
    return next(made for made in objects if made["kind"] == "Deployment")
