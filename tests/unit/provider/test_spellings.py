"""Objects and quantities in the spelling of the official provider (as its Check gave them back)."""

from typing import Any

import pytest

from cli.provider import quantity
from cli.provider.spellings import canonical


@pytest.mark.parametrize(
    ("given", "written"),
    [
        *(("1", "1"), ("0", "0"), (1, "1"), ("0.5", "500m"), (1.5, "1500m"), ("1500m", "1500m"), ("1000m", "1")),
        *(("1.5Gi", "1536Mi"), ("1024Mi", "1Gi"), ("0.1Gi", "107374182400m"), ("2048Ki", "2Mi"), ("1000Mi", "1000Mi")),
        *(("1000000", "1M"), ("1000k", "1M"), ("1e3", "1e3"), ("1e2", "100"), ("12e1", "120"), ("1e19", "10e18")),
        *(("0.0000000001", "1n"), ("0.001", "1m"), ("-1024Mi", "-1Gi"), ("0.5Ki", "512"), ("1Ki", "1Ki")),
    ],
)
def test_quantities(given: Any, written: str) -> None:
    assert quantity.canonical(given) == written


@pytest.mark.parametrize("text", ["", "api", "1..2", "1ki", "1K", "1e", True, None])
def test_what_is_no_quantity(text: Any) -> None:
    with pytest.raises(ValueError, match="is not a quantity"):
        quantity.canonical(text)


def lease(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "x"}, "spec": spec}


def role(**body: Any) -> dict[str, Any]:
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "x"}, **body}


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (lease(renewTime="2026-01-01T01:00:00.000000+01:00"), lease(renewTime="2026-01-01T00:00:00.000000Z")),
        (lease(leaseTransitions=0, holderIdentity=""), lease(leaseTransitions=0, holderIdentity="")),
        (lease(bogus=1), lease()),
        (lease(leaseTransitions=None), lease()),
        (role(rules=[]), role(rules=[])),
        (role(rules=[{"verbs": ["get"], "resourceNames": []}]), role(rules=[{"verbs": ["get"]}])),
    ],
)
def test_objects(given: Any, written: Any) -> None:
    assert canonical(given) == written


@pytest.mark.parametrize(
    "obj",
    [
        lease(renewTime="yesterday", bogus=1),
        lease(leaseTransitions="3", bogus=1),
        {"apiVersion": "example.com/v1", "kind": "Widget", "spec": {"cpu": "1000m", "empty": []}},
    ],
)
def test_what_does_not_fit_or_is_of_another_kind_stays_as_it_is(obj: Any) -> None:
    assert canonical(obj) == obj
