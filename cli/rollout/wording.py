"""The steps of a rollout in words, the same ones on every screen. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cli.rollout.step import Copies, Does, Step

_NAMED = 3
"""Services named in one line; more of them are counted."""


def said(step: Step) -> str:
    """`route api: 25 % to b`: one line for people."""
    return _WORDS[step.does](step)


def services(names: tuple[str, ...]) -> str:
    """`api, tools`, `api, tools, runner and 4 more`."""
    if len(names) <= _NAMED:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"


def duration(seconds: float) -> str:
    """`45 s`, `10 min`, `1.5 h`."""
    if seconds < 120:
        return f"{seconds:g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:g} h"


def _describe(step: Step) -> str:
    return f"describe {services(step.services)}"


def _bring(step: Step) -> str:
    return f"bring {services(step.services)} up to the settings"


def _scale(step: Step) -> str:
    return f"scale {_each(step.copies)}" if step.copies else f"scale {services(step.services)}"


def _ready(step: Step) -> str:
    return f"wait until {services(step.services)} {'is' if len(step.services) == 1 else 'are'} ready"


def _try(step: Step) -> str:
    return f"ask {services(step.services)} by its preview entry"


def _approve(_: Step) -> str:
    return "approval by another person"


def _route(step: Step) -> str:
    exact = f" ({_each(step.weights)})" if step.weights else ""
    return f"send {step.share or 100} % of {services(step.services)} to the new track{exact}"


def _watch(step: Step) -> str:
    share = f" at {step.share} %" if step.share else ""
    return f"watch {services(step.services)}{share} for {duration(step.seconds)}"


def _serve(step: Step) -> str:
    return f"{services(step.services)}: the new track serves from here on"


def _warm(step: Step) -> str:
    length = f" for {duration(step.seconds)}" if step.seconds else ""
    return f"keep the old track of {services(step.services)} warm{length}"


def _cool(step: Step) -> str:
    return f"cool the old track of {services(step.services)}"


def _record(_: Step) -> str:
    return "record the release"


_WORDS: Mapping[Does, Callable[[Step], str]] = {
    "describe": _describe,
    "bring": _bring,
    "scale": _scale,
    "ready": _ready,
    "try": _try,
    "approve": _approve,
    "route": _route,
    "watch": _watch,
    "serve": _serve,
    "warm": _warm,
    "cool": _cool,
    "record": _record,
}


def _each(numbers: Mapping[str, Copies]) -> str:
    """`api a 9, b 1`."""
    shown = [
        f"{service} {', '.join(f'{letter} {number}' for letter, number in sorted(by.items()))}"
        for service, by in list(numbers.items())[:_NAMED]
    ]
    more = len(numbers) - _NAMED
    return "; ".join(shown) + (f" and {more} more" if more > 0 else "")
