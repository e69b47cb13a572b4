"""Takes the state of all of a project's environments to another backend; the old one is left as it is.

`prepare` reads and decides. `carry_out` copies under both sides' locks, each stack's state last, reads everything back
and compares. Only the caller then points the project at the new place: until then an interruption changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from cli.engine import environ, failures
from cli.engine.store import held, place
from cli.engine.store.bucket import open_bucket
from cli.engine.store.layout import COMPRESSIONS, META, META_TEXT, STACKS
from cli.engine.store.place import Place
from cli.engine.turns import Offer
from cli.errors import TurnoutError, UsageError

_WORKERS = 16


@dataclass(frozen=True)
class Moving:
    """One environment's part: the keys to copy, the state itself last. `target`: None for a service (see `service`)."""

    source: Place
    target: Place | None
    keys: tuple[str, ...]
    size: int

    @property
    def environment(self) -> str:
        return self.source.environment


@dataclass(frozen=True)
class Plan:
    """What a move would do. `url`: the new backend's, as it goes into Pulumi.yaml."""

    url: str
    before: str
    parts: tuple[Moving, ...]

    @property
    def environments(self) -> tuple[str, ...]:
        return tuple(part.environment for part in self.parts)

    def to_json(self) -> dict[str, Any]:
        parts = [{"environment": part.environment, "files": len(part.keys), "bytes": part.size} for part in self.parts]
        return {"from": plain(self.before), "to": plain(self.url), "environments": parts}

    def lines(self) -> list[str]:
        """For people."""
        told = [f"move the state from {plain(self.before)} to {plain(self.url)}"]
        for part in self.parts:
            told.append(f"  {part.environment}: {len(part.keys)} files, {part.size / 1e6:.2f} MB")
        return [*told, "  the old place is left as it is"]


def plain(url: str) -> str:
    """A backend's URL without its parameters."""
    return url.partition("?")[0]


def prepare(root: Path, url: str, variables: Mapping[str, str]) -> Plan:
    """What would be copied. Raises TurnoutError when a state is broken or the new place holds another one."""
    before = environ.backend(root, dict(variables))
    if plain(before).rstrip("/") == plain(url).rstrip("/"):
        raise UsageError(f"the state is in {plain(url)} already", next="turnout state list ENV")
    names = environments(root, variables)
    if not names:
        raise UsageError(
            f"there is no state in {plain(before)} to move", next="turnout up ENV, or put the backend into Pulumi.yaml"
        )
    parts = [_part(root, name, url, variables) for name in names]
    return Plan(url, before, tuple(parts))


def environments(root: Path, variables: Mapping[str, str]) -> list[str]:
    """The environments of the project that have a state where the project keeps it now."""
    found = place.of(root, "any", variables)
    folder = f"{STACKS}{found.stack.project}/"
    names = (PurePosixPath(entry.key).name for entry in found.bucket.find(folder))
    stems = {name.removesuffix(f".json{ending}") for name in names for ending in COMPRESSIONS if _is(name, ending)}
    return sorted(stems)


@contextmanager
def locked(plan: Plan, offer: Offer | None = None) -> Iterator[None]:
    """Holds every environment's state lock, at both places. `offer` asks about those that a killed move left."""
    with ExitStack() as stack:
        for part in plan.parts:
            stack.enter_context(held.lock(part.source, offer))
            if part.target:
                _enter(stack, held.lock(part.target, offer), plan)
        yield


def _enter(stack: ExitStack, lock: AbstractContextManager[None], plan: Plan) -> None:
    """`turnout repair` would look at the project's own place only."""
    try:
        stack.enter_context(lock)
    except failures.StackLocked as error:
        raise failures.StackLocked(
            f"{error.what}, in {plain(plan.url)}",
            why=error.why,
            next="wait for it; when nobody holds it any more: the same command without --yes, which asks to remove it",
        ) from error


def carry_out(plan: Plan, told: Callable[[str], None]) -> None:
    """Copy and compare; call it inside `locked`. Raises StateUnreadable when a copy is not what was copied."""
    for part in plan.parts:
        if part.target:
            _carry(part.source, part.target, told)


