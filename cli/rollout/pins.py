"""What may not come back (ConfigMap `pins`): written by a rollback, enforced by the policy in `components.guard.pins`.

One entry a pin: `p<number>` or `p<number>.<part>` = `WORKLOADS|WHAT|WHO|WHEN|WHY`, as that policy reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cli.errors import Refused
from cli.rollout import storing
from cli.rollout.control import Manifest, namespace
from components.names import PINS

if TYPE_CHECKING:
    from cli.kube.client import Kube

NAME = PINS
_ATTEMPTS = 5
_KEY = re.compile(r"p(\d+)(?:\.(\d+))?")
_TEMPLATE = "template:"


@dataclass(frozen=True)
class Content:
    """What a workload runs: its images, and the hash of its template where that is known."""

    images: frozenset[str] = frozenset()
    template: str = ""


@dataclass(frozen=True)
class Blame:
    """What made a release bad: images that came with it, or a template where no image did. No workloads: any."""

    workloads: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    template: str = ""

    @property
    def what(self) -> str:
        return _TEMPLATE + self.template if self.template else ",".join(self.images)

    def fits(self, workload: str, content: Content) -> bool:
        """Whether a workload that runs this would bring back what was pinned out."""
        if self.workloads and workload not in self.workloads:
            return False
        if self.template:
            return content.template == self.template
        return any(_same(one, other) for one in content.images for other in self.images)

    def __str__(self) -> str:
        what = "the template" if self.template else ", ".join(self.images)
        return f"{what} of {', '.join(self.workloads)}" if self.workloads else what


@dataclass(frozen=True)
class Pin:
    """One entry. `number`: the release that was bad, by which `turnout unpin` lifts it."""

    number: int
    blame: Blame
    who: str
    when: str
    why: str = ""
    part: int = 0

    @property
    def key(self) -> str:
        return f"p{self.number}.{self.part}" if self.part else f"p{self.number}"

    @property
    def text(self) -> str:
        words = (",".join(self.blame.workloads) or "*", self.blame.what, self.who, self.when, self.why)
        return "|".join(" ".join(word.replace("|", "/").split()) for word in words)

    def __str__(self) -> str:
        because = f": {self.why}" if self.why else ""
        return f"pin {self.number}: {self.blame}, taken back by {self.who} at {self.when[:19]}Z{because}"

    def to_json(self) -> dict[str, Any]:
        return {
            "pin": self.number,
            "workloads": list(self.blame.workloads),
            "images": list(self.blame.images),
            "template": self.blame.template,
            "who": self.who,
            "when": self.when,
            "why": self.why,
        }


@dataclass(frozen=True)
class Pins:
    """Every pin of an environment, in the order of their numbers."""

    pins: tuple[Pin, ...] = ()
    source: Manifest | None = field(default=None, compare=False, repr=False)

    def added(self, new: Iterable[Pin]) -> Pins:
        """With those that are not there yet, each under a key of its own."""
        pins = list(self.pins)
        for pin in new:
            if any((one.number, one.blame) == (pin.number, pin.blame) for one in pins):
                continue
            taken = {one.part for one in pins if one.number == pin.number}
            pins.append(replace(pin, part=next(part for part in range(len(taken) + 1) if part not in taken)))
        return replace(self, pins=tuple(sorted(pins, key=_order)))

    def lifted(self, number: int) -> Pins:
        return replace(self, pins=tuple(pin for pin in self.pins if pin.number != number))

    def against(self, wanted: Mapping[str, Content], running: Mapping[str, Content]) -> list[tuple[Pin, str]]:
        """The pins that a change from `running` to `wanted` would meet, each with the workload that does."""
        appearing = {name: _appearing(content, running.get(name, Content())) for name, content in wanted.items()}
        return [(pin, name) for pin in self.pins for name in sorted(appearing) if pin.blame.fits(name, appearing[name])]


def blames(bad: Mapping[str, Content], good: Mapping[str, Content]) -> list[Blame]:
    """What tells a bad release from the good one that it is replaced by, workload by workload. Pure.

    An image that the good one runs nowhere is bad for every workload, any other one only where it came new.
    """
    known = {image for content in good.values() for image in content.images}
    nowhere = sorted({image for content in bad.values() for image in content.images} - known)
    found = [Blame(images=tuple(nowhere))] if nowhere else []
    for name in sorted(bad):
        found += _of_workload(name, bad[name], good.get(name), set(nowhere))
    return found


def read(kube: Kube, environment: str) -> Pins:
    return parsed(kube.find("v1", "ConfigMap", NAME, namespace(environment)))


def parsed(source: Manifest | None) -> Pins:
    """The pins in their ConfigMap; an entry that is none is passed over, as the policy does."""
    rows = (_parsed(key, text) for key, text in ((source or {}).get("data") or {}).items())
    return Pins(tuple(sorted((pin for pin in rows if pin), key=_order)), source)


def written(pins: Pins, environment: str) -> Manifest:
    """The ConfigMap; it carries the resourceVersion that was read."""
    return storing.config_map(environment, NAME, {pin.key: pin.text for pin in pins.pins}, pins.source)


def add(kube: Kube, environment: str, new: Sequence[Pin]) -> None:
    if new:
        _change(kube, environment, lambda pins: pins.added(new))


def lift(kube: Kube, environment: str, number: int) -> list[Pin]:
    """Remove the pins of that number; returns those that were there."""
    lifted: list[Pin] = []

    def edit(pins: Pins) -> Pins:
        lifted[:] = [pin for pin in pins.pins if pin.number == number]
        return pins.lifted(number)

    _change(kube, environment, edit)
    return lifted


def refusal(environment: str, met: Sequence[tuple[Pin, str]], what: str) -> Refused:
    """The error for content that meets pins. `what`: what was about to happen."""
    numbers = sorted({pin.number for pin, _ in met})
    return Refused(
        f"{what} would bring back what was pinned out of {environment}; nothing was touched",
        why="\n".join(f"{workload}: {pin}" for pin, workload in met),
        next="change what is released, or let it in again: "
        + "; ".join(f"turnout unpin {environment} {number}" for number in numbers),
    )


def _of_workload(name: str, bad: Content, good: Content | None, nowhere: set[str]) -> list[Blame]:
    if bad.images & nowhere or bad == good:
        return []
    if new := bad.images - (good.images if good else frozenset()):
        return [Blame((name,), tuple(sorted(new)))] if good else _of_template(name, bad)
    return _of_template(name, bad) if good and bad.template != good.template else []


def _of_template(name: str, bad: Content) -> list[Blame]:
    return [Blame((name,), template=bad.template)] if bad.template else []


def _change(kube: Kube, environment: str, edit: Callable[[Pins], Pins]) -> None:
    def attempt() -> None:
        found = read(kube, environment)
        wanted = edit(found)
        if wanted != found:
            storing.store(kube, environment, written(wanted, environment))

    storing.insist(attempt, f"the pins of {environment}", f"turnout unpin {environment}", attempts=_ATTEMPTS)


def _parsed(key: str, text: str) -> Pin | None:
    match, words = _KEY.fullmatch(key), text.split("|")
    if not match or len(words) < 5:
        return None
    workloads, what, who, when, why = words[:5]
    names = () if workloads == "*" else tuple(workloads.split(","))
    blame = (
        Blame(names, template=what.removeprefix(_TEMPLATE))
        if what.startswith(_TEMPLATE)
        else Blame(names, tuple(what.split(",")))
    )
    return Pin(int(match[1]), blame, who, when, why, int(match[2] or 0))


def _order(pin: Pin) -> tuple[int, int]:
    return pin.number, pin.part


def _appearing(wanted: Content, running: Content) -> Content:
    return Content(wanted.images - running.images, "" if wanted.template == running.template else wanted.template)


def _same(image: str, pinned: str) -> bool:
    """Under another name it is still the same digest."""
    _, at, digest = pinned.partition("@")
    return image == pinned or bool(at and image.endswith(f"@{digest}"))
