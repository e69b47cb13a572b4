from __future__ import annotations

import json
from pathlib import Path

import pulumi
import pytest

from cli.engine.graph import ResourceGraph
from cli.engine.programs import Program
from cli.engine.render import PLACEHOLDER, config, render
from cli.errors import TurnoutError, UsageError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    for environment in ("dev", "staging", "prod"):
        (tmp_path / f"Pulumi.{environment}.yaml").write_text(
            "encryptionsalt: v1:x\nconfig:\n"
            f"  shop:tier: {environment}\n  shop:db:\n    password:\n      secure: v1:a:b\n"
        )
    return tmp_path


class Part(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Part", name, None, opts)
        self.register_outputs({})


class Object(pulumi.CustomResource):
    metadata: pulumi.Output[dict[str, str]]
    status: pulumi.Output[dict[str, str]]

    def __init__(self, name: str, kind: str, props: dict[str, object], opts: pulumi.ResourceOptions) -> None:
        super().__init__(f"kubernetes:core/v1:{kind}", name, {**props, "status": None}, opts)


def program() -> None:
    password = pulumi.Config().require_secret_object("db").apply(lambda db: db["password"])
    part = Part("part")
    space = Object("space", "Namespace", {"metadata": {"name": "a"}}, pulumi.ResourceOptions(parent=part))
    namespace = pulumi.Output.from_input(space.metadata).apply(lambda metadata: metadata["name"])
    options = pulumi.ResourceOptions(
        parent=part, depends_on=[space], ignore_changes=["spec.selector"], retain_on_delete=True, protect=False
    )
    Object("secret", "Secret", {"metadata": {"namespace": namespace}, "stringData": {"password": password}}, options)
    pulumi.export("tier", pulumi.Config().require("tier"))
    pulumi.export("password", password)


def graph(root: Path, environment: str = "dev", run: Program = program) -> ResourceGraph:
    return render(root, environment, program=run)


def test_parents_dependencies_and_options_are_recorded(root: Path) -> None:
    rendered = graph(root)
    secret = rendered.named("secret")
    part = rendered.named("part")
    assert secret.parent == part.urn
    assert secret.urn == "urn:pulumi:dev::shop::shop:index:Part$kubernetes:core/v1:Secret::secret"
    assert secret.dependencies == (rendered.named("space").urn,)
    assert secret.property_dependencies["metadata"] == (rendered.named("space").urn,)
    assert secret.options.ignore_changes == ("spec.selector",)
    assert secret.options.retain_on_delete is True
    assert secret.options.protect is False
    assert part.options.protect is None


def test_inputs_flow_through_outputs_and_secrets_are_marked(root: Path) -> None:
    secret = graph(root).named("secret")
    assert secret.inputs["metadata"] == {"namespace": "a"}
    assert secret.inputs["stringData"] == {"password": "[secret]"}
    assert secret.secret_paths == ("stringData.password",)
    assert secret.reveal()["stringData"] == {"password": PLACEHOLDER}
    assert PLACEHOLDER not in repr(secret)


def test_three_environments_render_in_one_process_and_do_not_mix(root: Path) -> None:
    rendered = {name: graph(root, name) for name in ("dev", "staging", "prod")}
    assert {name: entry.outputs["tier"] for name, entry in rendered.items()} == {
        "dev": "dev",
        "staging": "staging",
        "prod": "prod",
    }
    assert {len(entry) for entry in rendered.values()} == {3}
    assert rendered["dev"].outputs["password"] == "[secret]"


def test_inputs_come_in_one_order(root: Path) -> None:
    data = {f"key-{number:02}": {"b": 1, "a": 2} for number in range(20)}

    def shuffled() -> None:
        Object("many", "ConfigMap", {"data": dict(reversed(data.items()))}, pulumi.ResourceOptions())

    assert json.dumps(graph(root, run=shuffled).named("many").inputs["data"]) == json.dumps(data, sort_keys=True)


def test_two_renders_of_one_commit_are_equal(root: Path) -> None:
    assert graph(root) == graph(root)


def test_a_faulty_program_is_told_with_its_own_error(root: Path) -> None:
    def broken() -> None:
        raise ValueError("no such part")

    with pytest.raises(TurnoutError) as caught:
        graph(root, run=broken)
    assert "no such part" in str(caught.value)


def test_an_error_of_turnout_keeps_its_exit_code(root: Path) -> None:
    def refused() -> None:
        raise UsageError("wrong settings")

    with pytest.raises(UsageError):
        graph(root, run=refused)


def test_two_resources_of_one_name_are_refused(root: Path) -> None:
    def twice() -> None:
        Part("a")
        Part("a")

    with pytest.raises(TurnoutError) as caught:
        graph(root, run=twice)
    assert "two resources have one name" in str(caught.value)


def test_a_question_to_the_cluster_is_refused(root: Path) -> None:
    def asking() -> None:
        pulumi.runtime.invoke("kubernetes:yaml:decode", {"text": ""})

    with pytest.raises(TurnoutError):
        graph(root, run=asking)


def test_a_stack_reference_to_itself_knows_no_outputs(root: Path) -> None:
    def referring() -> None:
        pulumi.export("last", pulumi.StackReference("organization/shop/dev").get_output("release"))

    assert graph(root, run=referring).outputs == {}


def test_configuration_is_encoded_as_the_engine_does(root: Path) -> None:
    assert config(root, "dev") == (
        {"shop:tier": "dev", "shop:db": '{"password": "placeholder"}'},
        ["shop:db"],
    )


def test_keys_come_in_the_engines_order(root: Path) -> None:
    (root / "Pulumi.dev.yaml").write_text("config:\n  shop:db:\n    tools: 1\n    search: {z: 1, a: 2}\n")
    assert config(root, "dev")[0] == {"shop:db": '{"search": {"a": 2, "z": 1}, "tools": 1}'}


def test_an_unknown_environment_names_the_known_ones(root: Path) -> None:
    with pytest.raises(UsageError) as caught:
        config(root, "test")
    assert "dev, prod, staging" in str(caught.value)
