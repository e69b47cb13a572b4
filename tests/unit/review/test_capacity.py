from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cli.engine.model import Change
from cli.provider.quantity import canonical, exact
from cli.review import capacity, world
from cli.review.judge import judge
from cli.review.model import Amount
from cli.review.objects import Objects
from tests.unit.review.builder import Manifest, Told, change, container, made, plan, pods, running, told

_UNITS: dict[str, Fraction] = {
    "": Fraction(1),
    "k": Fraction(10**3),
    "M": Fraction(10**6),
    "e3": Fraction(10**3),
    "m": Fraction(1, 1000),
    "Ki": Fraction(2**10),
    "Mi": Fraction(2**20),
    "Gi": Fraction(2**30),
}
GIB = 2**30


def sized(cpu: str = "500m", memory: str = "1Gi", *, limit: str | None = None, **spec: object) -> Manifest:
    limits = {"limits": {"memory": limit}} if limit else {}
    resources = {"requests": {"cpu": cpu, "memory": memory}, **limits}
    return running(template=pods(containers=[container(resources=resources)]), **spec)


def scaler(least: int, most: int) -> Manifest:
    target = {"kind": "Deployment", "name": "api"}
    return made("HorizontalPodAutoscaler", "api", {"minReplicas": least, "maxReplicas": most, "scaleTargetRef": target})


RESTARTS = ("restarts-pods", "Deployment shop/api restarts its 2 pods")

CASES: dict[str, tuple[list[Change], list[Manifest], list[Told]]] = {
    "fewer copies": (
        [change(running(), running(replicas=1))],
        [],
        [("fewer-copies", "Deployment shop/api has 1 copy instead of 2")],
    ),
    "more copies": (
        [change(sized(), sized(replicas=3))],
        [],
        [
            ("needs-more", "the environment asks the cluster for 1.5 cores instead of 1 core"),
            ("needs-more", "the environment asks the cluster for 3 GiB of memory instead of 2 GiB of memory"),
        ],
    ),
    "a little more": ([change(sized(replicas=10), sized(replicas=11))], [], []),
    "an autoscaler that keeps and starts fewer": (
        [change(scaler(3, 9), scaler(2, 6))],
        [running()],
        [
            ("fewer-copies", "HorizontalPodAutoscaler shop/api keeps at least 2 instead of 3 copies"),
            ("less-headroom", "HorizontalPodAutoscaler shop/api starts at most 6 instead of 9 copies"),
        ],
    ),
    "an autoscaler that starts more": ([change(scaler(2, 6), scaler(2, 9))], [running()], []),
    "less memory": (
        [change(sized(limit="1Gi"), sized(limit="512Mi"))],
        [],
        [("less-memory", "Deployment shop/api gets less: the memory limit of app is 512Mi instead of 1Gi"), RESTARTS],
    ),
    "less processor time": (
        [change(sized("1"), sized("999m"))],
        [],
        [RESTARTS, ("less-cpu", "Deployment shop/api gets less: the cpu request of app is 999m instead of 1")],
    ),
    "as much as nobody is told": (
        [change(sized("1", limit="1Gi"), sized("[secret]", limit="[known after the apply]"))],
        [],
        [RESTARTS],
    ),
    "the same in other words": (
        [change(sized("1", "1Gi", limit="1Gi"), sized("1000m", "1024Mi", limit="1024Mi"))],
        [],
        [RESTARTS],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_gets_less_or_needs_more(case: str) -> None:
    changes, beside, expected = CASES[case]
    assert told(*changes, beside=beside) == expected


def test_the_difference_is_of_everything_that_is_declared() -> None:
    other = made("PersistentVolumeClaim", "data", {"resources": {"requests": {"storage": "1Gi"}}})
    judged = judge(plan(change(sized(limit="2Gi"), sized(limit="2Gi", replicas=3)), change(None, other)))
    assert judged.blast.capacity == {
        "cpu requests": Amount(1, 1.5),
        "memory requests": Amount(2 * GIB, 3 * GIB),
        "memory limits": Amount(4 * GIB, 6 * GIB),
        "pods": Amount(2, 3),
        "most pods": Amount(2, 3),
        "volumes": Amount(0, GIB),
    }


def test_an_autoscaler_and_the_volumes_of_a_set_count() -> None:
    template = {"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}
    found = capacity.total(
        Objects([sized(), scaler(3, 9), running("StatefulSet", "db", volumeClaimTemplates=[template])])
    )
    assert {name: found[name] for name in ("cpu requests", "pods", "most pods", "volumes")} == {
        "cpu requests": Decimal("1.5"),
        "pods": 5,
        "most pods": 11,
        "volumes": 2 * GIB,
    }


def test_a_pod_counts_as_the_scheduler_counts_it() -> None:
    def asks(cpu: str, **more: str) -> Manifest:
        return {"resources": {"requests": {"cpu": cpu}}, **more}

    pod = pods(
        containers=[asks("200m"), {"resources": {"limits": {"cpu": "100m"}}}],
        initContainers=[asks("1"), asks("50m", restartPolicy="Always")],
        overhead={"cpu": "10m"},
    )
    assert capacity.pod(running(template=pod))["cpu requests"] == Decimal("1.01")


@given(some.lists(some.tuples(some.integers(0, 10**9), some.sampled_from(sorted(_UNITS)), some.integers(0, 99))))
def test_sums_are_exact(given: list[tuple[int, str, int]]) -> None:
    made_of = [
        running("Deployment", f"d{at}", replicas=count, template=pods(containers=[_asking(f"{number}{unit}")]))
        for at, (number, unit, count) in enumerate(given)
    ]
    expected = sum((Fraction(number) * _UNITS[unit] * count for number, unit, count in given), Fraction(0))
    assert Fraction(capacity.total(Objects(made_of))["cpu requests"]) == expected


@given(some.integers(0, 10**12), some.sampled_from(sorted(_UNITS)))
def test_a_quantity_is_the_number_of_its_canonical_spelling(number: int, unit: str) -> None:
    assert Fraction(exact(f"{number}{unit}")) == number * _UNITS[unit]
    assert exact(canonical(f"{number}{unit}")) == exact(f"{number}{unit}")


def test_nothing_finer_than_a_billionth_is_kept_and_that_is_rounded_up() -> None:
    assert [exact(text) for text in ("0.1n", "1.5n", "-0.1n")] == [Decimal("1e-9"), Decimal("2e-9"), Decimal("-1e-9")]


def test_what_no_quantity_is_counts_as_nothing() -> None:
    hidden = running(template=pods(containers=[_asking("[known after the apply]")]))
    assert capacity.exact_amounts(world.build(plan(change(None, hidden))))["cpu requests"] == (Decimal(0), Decimal(0))


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("cpu requests", Decimal(1), "1 core"),
        ("cpu limits", Decimal("0.25"), "0.25 cores"),
        ("memory requests", Decimal(1536 * 2**20), "1.5 GiB of memory"),
        ("volumes", Decimal(0), "0 B of volumes"),
        ("pods", Decimal(30), "30 pods"),
    ],
)
def test_amounts_are_shown_in_units_that_people_use(name: str, value: Decimal, text: str) -> None:
    assert capacity.shown(name, value) == text


def _asking(cpu: str) -> Manifest:
    return container(resources={"requests": {"cpu": cpu}})
