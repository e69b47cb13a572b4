"""What is not marked as secret and yet is one: hidden by where it stands; and what merely looks alike is not."""

from __future__ import annotations

import json

import pytest

from cli.engine import values
from cli.engine.model import ABSENT, SECRET, UNKNOWN, Diagnostic, FieldChange, Operation
from cli.engine.render import render
from cli.report import hiding, masking
from cli.review.model import Finding, Reviewed
from tests.harness import ROOT

from .reviews import CORE, change, plan, review

HUSH = "hush0123456789abcdef"


@pytest.mark.parametrize(
    "text",
    [
        f"password: {HUSH}",
        f'  - "api_key": "{HUSH}",',
        f"DB_PASSWORD={HUSH}",
        f"export GITHUB_TOKEN='{HUSH}'",
        f"requirepass {HUSH}",
        f"client_secret: {HUSH} {HUSH}",
        f"password: |\n  {HUSH}\n  {HUSH}\nnext: 1",
        f"- token: >-\n    {HUSH}\n",
        f"host=db password={HUSH} user=x",
        f"run --password={HUSH} --verbose",
        f"exec run --password {HUSH} --verbose",
        f'exec run -db-pass "{HUSH} {HUSH}" --verbose',
        f"args: [--password, {HUSH}, --verbose]",
        f"- --password\n- {HUSH}\n- --verbose",
        json.dumps({"args": ["--password", HUSH, "--verbose"]}),
        json.dumps({"last": json.dumps({"args": ["--password", HUSH]})}),
        f"auth: {{user: a, password: {HUSH}}}",
        f"auth: {{password: {HUSH} {HUSH}, user: a}}",
        f"auth: {{user: a,'api_key': '{HUSH}' }}",
        f"[{{user: a, dbPass: {HUSH}}}, {{user: b}}]",
        f"DB_PASS={HUSH}",
        f"MYSQL_PWD={HUSH} mysql",
        f"dbPwd: {HUSH}",
        f"pass: {HUSH}",
        f"DBPASS: {HUSH}",
        f'{{"smtp_pass": "{HUSH}"}}',
        f"postgres://user:{HUSH}@db/x",
        f"redis://:{HUSH}@db",
        f"https://x.example/hook?token={HUSH}&a=1",
        f"Authorization: Bearer {HUSH}",
        f'{{"a": 1, "token": "{HUSH}", "b": 2}}',
        f'{{"a": 1, "token": "x\\"{HUSH}", "b": 2}}',
        json.dumps({"last": json.dumps({"password": HUSH, "b": 1})}),
        json.dumps({"last": json.dumps({"password": f'"{HUSH}"', "b": 1})}),
        f"https://hooks.slack.com/services/T0/B0/{HUSH}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{HUSH}\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\n{HUSH}",
        f"ghp_{HUSH}{HUSH}",
        f"eyJ{HUSH}.{HUSH}.{HUSH}",
    ],
)
def test_a_text_loses_its_secret(text: str) -> None:
    assert HUSH not in hiding.text(f"first: 1\n{text}\nlast: 2\n")
    assert SECRET in hiding.text(text)
    assert hiding.text(hiding.text(text)) == hiding.text(text)


