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
    assert found.namespace == "dev" and found.upsert and not found.mutable.secrets


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


def test_a_setting_that_there_is_none_of_is_named_with_the_one_that_was_meant() -> None:
    given = {"namspace": "dev", "context": "a", "wholly-else": "1"}
    assert settings.unknown(given) == [
        "the kubernetes provider has no setting 'namspace'; is it 'namespace'?",
        "the kubernetes provider has no setting 'wholly-else'",
    ]


def test_strict_mode_wants_a_provider_of_the_programs_own_with_its_cluster_named() -> None:
    default = "urn:pulumi:dev::p::pulumi:providers:kubernetes::default_4_34_2"
    own = "urn:pulumi:dev::p::pulumi:providers:kubernetes::cluster"
    assert settings.strict({}, default) == []
    assert [name for name, _ in settings.strict({"strictMode": "true"}, default)] == ["", "kubeconfig", "context"]
    whole = {"strictMode": "true", "kubeconfig": "~/config", "context": "a"}
    assert settings.strict(whole, own) == []
    assert [why for _, why in settings.strict(whole, default)] == ["strict mode prohibits default provider"]


@pytest.mark.parametrize("text", ["{", "[]", '{"timeout": "soon"}'])
def test_client_settings_that_cannot_be_read_are_named(text: str) -> None:
    with pytest.raises(ValueError, match="kubeClientSettings cannot be read"):
        settings.from_variables({"kubernetes:config:kubeClientSettings": text}, accept_secrets=True)


def test_client_settings_other_than_the_timeout_are_accepted() -> None:
    given = {"kubernetes:config:kubeClientSettings": '{"burst": 1, "qps": 2.5, "timeout": 7}'}
    assert settings.from_variables(given, accept_secrets=True).timeout == 7
