"""The book of releases on a real API server: adoption, guarded writes, audit, pruning."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from cli.kube import client
from cli.kube.client import Kube
from cli.rollout import audit, control, records, releases
from cli.rollout.book import Release
from cli.rollout.where import Cluster
from components import record
from tests import harness

pytestmark = pytest.mark.cluster


@pytest.fixture
def api(kubeconfig: Path) -> Iterator[Kube]:
    with client.connect(Cluster(kubeconfig, None)) as kube:
        yield kube


@pytest.fixture
def environment(api: Kube) -> Iterator[str]:
    name = f"rel{secrets.token_hex(3)}"
    control.create_namespace(api, name)
    yield name
    api.delete("v1", "Namespace", f"turnout-{name}")


def write(api: Kube, environment: str, content: str) -> str:
    """A record, as the program writes it."""
    labels = {"turnout.dev/environment": environment}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"content": content}}
    made = record.encode(environment, f"turnout-{environment}", [manifest], labels)
    for piece in made.manifests:
        api.apply(piece, "turnout")
    return made.name


def test_records_of_a_plain_pulumi_up_are_adopted_and_read(api: Kube, environment: str) -> None:
    name = write(api, environment, "a")
    [release] = releases.load(api, environment).releases
    assert (release.number, release.record, release.who) == (1, name, "")
    assert records.fetch(api, environment, name).objects[0]["data"] == {"content": "a"}


def test_large_record_comes_in_pieces_under_the_object_limit(api: Kube, environment: str) -> None:
    content = secrets.token_hex(900_000)
    name = write(api, environment, content)
    assert len(records.listed(api, environment)[name]) > 1
    assert records.fetch(api, environment, name).objects[0]["data"] == {"content": content}
    assert [row.record for row in releases.load(api, environment).releases] == [name]


def test_every_number_is_given_once_however_many_write(api: Kube, environment: str) -> None:
    def one(number: int) -> None:
        made = Release(0, f"release-{number}", "2026")
        releases.change(api, environment, lambda pages: pages.numbered(made))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(one, range(3)))
    assert [row.number for row in releases.load(api, environment).releases] == [1, 2, 3]


def test_attempt_numbers_and_audits(api: Kube, environment: str) -> None:
    with releases.attempt(api, environment, kind="up", reason="first") as attempt:
        assert releases.load(api, environment).open is not None
        attempt.succeeded(write(api, environment, "a"))
    read = releases.load(api, environment)
    assert read.open is None
    assert read.current and (read.current.number, read.current.why) == (1, "first")
    [entry] = audit.entries(api, environment)
    assert (entry.outcome, entry.release, entry.why) == ("done", "1", "first")


def test_audit_trail_keeps_the_newest(api: Kube, environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "KEPT", 3)
    monkeypatch.setattr(audit.surplus, "__defaults__", (3,))
    for number in range(5):
        audit.write(api, environment, audit.entry(api, f"turnout up {number}"))
    assert [entry.what for entry in audit.entries(api, environment)] == [f"turnout up {n}" for n in (4, 3, 2)]


def test_prune_deletes_records_whose_number_was_dropped(api: Kube, environment: str) -> None:
    old = write(api, environment, "a")
    time.sleep(1.1)  # creationTimestamp counts in seconds
    new = write(api, environment, "b")
    releases.change(api, environment, lambda pages: replace(pages, releases=pages.releases[1:]))
    assert [row.record for row in releases.load(api, environment).releases] == [new]
    assert releases.prune(api, environment) == [old]
    assert set(records.listed(api, environment)) == {new}


def test_releases_are_listed_shown_and_compared_with_a_kubeconfig_alone(
    api: Kube, environment: str, kubeconfig: Path
) -> None:
    for content in ("a", "b"):
        write(api, environment, content)
        releases.change(api, environment, lambda book: book)
        time.sleep(1)
    at = ("--kubeconfig", str(kubeconfig))
    listed = json.loads(harness.turnout("releases", "list", environment, "--json", *at).stdout)
    assert [(row["number"], row["current"]) for row in listed] == [(2, True), (1, False)]
    assert f"record {listed[0]['record']}, 1 objects" in harness.turnout("releases", "show", environment, *at).stdout
    assert "~ ConfigMap /c\n      data.content: a → b" in harness.turnout("releases", "diff", environment, *at).stdout
