"""No secret is in any output of any preview: neither its value until now nor its next, plain, in base64 or compressed.

More than fifty, made for the run, each in another kind of place: what is marked as secret (by the program, or encrypted
in the settings), and what is not and yet is one by where it stands. All are changed between `up` and the previews.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.engine import secrets as sealing
from tests.integration.small import Small, small
from tests.planting import Generator, seen

pytestmark = pytest.mark.cluster

SETTINGS = tuple(f"setting_{number}" for number in range(6))
MARKED = (
    *(f"string_data_{number}" for number in range(8)),
    *(f"data_{number}" for number in range(8)),
    *(f"map_{number}" for number in range(4)),
    *("whole_data", "immutable", "tls", "file", "binary"),
    *("variable", "init_variable", "argument", "command", "label", "annotation", "pod_annotation", "service", "nested"),
    *("output", "nested_output", "component"),
)
UNMARKED = (
    *("plain_string_data", "plain_data", "plain_password", "plain_token", "plain_url", "plain_argument", "plain_json"),
    *(
        "plain_yaml",
        "plain_block",
        "plain_ini",
        "plain_redis",
        "plain_pem",
        "plain_query",
        "plain_bearer",
        "plain_slack",
        "plain_word",
        "plain_flow",
        "plain_pass",
        "plain_pwd",
    ),
)
SOURCE = "values.json"
PROGRAM = """\
import base64
import json
from pathlib import Path

import pulumi

from cli.provider import VERSION


def program():
    plain = json.loads(Path("values.json").read_text())
    space = Path("namespace").read_text()
    hidden = {place: pulumi.Output.secret(value) for place, value in plain.items() if not place.startswith("plain_")}
    code = lambda text: base64.b64encode(text.encode()).decode()
    coded = {place: value.apply(code) for place, value in hidden.items()}
    settings = pulumi.Config("small").require_secret_object("hidden")
    cluster = pulumi.ProviderResource("kubernetes", "cluster", {"kubeconfig": str(Path("kubeconfig").absolute())})
    group = pulumi.ComponentResource("small:index:Group", "group", {"hidden": hidden["component"]})

    def make(kind, name, body, version="v1", after=(), **metadata):
        metadata = {"name": name, **metadata}
        if kind != "Namespace":
            metadata["namespace"] = space
        manifest = {"apiVersion": version, "kind": kind, "metadata": metadata, **body}
        token = f"kubernetes:{version if '/' in version else 'core/v1'}:{kind}"
        options = pulumi.ResourceOptions(provider=cluster, depends_on=list(after), parent=group, version=VERSION)
        return pulumi.CustomResource(token, f"{kind}-{name}", manifest, options)

    first = [make("Namespace", space, {})]
    some = lambda prefix, of: {place: value for place, value in of.items() if place.startswith(prefix)}
    make("Secret", "texts", {"stringData": some("string_data", hidden)}, after=first)
    make("Secret", "coded", {"data": some("data", coded)}, after=first)
    make("Secret", "whole", {"stringData": hidden["whole_data"].apply(lambda text: {"key": text})}, after=first)
    make("Secret", "fixed", {"stringData": {"key": hidden["immutable"]}, "immutable": True}, after=first)
    make("Secret", "typed", {"type": "example.com/tls", "data": {"tls.key": coded["tls"]}}, after=first)
    make("Secret", "settings", {"stringData": settings}, after=first)
    open_data = {"key": base64.b64encode(plain["plain_data"].encode()).decode()}
    make("Secret", "open", {"stringData": {"one": plain["plain_string_data"]}, "data": open_data}, after=first)
    file = hidden["file"].apply(lambda text: f"a: 1\\nnothing: {text}\\nb: 2\\n")
    data = {**some("map", hidden), "file.yaml": file, "deep.json": pulumi.Output.json_dumps({"a": [hidden["nested"]]})}
    make("ConfigMap", "hidden", {"data": data, "binaryData": {"key": coded["binary"]}}, after=first)
    files = {
        "a.yaml": f"x: 1\\npassword: {plain['plain_yaml']}\\n",
        "b.yaml": f"x:\\n  token: |\\n    {plain['plain_block']}\\n  y: 1\\n",
        "c.ini": f"[a]\\napi_key = {plain['plain_ini']}\\n",
        "redis.conf": f"port 1\\nrequirepass {plain['plain_redis']}\\n",
        "d.pem": f"-----BEGIN PRIVATE KEY-----\\n{plain['plain_pem']}\\n-----END PRIVATE KEY-----\\n",
        "e.txt": f"https://x.example/a?token={plain['plain_query']}&b=1",
        "f.txt": f"Authorization: Bearer {plain['plain_bearer']}\\n",
        "g.txt": f"https://hooks.slack.com/services/T0/B0/{plain['plain_slack'][5:]}",
        "h.json": json.dumps({"a": 1, "client_secret": plain["plain_json"]}),
        "i.yaml": f"auth: {{user: a, password: {plain['plain_flow']}}}\\n",
    }
    make("ConfigMap", "files", {"data": files}, after=first)
    env = [
        {"name": "HIDDEN", "value": hidden["variable"]},
        {"name": "DB_PASSWORD", "value": plain["plain_password"]},
        {"name": "GITHUB_TOKEN", "value": plain["plain_token"]},
        {"name": "DB_PASS", "value": plain["plain_pass"]},
        {"name": "MYSQL_PWD", "value": plain["plain_pwd"]},
        {"name": "DATABASE", "value": f"postgres://user:{plain['plain_url']}@db/x"},
    ]
    arguments = [hidden["argument"], f"--password={plain['plain_argument']}", "--token", plain["plain_word"]]
    main = {"name": "main", "image": "nowhere.invalid/x:1", "env": env, "args": arguments}
    main["command"] = ["x", hidden["command"]]
    init = {"name": "init", "image": "nowhere.invalid/x:1", "env": [{"name": "H", "value": hidden["init_variable"]}]}
    around = {"labels": {"app": "main", "hidden": hidden["label"]}, "annotations": {"hidden": hidden["pod_annotation"]}}
    template = {"metadata": around, "spec": {"containers": [main], "initContainers": [init]}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "main"}}, "template": template}
    make("Deployment", "main", {"spec": spec}, "apps/v1", first, annotations={"hidden": hidden["annotation"]})
    named = {"hidden": hidden["service"]}
    ports = [{"name": "http", "port": 80}]
    make("Service", "main", {"spec": {"clusterIP": "None", "ports": ports}}, after=first, annotations=named)
    pulumi.export("hidden", hidden["output"])
    pulumi.export("nested", {"deep": [hidden["nested_output"]]})
    if Path("refused").exists():
        make("ConfigMap", "refused", {}, labels={"hidden": hidden["label"].apply(lambda text: f"no label! {text}")})
    if Path("broken").exists():
        raise RuntimeError(f"broken: postgres://user:{plain['plain_url']}@db")