@pytest.mark.parametrize(
    "text",
    [
        "credentials_file: /etc/secrets/password",
        "automountServiceAccountToken: false",
        "password: ${PASSWORD}",
        'sum(rate(x{secret="a", token=~"b"}[5m])) by (token)',
        "the token is not valid any more",
        "secretName: grafana-secret-754029ab17",
        "https://user@host/path",
        "http://localhost:3000/x@y",
        "image: shop@sha256:0123456789abcdef",
        "password:\n  file: /x",
        "bypass: certainly\ncompass: north\nPWD=/srv\nOLDPWD=/tmp\npassive: 1-2\npassed=17",
        "proxy_pass http://api;\n  auth_pass_through on;",
        "auth: {user: a, password: ${PASSWORD}, token: null, secretName: x, bypass: yes}",
        "run --password-file /etc/x --token $TOKEN --secret --verbose",
        'args: ["--password", "$(DB_PASSWORD)", "--token", "--verbose"]',
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert hiding.text(text) == text


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_nothing_of_this_project_looks_like_a_secret(environment: str) -> None:
    for resource in render(ROOT, environment):
        shown = values.shown(resource.inputs)
        assert masking.value(shown) == shown, resource.name


@pytest.mark.parametrize(
    "text", [f"broken: postgres://u:{HUSH}@db", f"password={HUSH}", f"why: 'token={HUSH}'", f"x\n  token: {HUSH}\ny"]
)
def test_a_message_loses_its_secret(text: str) -> None:
    assert HUSH not in hiding.message(text)


def test_a_message_about_a_secret_stays() -> None:
    text = "turnout:postgres.password: a secret is required\npostgres.password: is missing\nrun `config set token`"
    assert hiding.message(text) == text


def test_a_variable_goes_by_its_own_name() -> None:
    given = [{"name": "API_KEY", "value": HUSH}, {"name": "LEVEL", "value": "debug"}]
    assert masking.value(given) == [{"name": "API_KEY", "value": SECRET}, {"name": "LEVEL", "value": "debug"}]


@pytest.mark.parametrize("flag", ["--password", "-token", "--db-pass", "--mysql.pwd", "--requirepass", "--apiKey"])
def test_the_word_after_an_argument_that_calls_it_a_secret_is_hidden(flag: str) -> None:
    assert masking.value({"args": ["run", flag, HUSH, "--verbose"]}) == {"args": ["run", flag, SECRET, "--verbose"]}


@pytest.mark.parametrize(
    "words",
    [
        ["--password", "--verbose"],
        ["--password-file", "/etc/x"],
        ["--bypass", "x"],
        ["--token", "$(TOKEN)"],
        ["password", "x"],
        ["--password", UNKNOWN],
        ["--password"],
    ],
)
def test_a_word_that_is_no_secret_stays(words: list[str]) -> None:
    assert masking.value({"args": words}) == {"args": words}


def test_of_one_word_that_changed_the_word_before_it_is_known() -> None:
    def inputs(*words: str) -> dict[str, object]:
        return {"spec": {"containers": [{"name": "x", "args": list(words)}]}}

    where = "spec.containers.x.args"
    moved = change(
        "prod/d",
        FieldChange(f"{where}[0]", "--verbose", "--password"),
        FieldChange(f"{where}[1]", "--password", f"{HUSH}2"),
        FieldChange(f"{where}[2]", HUSH, ABSENT),
        before=inputs("--verbose", "--password", HUSH),
        after=inputs("--password", f"{HUSH}2"),
    )
    [found] = masking.masked([review(moved)])
    assert HUSH not in repr(found)
    assert [(entry.after, entry.secret) for entry in found.plan.changes[0].fields] == [
        ("--password", False),
        (SECRET, True),
        (ABSENT, True),
    ]


@pytest.mark.parametrize("name", ["DB_PASS", "MYSQL_PWD", "dbPass", "pass", "pwd", "SMTP-PASS", "ROOTPWD"])
def test_short_words_name_a_secret(name: str) -> None:
    assert masking.value([{"name": name, "value": HUSH}]) == [{"name": name, "value": SECRET}]


@pytest.mark.parametrize("name", ["BYPASS", "compass", "PWD", "OLDPWD", "PASSIVE", "PASSED", "PASS_THROUGH"])
def test_words_that_merely_end_alike_name_none(name: str) -> None:
    assert masking.value([{"name": name, "value": "x"}]) == [{"name": name, "value": "x"}]


def test_everything_in_a_review_is_masked() -> None:
    inputs = {"data": {"key": HUSH}, "stringData": HUSH, "metadata": {"annotations": {"token": HUSH}}}
    secret = change(
        "prod/s",
        FieldChange("data.key", HUSH, f"{HUSH}2"),
        FieldChange("stringData", {"a": HUSH}, {"a": f"{HUSH}2"}),
        FieldChange('metadata.annotations["kubectl.kubernetes.io/last-applied"]', "", f'{{"token":"{HUSH}"}}'),
        kind=f"{CORE}:Secret",
        before=inputs,
        after=inputs,
    )
    variable = change("prod/d", FieldChange("spec.template.spec.containers.x.env.DB_PASSWORD.value", HUSH, f"{HUSH}2"))
    gone = change("prod/g", operation=Operation.DELETE, kind=f"{CORE}:Secret", before=inputs)
    said = (Diagnostic("error", f"cannot reach postgres://u:{HUSH}@db"),)
    findings = (Finding("r", "mandatory", "x", f"password={HUSH}", f"not password={HUSH}"),)
    found = Reviewed(plan(secret, variable, gone, diagnostics=said), findings=findings, failed=f"token: {HUSH}")
    [masked] = masking.masked([found])
    assert HUSH not in repr(masked.to_json()) + repr([(one.before, one.after) for one in masked.plan.changes])
    assert all(entry.secret for entry in masked.plan.changes[0].fields)
    assert masked.plan.changes[0].fields[0].path == "data.key"


def test_what_has_no_secret_is_as_it_was() -> None:
    found = review(change("prod/d", FieldChange("spec.replicas", 1, 2)))
    assert masking.masked([found]) == (found,)


@pytest.mark.parametrize(
    "piece",
    ["a-", "eyJaaaaaaaa", " ", "password", "://:", '\\"', "-----BEGIN ", "x=", "&key=", "-a.", ",pass:", ",pass:'"],
)
def test_a_hostile_text_takes_no_quadratic_time(piece: str) -> None:
    assert len(hiding.text(piece * 20_000)) > 0
