"""What a stack of pairs goes through, and what is to be seen on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from cli.kube.client import Kube
from cli.kube.config import endpoint
from tests.parity import plan
from tests.parity.pair import Pair
from tests.parity.plan import Rows
from tests.parity.stack import Run, Stack, move, prepared


@dataclass
class Course:
    """`plans` by provider; `stray` by what was looked at: changes where there should be none."""

    plans: dict[str, Rows] = field(default_factory=dict)
    states: dict[str, Rows] = field(default_factory=dict)
    stray: dict[str, Rows] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


@contextmanager
def stack(kubeconfig: Path, pairs: Sequence[Pair]) -> Iterator[tuple[Kube, Stack]]:
    """A stack in a namespace of its own, which is gone afterwards with all that it made."""
    with (
        Kube(endpoint(kubeconfig)) as kube,
        TemporaryDirectory() as folder,
        prepared(kube, Path(folder), kubeconfig, f"parity-{uuid4().hex[:6]}", pairs) as made,
    ):
        yield kube, made


def alternate(kubeconfig: Path, pairs: Sequence[Pair], first: str, second: str) -> Course:
    """`first` makes `before`, both plan `after`, `second` makes it; each looks at what the other one left."""
    course = Course()
    with stack(kubeconfig, pairs) as (kube, made):

        def done(what: str, run: Run) -> Run:
            course.failures |= {f"{what}: {name}": text for name, text in run.failures.items()}
            return run

        def unchanged(what: str, provider: str, *, after: bool) -> None:
            run = done(what, made.preview(provider, after=after))
            course.stray |= {what: rows} if (rows := plan.plan(run.steps, made.namespace)) else {}

        done("up to before", made.up(first, after=False))
        course.states["before"] = plan.state(made.state(), made.namespace)
        unchanged("after up to before", second, after=False)
        move(kube, made)
        for provider in dict.fromkeys((first, second)):
            run = done(f"plan of {provider}", made.preview(provider, after=True))
            course.plans[provider] = plan.plan(run.steps, made.namespace)
        done("up to after", made.up(second, after=True))
        course.states["after"] = plan.state(made.state(), made.namespace)
        unchanged("after up to after", first, after=True)
        for provider, other in ((first, second), (second, first))[: len(course.plans)]:
            done(f"refresh by {provider}", made.refresh(provider))
            unchanged(f"after refresh by {provider}", other, after=True)
    return course


def fought(kubeconfig: Path, pairs: Sequence[Pair], providers: Sequence[str]) -> dict[str, dict[str, str]]:
    """By provider, what it says about each pair whose `after` is refused."""
    with stack(kubeconfig, pairs) as (kube, made):
        failed = made.up("own", after=False).failures
        assert not failed, failed
        move(kube, made)
        return {provider: dict(made.up(provider, after=True).failures) for provider in providers}
