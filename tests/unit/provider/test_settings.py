import json

import pytest

from cli.provider import settings
from cli.provider.values import UNKNOWN


def kubeconfig(server: str = "https://one", context: str = "a") -> str:
    clusters = {"c": server, "d": "https://two"}
    contexts = {"a": {"cluster": "c", "user": "u"}, "b": {"cluster": "d"}}
    return json.dumps(
        {
            "current-context": context,
            "contexts": [{"name": name, "context": row} for name, row in contexts.items()],
            "clusters": [{"name": name, "cluster": {"server": where}} for name, where in clusters.items()],
        }
    )


def test_settings_come_from_the_program_else_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_K8S_UPSERT_EXISTING_OBJECTS", "true")
    monkeypatch.setenv("PULUMI_K8S_ENABLE_SECRET_MUTABLE", "true")
    given = {"kubernetes:config:namespace": "dev", "kubernetes:config:enableSecretMutable": "false"}
    found = settings.from_variables(given, accept_secrets=True)
    assert found.namespace == "dev" and found.upsert and not found.mutable.secrets and found.server_side_apply


def test_settings_do_not_print_a_kubeconfig() -> None:
    assert "hidden" not in repr(settings.Settings(kubeconfig="hidden"))


def test_what_cannot_be_honoured_is_refused() -> None:
    assert [name for name, _ in settings.refusals({"renderYamlToDirectory": "x"})] == ["renderYamlToDirectory"]
    assert [name for name, _ in settings.refusals({"enableServerSideApply": "false"})] == ["enableServerSideApply"]
    assert settings.refusals({"enableServerSideApply": "true", "namespace": "x"}) == []


@pytest.mark.parametrize(
    ("old", "new", "replaces"),
    [
        ({"kubeconfig": kubeconfig()}, {"kubeconfig": kubeconfig("https://other")}, ["kubeconfig"]),
        ({"kubeconfig": kubeconfig()}, {"kubeconfig": kubeconfig() + " "}, []),
        ({"kubeconfig": kubeconfig(), "context": "a"}, {"kubeconfig": kubeconfig(), "context": "b"}, ["context"]),
        ({"kubeconfig": kubeconfig()}, {"kubeconfig": UNKNOWN}, ["kubeconfig"]),
        ({"clusterIdentifier": "1"}, {"clusterIdentifier": "2"}, ["clusterIdentifier"]),
        (
            {"clusterIdentifier": "1", "kubeconfig": kubeconfig()},
            {"clusterIdentifier": "1", "kubeconfig": kubeconfig("https://other")},
            [],
        ),
        ({"kubeconfig": "/nowhere"}, {"kubeconfig": kubeconfig()}, []),
    ],
)
def test_another_cluster_means_everything_is_new(old: dict[str, str], new: dict[str, str], replaces: list[str]) -> None:
    changed = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
    assert settings.replacing(old, new, changed) == replaces