def keys(source: Place) -> tuple[tuple[str, ...], int]:
    """Everything that belongs to a stack, its state last; and how many bytes that is. Locks stay, and so does a state
    that the engine no longer reads because it writes another compression now."""
    stack = source.stack
    current = source.current() or stack.state
    wanted = {current, f"{current}.bak", stack.tags}
    beside = [entry for entry in source.bucket.find(f"{STACKS}{stack.project}/") if entry.key in wanted]
    entries = [*source.bucket.find(stack.backups), *source.bucket.find(stack.history), *beside]
    others = sorted(entry.key for entry in entries if entry.key != current)
    return (*others, current), sum(entry.size for entry in entries)


def _part(root: Path, environment: str, url: str, variables: Mapping[str, str]) -> Moving:
    source = place.of(root, environment, variables)
    target = place.of(root, environment, variables, url) if self_managed(url) else None
    key, data = source.read_current()
    problems = [*source.surroundings(key), *source.examine(data).problems]
    if any(problem.fatal for problem in problems):
        raise failures.StateUnreadable(
            f"the state of {environment} is broken: nothing was moved",
            why=next(problem.text for problem in problems if problem.fatal),
            next=f"turnout state restore {environment}, then move again",
        )
    if target:
        _must_be_free(source, target, data)
    elif problems:
        raise _unsettled(environment, problems[0].text)
    found, size = keys(source)
    return Moving(source, target, found, size)


def self_managed(url: str) -> bool:
    """Whether a backend's files can be reached without its service."""
    return open_bucket(url, {}) is not None


def _unsettled(environment: str, why: str) -> TurnoutError:
    return failures.PendingOperations(
        f"{environment} has operations that were cut off, and a service does not take them over: nothing was moved",
        why=why,
        next=f"turnout repair {environment}, then move again",
    )


def _must_be_free(source: Place, target: Place, data: bytes) -> None:
    """The new place may hold what an interrupted move left there: this state, or an earlier one of it."""
    key = target.current()
    there = target.bucket.read(key) if key else None
    if there is None or there == data:
        return
    earlier = [*source.bucket.find(source.stack.history), *source.bucket.find(source.stack.backups)]
    same_size = (entry.key for entry in reversed(earlier) if entry.size == len(there))
    if any(source.bucket.read(key) == there for key in same_size):
        return
    raise failures.StateUnreadable(
        f"{plain(target.bucket.url)} already holds another state of {source.environment}: nothing was moved",
        why=f"{key} is neither this state nor an earlier one of it",
        next="name an empty place, for example a folder of its own in the bucket",
    )


def _carry(source: Place, target: Place, told: Callable[[str], None]) -> None:
    if target.bucket.read(META) is None:
        target.bucket.write(META, source.bucket.read(META) or META_TEXT)
    found, _ = keys(source)
    *others, state = found
    with ThreadPoolExecutor(_WORKERS) as pool:
        for number, _ in enumerate(pool.map(lambda key: _copy(source, target, key), others), start=1):
            told(f"{source.environment}: {number} of {len(found)} files")
    _copy(source, target, state)
    _compare(source, target, found)


def _copy(source: Place, target: Place, key: str) -> None:
    data = source.bucket.read(key)
    if data is None:
        return
    target.bucket.write(key, data)
    if target.bucket.read(key) != data:
        raise _different(target, key)


def _compare(source: Place, target: Place, found: Sequence[str]) -> None:
    """The new place lists every object, and the engine would read the same state in both."""
    stack = target.stack
    prefixes = (stack.backups, stack.history, f"{STACKS}{stack.project}/")
    there = {entry.key for prefix in prefixes for entry in target.bucket.find(prefix)}
    missing = [key for key in found if key not in there]
    if missing:
        raise _different(target, missing[0])
    if source.read_current() != target.read_current():
        raise _different(target, stack.state)


def _is(name: str, ending: str) -> bool:
    return name.endswith(f".json{ending}")


def _different(target: Place, key: str) -> TurnoutError:
    return failures.StateUnreadable(
        f"{key} is not the same in {plain(target.bucket.url)}: the project stays where it is",
        why="what was written there reads back different, or not at all",
        next="the same command again; what is there already does no harm",
    )
