"""Settings: every fault at once, each with file, line, path, what was expected and the nearest valid name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from components.secret import Secret
from infra.faults import Fault, SettingsError
from infra.model import merged
from infra.settings import Settings, cluster_of, load, missing_secrets, secret_paths

ROOT = Path(__file__).parents[3]
SMALLEST = """\
config:
  turnout:cluster:
    sandbox: main
  turnout:app:
    image: agents
    version: 1.0.0
"""
FAULTS = [
    ("  turnout:ap:\n    image: x\n", 7, "turnout:ap", "unknown section; did you mean 'app'?"),
    ("  turnuot:redis:\n    enabled: false\n", 7, "turnuot:redis", "did you mean 'turnout:redis'?"),
    ("  redis:\n    enabled: false\n", 7, "redis", "did you mean 'turnout:redis'?"),
    ("    verison: 2\n", 7, "turnout:app.verison", "unknown key; did you mean 'version'?"),
    (
        "    services:\n      api:\n        replcas: 2\n",
        9,
        "turnout:app.services.api.replcas",
        "did you mean 'replicas'?",
    ),
    ("    services:\n      api:\n        replicas: many\n", 9, "turnout:app.services.api.replicas", "not 'many'"),
    ("    services:\n      api:\n        port: 70000\n", 9, "turnout:app.services.api.port", "65535, not 70000"),
    ("    services:\n      api:\n        calls: [tool]\n", 4, "turnout:app", "there is no 'tool'"),
    ("    digest: sha256:12\n", 7, "turnout:app.digest", "match pattern"),
    ("  turnout:postgres:\n    storage: 5 gigs\n", 8, "turnout:postgres.storage", "not a size such as 512Mi"),
    ("  turnout:redis:\n    password: hunter2\n", 8, "turnout:redis.password", "a secret in plain text"),
    ("  turnout:alertmanager:\n    page: nobody\n", 7, "turnout:alertmanager", "there is no receiver 'nobody'"),
]


def write(folder: Path, text: str, environment: str = "dev") -> Path:
    path = folder / f"Pulumi.{environment}.yaml"
    path.write_text(text)
    return path


def faults(folder: Path, text: str, environment: str = "dev") -> tuple[Fault, ...]:
    with pytest.raises(SettingsError) as caught:
        load(write(folder, text, environment), environment, placeholders=True)
    return caught.value.faults


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_the_repositorys_own_files_are_valid(environment: str) -> None:
    assert load(ROOT / f"Pulumi.{environment}.yaml", environment, placeholders=True).environment == environment


@pytest.mark.parametrize(("added", "line", "path", "words"), FAULTS)
def test_a_fault_says_where_and_what(tmp_path: Path, added: str, line: int, path: str, words: str) -> None:
    [fault] = faults(tmp_path, SMALLEST + added)
    assert (fault.file, fault.line, fault.path) == ("Pulumi.dev.yaml", line, path)
    assert words in fault.expected


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    sections = [added for added, _, _, _ in FAULTS if added.startswith("  turnout")]
    assert len(faults(tmp_path, SMALLEST + "".join(sections))) == len(sections)


def test_one_line_for_each_fault(tmp_path: Path) -> None:
    [fault] = faults(tmp_path, SMALLEST + "    verison: 2\n")
    assert str(fault) == "Pulumi.dev.yaml:7: turnout:app.verison: unknown key; did you mean 'version'?"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("config: [", 1, "not valid YAML"),
        ("config:\n  a: 1\n  a: 2\n", 3, "not valid YAML"),
        ("- a\n", 1, "should be a mapping"),
        ("cnfig: {}\n", 1, "did you mean 'config'?"),
        ("config: 3\n", 1, "should be a mapping"),
        ("", 0, "required, but missing"),
    ],
)
def test_a_broken_file_is_a_fault_too(tmp_path: Path, text: str, line: int, words: str) -> None:
    found = faults(tmp_path, text)
    assert words in found[0].expected
    assert found[0].line == line or line == 0


def test_a_missing_file_names_the_nearest_environment(tmp_path: Path) -> None:
    write(tmp_path, SMALLEST, "staging")
    with pytest.raises(SettingsError, match="did you mean 'staging'"):
        load(tmp_path / "Pulumi.stagng.yaml", "stagng")


def test_missing_secrets_name_the_command(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="run `turnout init dev`") as caught:
        load(write(tmp_path, SMALLEST), "dev")
    assert {fault.path for fault in caught.value.faults} == {
        "turnout:postgres.password",
        "turnout:redis.password",
        "turnout:grafana.admin_password",
    }


def test_a_secret_is_opened_only_by_who_can(tmp_path: Path) -> None:
    path = write(tmp_path, SMALLEST + "  turnout:redis:\n    password:\n      secure: v1:abc\n")
    assert load(path, "dev", placeholders=True).redis.password != Secret("opened v1:abc")
    opened = load(path, "dev", decrypt=lambda text: f"opened {text}", placeholders=True)
    assert opened.redis.password == Secret("opened v1:abc")
    assert "opened" not in repr(opened) + opened.model_dump_json()


def test_missing_secrets_of_what_is_enabled(tmp_path: Path) -> None:
    off = "  turnout:grafana:\n    enabled: false\n  turnout:postgres:\n    password:\n      secure: v1:abc\n"
    missing = missing_secrets(write(tmp_path, SMALLEST + off), "dev")
    assert [(leaf.section, leaf.path) for leaf in missing] == [("redis", ("password",))]


def test_what_is_switched_off_needs_no_secret(tmp_path: Path) -> None:
    off = "".join(f"  turnout:{name}:\n    enabled: false\n" for name in ("grafana", "postgres", "redis"))
    path = write(tmp_path, SMALLEST + off)
    assert missing_secrets(path, "dev") == []
    assert load(path, "dev").postgres.enabled is False


def test_secret_leaves_are_found_at_any_depth() -> None:
    found = {(leaf.section, ".".join(leaf.path)): leaf.required for leaf in secret_paths()}
    assert found["postgres", "password"] is True
    assert found["alertmanager", "receivers.*.slack.key"] is True
    assert found["alertmanager", "heartbeat.key"] is False


def test_prod_asks_for_more(tmp_path: Path) -> None:
    text = SMALLEST + "    services:\n      api:\n        replicas: 2\n"
    found = [str(fault) for fault in faults(tmp_path, text, "prod")]
    assert any("at least 3 in prod, not 2" in text for text in found)
    assert any("heartbeat: required here" in text for text in found)


def test_an_image_outside_a_sandbox_needs_its_digest(tmp_path: Path) -> None:
    [fault] = faults(tmp_path, SMALLEST.replace("sandbox: main", "context: there"))
    assert "app.digest: required outside a sandbox" in fault.expected


def test_an_environment_of_another_name_says_its_tier(tmp_path: Path) -> None:
    [fault] = faults(tmp_path, SMALLEST, "qa")
    assert (fault.path, fault.expected) == ("turnout:cluster.tier", "required, but missing")
    stated = SMALLEST.replace("sandbox: main", "sandbox: main\n    tier: staging")
    assert load(write(tmp_path, stated, "qa"), "qa", placeholders=True).prometheus.retention == "15d"


def test_a_rollback_reads_the_cluster_of_a_file_that_is_wrong_elsewhere(tmp_path: Path) -> None:
    broken = write(tmp_path, SMALLEST + "    services: nonsense\n")
    assert cluster_of(broken, "dev").sandbox == "main"
    with pytest.raises(SettingsError, match=r"Pulumi.dev.yaml:3: turnout:cluster.sandbx: .*'sandbox'"):
        cluster_of(write(tmp_path, SMALLEST.replace("sandbox:", "sandbx:")), "dev")


def test_loads_without_pulumi() -> None:
    code = "import sys, infra.settings, infra.cluster; sys.exit('pulumi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


def test_defaults_stand_under_each_entry() -> None:
    under = {"services": {"*": {"replicas": 2, "drain": {"pause": 3}}}, "image": "a"}
    over = {"services": {"api": {"drain": {"pause": 9}}, "web": {}}}
    assert merged(under, over) == {
        "services": {"api": {"replicas": 2, "drain": {"pause": 9}}, "web": {"replicas": 2, "drain": {"pause": 3}}},
        "image": "a",
    }
    assert merged(under, {})["services"] == {}


NAMES = ["image", "services", "api", "password", "secure", "calls", "receivers", "sandbox", "resources", "*"]
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab:*[]{}'\n é", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)
sections = st.dictionaries(st.sampled_from([f"turnout:{name}" for name in Settings.model_fields]), plain)


@hypothesis(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(content=sections, placeholders=st.booleans())
def test_any_file_is_either_settings_or_faults(tmp_path: Path, content: dict[str, Any], placeholders: bool) -> None:
    import yaml

    path = write(tmp_path, yaml.safe_dump({"config": content}))
    try:
        assert isinstance(load(path, "dev", placeholders=placeholders), Settings)
    except SettingsError as error:
        assert error.faults
        assert all(fault.expected and fault.file == path.name for fault in error.faults)