"""


@pytest.fixture
def project(tmp_path: Path, sandbox: str, kubeconfig: Path) -> Iterator[Small]:
    with small(tmp_path, sandbox, kubeconfig, PROGRAM) as project:
        (project.folder / "namespace").write_text(project.environment)
        yield project


def plant(project: Small, values: dict[str, str], without: str = "") -> None:
    """The secrets, where the program finds them; those of the settings encrypted. `without`: the settings before."""
    (project.folder / SOURCE).write_text(json.dumps({place: values[place] for place in (*MARKED, *UNMARKED)}))
    crypter = sealing.create((project.folder / "passphrase").read_text())
    sealed = "".join(f"    {place}:\n      secure: {crypter.encrypt(values[place])}\n" for place in SETTINGS)
    settings = project.folder / f"Pulumi.{project.environment}.yaml"
    settings.write_text(f"encryptionsalt: {crypter.salt}\n{without}  small:hidden:\n{sealed}")


def preview(project: Small, outputs: Path, name: str, *words: str) -> subprocess.CompletedProcess[str]:
    """One preview with every output at once, and another on the terminal; both may be refused by a policy."""
    outputs.mkdir(exist_ok=True)
    kinds = {"markdown": "md", "html": "html", "junit": "xml", "sarif": "sarif"}
    files = [option for kind, end in kinds.items() for option in (f"--{kind}", str(outputs / f"{name}.{end}"))]
    done = project.run("preview", project.environment, *words, "--json", *files, expect=None)
    said = project.run("preview", project.environment, *words, expect=None)
    (outputs / f"{name}.json").write_text(done.stdout)
    (outputs / f"{name}.txt").write_text(done.stderr + said.stdout + said.stderr)
    return done


def test_no_secret_is_in_any_output_of_any_preview(project: Small) -> None:
    generator = Generator()
    places = (*SETTINGS, *MARKED, *UNMARKED)
    old, new = generator.values(places), generator.values(places)
    assert len(places) >= 50
    outputs = project.folder.parent / f"{project.folder.name}-outputs"
    settings = (project.folder / f"Pulumi.{project.environment}.yaml").read_text()
    plant(project, old, settings)
    preview(project, outputs, "created")
    project.run("up", project.environment, "--yes")
    plant(project, new, settings)
    found = json.loads(preview(project, outputs, "changed").stdout)
    (project.folder / "refused").touch()
    preview(project, outputs, "refused")
    (project.folder / "refused").unlink()
    (project.folder / "broken").touch()
    preview(project, outputs, "broken")
    leaks = {
        f"{file.name}: {which} {place}"
        for file in sorted(outputs.iterdir())
        for which, values in (("old", old), ("new", new))
        for place in seen(values, file.read_bytes())
    }
    assert leaks == set(), generator
    changed = {change["name"]: change["operation"] for change in found["environments"][0]["changes"]}
    kinds = {"Secret": 7, "ConfigMap": 2, "Deployment": 1, "Service": 1}
    assert {kind: sum(name.startswith(f"{kind}-") for name in changed) for kind in kinds} == kinds
    secret = sum(entry["secret"] for change in found["environments"][0]["changes"] for entry in change["fields"])
    assert secret >= 25, "they are shown as changed"
    assert "[secret]" in (outputs / "changed.html").read_text()


def test_the_look_finds_what_is_there() -> None:
    [value] = Generator().values(["one"]).values()
    import base64
    import gzip

    packed = base64.b64encode(gzip.compress(b'{"record": "' + value.encode() + b'"}' * 20))
    for content in (value.encode(), base64.b64encode(b"ab" + value.encode()), b'{"a":"' + packed + b'"}'):
        assert seen({"one": value, "two": "other-secret"}, content) == ["one"]
