"""What the rules about secrets take for one, place by place, and what merely looks alike."""

from __future__ import annotations

import base64
import gzip
from typing import Any

import pytest

from infra.policies import BY_ID
from infra.policies import fixtures as fixtures_of
from infra.policies.world import World

HUSH = "hush0123456789"


def faults(rule: str, *patches: dict[str, Any]) -> list[str]:
    """Where the rule sees a secret in the sound shop with those patches."""
    world = World(fixtures_of.patched(fixtures_of.sound(), patches))
    return [fault.path for thing in BY_ID[rule].things(world) for fault in BY_ID[rule].faults(thing)]


def container(**described: Any) -> dict[str, Any]:
    spec = {"template": {"spec": {"containers": [{"name": "web", **described}]}}}
    return {"kind": "Deployment", "metadata": {"namespace": "shop", "name": "web"}, "spec": spec}


def configmap(**maps: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "web"}, **maps}


def coded(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(
    ("rule", "paths"),
    [
        ("secret-in-env", ["env[1].valueFrom.secretKeyRef", "env[2].value"]),
        ("secret-in-arguments", ["args[0]", "args[2]"]),
        ("secret-in-configmap", ['data["web.yaml"]', 'data["flow.yaml"]', 'binaryData["packed.yaml"]']),
    ],
)
def test_each_secret_of_a_failing_fixture_is_seen(rule: str, paths: list[str]) -> None:
    found = faults(rule, *fixtures_of.of(rule).fails)
    assert [path.partition("containers[0].")[2] or path for path in found] == paths


@pytest.mark.parametrize("flag", ["--password", "-token", "--db-pass", "--mysql.pwd", "--dbPass", "--api-key"])
def test_the_word_after_an_argument_is_judged_by_it(flag: str) -> None:
    [path] = faults("secret-in-arguments", container(args=["run", flag, HUSH, "--verbose"]))
    assert path.endswith("args[2]")


@pytest.mark.parametrize(
    "words",
    [
        ["--password-file", "/etc/secrets/db"],
        ["--password", "$(DB_PASSWORD)"],
        ["--token", "/etc/secrets/token"],
        ["--password", "--verbose-output"],
        ["--bypass", "everything"],
        ["--compass", "northwards"],
        ["password", "words-alone"],
    ],
)
def test_a_word_that_is_no_secret_is_let_through(words: list[str]) -> None:
    assert faults("secret-in-arguments", container(args=words)) == []


@pytest.mark.parametrize("name", ["DB_PASS", "MYSQL_PWD", "smtpPass", "DBPWD"])
def test_a_variable_with_a_short_word_is_a_secret(name: str) -> None:
    assert len(faults("secret-in-env", container(env=[{"name": name, "value": HUSH}]))) == 1


@pytest.mark.parametrize("name", ["PWD", "OLDPWD", "BYPASS", "PASSIVE", "COMPASS"])
def test_a_variable_that_merely_sounds_like_one_is_let_through(name: str) -> None:
    assert faults("secret-in-env", container(env=[{"name": name, "value": HUSH}])) == []


@pytest.mark.parametrize(
    "text", [f"auth: {{user: a, password: {HUSH}}}", f'{{"a": 1, "token": "{HUSH}"}}', f"a: 1\nsmtp_pass: {HUSH}\n"]
)
def test_a_secret_within_a_line_is_seen_in_both_maps(text: str) -> None:
    patch = configmap(data={"web.yaml": text}, binaryData={"b": coded(text.encode())})
    assert faults("secret-in-configmap", patch) == ['data["web.yaml"]', 'binaryData["b"]']


@pytest.mark.parametrize(
    "text",
    [
        'rate(x{secret="abcdefgh", token=~"ijklmnop"}[5m])',
        "auth: {user: a, password: ${PASSWORD}, token: null, tokens: abcdefgh}",
        "proxy_pass http://backend;",
        "{bypass: certainly}",
    ],
)
def test_a_text_without_a_secret_is_let_through(text: str) -> None:
    assert faults("secret-in-configmap", configmap(data={"web.yaml": text})) == []


@pytest.mark.parametrize(
    "content",
    [
        coded(gzip.compress(f"password: {HUSH}".encode(), mtime=0)),
        coded(b"\xff\xfe://a:bcdef@"),
        "no base64",
        "QQ=x",
        7,
        None,
    ],
)
def test_binary_data_that_is_no_text_is_passed_over(content: object) -> None:
    assert faults("secret-in-configmap", configmap(binaryData={"b": content})) == []


@pytest.mark.parametrize("held", ["[secret]", {"b": "[secret]"}])
def test_binary_data_of_the_settings_secrets_is_seen(held: object) -> None:
    assert len(faults("secret-in-configmap", configmap(binaryData=held))) == 1
