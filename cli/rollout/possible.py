"""Whether a rollback would be possible now, and why not: asked of the cluster before anybody needs it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cli.errors import TurnoutError
from cli.kube.errors import Forbidden, NotFound
from cli.kube.kinds import group_path
from cli.kube.requests import Request
from cli.rollout import goal, live, releases, rollback
from cli.rollout.book import Book, Release
from cli.rollout.goal import Rollback

if TYPE_CHECKING:
    from cli.kube.client import Kube

LAST = 3
"""How many releases are looked at."""
_SILENT = "they do not say, or may not be listed"


@dataclass(frozen=True)
class Images:
    """What the cluster's nodes have. `nodes`: how many could be asked; `public`: others can be pulled anew."""

    nodes: tuple[frozenset[str], ...] = ()
    public: bool = True

    def missing(self, wanted: Iterable[str]) -> list[str]:
        """Images that no node reports. A node reports its fifty largest only, so this is a hint where they are more."""
        known = {_plain(name) for node in self.nodes for name in node}
        return sorted(image for image in set(wanted) if _plain(image) not in known)


@dataclass(frozen=True)
class Answer:
    """For one release: what stands against going back to it, what nobody here can tell, and what one should know."""

    release: Release
    against: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warm: bool = False
    objects: int = 0

    @property
    def possible(self) -> bool | None:
        """None: that is not known, because only the registry could tell."""
        return False if self.against else None if self.unknown else True

    def to_json(self) -> dict[str, Any]:
        return {
            "release": self.release.number,
            "possible": self.possible,
            "warm": self.warm,
            "objects": self.objects,
            "against": list(self.against),
            "unknown": list(self.unknown),
            "notes": list(self.notes),
        }


def likeliest(kube: Kube, environment: str, *, public: bool) -> str:
    """One line about the release that one would go back to."""
    return summary(ask(kube, environment, 1, public=public))


def ask(kube: Kube, environment: str, last: int = LAST, *, public: bool = True) -> list[Answer]:
    """The answers for the releases that one would go back to, the likeliest first. `public`: images can be pulled."""
    book = releases.load(kube, environment)
    chosen = candidates(book, last)
    if not chosen:
        return []
    images = replace(_images(kube), public=public)
    return live.at_once(lambda release: _ask(kube, environment, release, images), chosen)


def candidates(book: Book, last: int) -> list[Release]:
    """The last good release first, then older ones with a content of their own."""
    first = book.last_good
    if first is None:
        return []
    found = [first]
    for row in reversed(book.releases):
        known = {one.record for one in found} | ({book.current.record} if book.current else set())
        if row.number < first.number and row.outcome == "done" and row.record not in known:
            found.append(row)
    return found[:last]


def lines(environment: str, answers: Iterable[Answer]) -> Iterator[str]:
    """What people read."""
    for answer in answers:
        number, when = answer.release.number, answer.release.at[:19].replace("T", " ")
        yield f"release {number} ({when}): {_verdict(answer)}"
        yield from (f"    no: {text}" for text in answer.against)
        yield from (f"    not known: {text}" for text in answer.unknown)
        yield from (f"    note: {text}" for text in answer.notes)
    yield f"next: turnout rollback {environment} --to N goes back; this only looked"


def summary(answers: list[Answer]) -> str:
    """One line, for a preview."""
    if not answers:
        return "rollback: there is no earlier release to go back to"
    first = answers[0]
    number = first.release.number
    if first.against:
        return f"rollback: release {number} could not come back now: {first.against[0]}"
    if first.unknown:
        return f"rollback: whether release {number} could come back now is not known: {first.unknown[0]}"
    return f"rollback: release {number} could come back now ({_verdict(first)})"


def _verdict(answer: Answer) -> str:
    if answer.against:
        return "not possible"
    if answer.unknown:
        return "not known whether it is possible"
    if answer.warm:
        return "possible at once, its track is warm"
    return (
        f"possible, {answer.objects} object{'s' * (answer.objects != 1)} to restore" if answer.objects else "possible"
    )


def _ask(kube: Kube, environment: str, release: Release, images: Images) -> Answer:
    try:
        wanted = rollback.prepare(kube, environment, release.number)
    except TurnoutError as error:
        return Answer(release, (f"{error.what} ({error.why.splitlines()[0]})" if error.why else error.what,))
    return Answer(
        release,
        (*_against(wanted, images), *_unserved(kube, wanted)),
        tuple(_unknown(wanted, images)),
        tuple(_notes(wanted, images)),
        warm=bool(wanted.levels) and all(wanted.is_warm(name) for level in wanted.levels for name in level),
        objects=len(wanted.actions),
    )


def _against(wanted: Rollback, images: Images) -> Iterator[str]:
    yield from (f"configuration is gone: {name}" for name in wanted.gone)
    yield from (f"a migration cannot be undone: {step} (--cross goes over it)" for step in wanted.crossed)
    yield from (f"{pin} (turnout unpin {wanted.environment} {pin.number})" for pin in dict(wanted.pinned))
    if not images.public:
        yield from (f"image {image} is on no node, and cannot be pulled here" for image in _missing(wanted, images))


def _unknown(wanted: Rollback, images: Images) -> Iterator[str]:
    """The registry is not asked: that takes credentials which only the nodes have."""
    if not images.public:
        return
    if not images.nodes:
        yield f"whether nodes still have the images: {_SILENT}"
    yield from (f"image {image} is on no node, the registry must still have it" for image in _missing(wanted, images))


def _notes(wanted: Rollback, images: Images) -> Iterator[str]:
    yield from (f"Secret {name}: it was changed since" for name in wanted.rotated)
    yield from map(goal.unreached, wanted.unled)
    if not images.public and not images.nodes:
        yield f"whether nodes still have the images is not known: {_SILENT}"


def _missing(wanted: Rollback, images: Images) -> list[str]:
    return images.missing(image for one in wanted.record.workloads for image in one.images) if images.nodes else []


def _unserved(kube: Kube, wanted: Rollback) -> tuple[str, ...]:
    """Kinds of the record in versions that the API server has no more."""
    recorded = (*wanted.record.objects, *wanted.record.entries)
    versions = sorted({one["apiVersion"] for one in recorded})
    served = live.at_once(lambda version: _kinds(kube, version), versions)
    known = dict(zip(versions, served, strict=True))
    kinds = sorted({(one["apiVersion"], one["kind"]) for one in recorded})
    return tuple(
        f"the cluster no longer serves {kind} of {version}"
        for version, kind in kinds
        if (found := known[version]) is not None and kind not in found
    )


def _kinds(kube: Kube, version: str) -> set[str] | None:
    """The kinds of one API version; None where that cannot be asked."""
    try:
        answer: Mapping[str, Any] = kube.request(Request("GET", group_path(version), f"ask for {version}")).json()
    except NotFound:
        return set()
    except TurnoutError:
        return None
    return {row["kind"] for row in answer.get("resources") or []}


def _images(kube: Kube) -> Images:
    try:
        nodes = kube.list("v1", "Node")
    except Forbidden:
        return Images()
    said = (frozenset(_names(node)) for node in nodes)
    return Images(tuple(names for names in said if names))


def _names(node: Mapping[str, Any]) -> Iterator[str]:
    for row in (node.get("status") or {}).get("images") or []:
        yield from row.get("names") or []


def _plain(image: str) -> str:
    """Nodes spell out the default registry and tag."""
    name = image.removeprefix("docker.io/").removeprefix("library/")
    return name if "@" in name or ":" in name.rpartition("/")[2] else f"{name}:latest"
