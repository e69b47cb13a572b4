"""What a real API server gives back for random objects does not differ from them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from cli.kube.client import Kube
from cli.provider import check, diff, paths, state
from cli.provider.check import Naming
from cli.provider.kinds import Type
from cli.provider.values import plain
from tests.unit.provider import generated

pytestmark = pytest.mark.cluster
bounded = settings(
    max_examples=150,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@bounded
@given(new=generated.objects())
def test_an_object_as_the_server_has_it_shows_no_change(new: dict[str, Any], kube: Kube, namespace: str) -> None:
    new = {**new, "metadata": {**new["metadata"], "namespace": namespace}}
    inputs, _ = check.check(new, {}, Type(new["apiVersion"], new["kind"]), Naming("x", b"s"), namespace)
    live = kube.create(state.kubernetes_spelling(plain(inputs)), "pulumi-kubernetes", dry_run=True)
    wanted = check.normalise(plain(inputs))
    found = diff.diff(live, wanted, wanted, namespaced=True)
    assert [paths.write(change.path) for change in found.changes] == [], live
