"""Watches a share of traffic for its time: asks the gates, keeps their answers, and says what follows from them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING, Final

from cli.gates import watching
from cli.gates.answers import Answer
from cli.rollout import answered, notify, renewing
from cli.rollout.attention import Failed
from cli.rollout.control import moment
from cli.rollout.live import at_once
from cli.rollout.step import Step, Target
from components.tracks import Letter

if TYPE_CHECKING:
    from cli.rollout.attention import Attention
    from cli.rollout.opened import Rollout
    from cli.rollout.site import Site

Ask = Callable[[float, float], list[Answer]]
"""The answers about the time from … until …, in seconds of the wall clock."""

_SHOWN: Final = 6


def watch(site: Site, rollout: Rollout, step: Step, attention: Attention) -> None:
    """Look each interval until the time is over or somebody asks to advance. Raises Failed at the first failed gate.

    Where no data fails, an advance waits for the gates: asking for haste is not asking to be taken back.
    """
    _renew_baselines(site, rollout, step)
    with closing(watching.Sources(site.kube, site.environment)) as sources:
        answers = _looked(site, rollout, step, attention, _asker(site, rollout, step, sources))
    if unknown := _unknown(answers):
        _without_data(site, rollout, attention, unknown)


def _renew_baselines(site: Site, rollout: Rollout, step: Step) -> None:
    """A candidate is compared with a pod of its own age, where a comparison is wanted."""
    if not site.settings.rollout.baseline:
        return
    compared = [target for target in map(rollout.target, step.services) if _tracks(target, step)[1]]
    site.each(
        lambda target: renewing.renew(site.kube, site.environment, target.service, target.old, rollout.id), compared
    )


def looks(rollout: Rollout, interval: float) -> int:
    """How often the whole rollout asks: so many chances of a false alarm share one allowance."""
    steps = (step for step in rollout.course if step.does == "watch")
    return max(1, sum(ceil(step.seconds / interval) * len(step.services) for step in steps))


def _looked(site: Site, rollout: Rollout, step: Step, attention: Attention, ask: Ask) -> list[Answer]:
    """The last answers."""
    interval = float(site.settings.rollout.interval)
    began, until = time.time(), time.monotonic() + step.seconds
    hurried = False
    while True:
        asked_now = not attention.soak(min(interval, max(0.0, until - time.monotonic())))
        hurried = hurried or asked_now
        answers = ask(began, time.time())
        _keep(site, rollout, attention.at, answers)
        _fail_for(site, answers)
        if time.monotonic() >= until or (hurried and _may_end(site, answers)):
            return answers
        if asked_now:
            _not_yet(site, rollout, answers)


def _keep(site: Site, rollout: Rollout, at: int, answers: list[Answer]) -> None:
    site.change(rollout.id, lambda now: replace(now, answers=answered.kept(now.answers, at, answers)))


def _may_end(site: Site, answers: list[Answer]) -> bool:
    """Whether a soak may end before its time."""
    return site.settings.rollout.no_data != "fail" or not _unknown(answers)


def _not_yet(site: Site, rollout: Rollout, answers: list[Answer]) -> None:
    why = "; ".join(_short(_unknown(answers)))
    site.change(rollout.id, lambda now: now.said(f"goes on as soon as the gates can tell; no data yet: {why}"))


def _unknown(answers: list[Answer]) -> list[Answer]:
    return [answer for answer in answers if answer.verdict == "no data"]


def _asker(site: Site, rollout: Rollout, step: Step, sources: watching.Sources) -> Ask:
    count = looks(rollout, site.settings.rollout.interval)
    began = moment(rollout.began).timestamp() if rollout.began else None

    def ask(since: float, until: float) -> list[Answer]:
        def one(name: str) -> list[Answer]:
            target = rollout.target(name)
            wanted = watching.wanted(site.settings, name)
            letter, baseline = _tracks(target, step)
            return watching.look(sources, wanted, name, letter, baseline, since, until, looks=count, began=began)

        return [answer for found in at_once(one, step.services) for answer in found]

    return ask


def _tracks(target: Target, step: Step) -> tuple[Letter, Letter | None]:
    """Who is looked at, and the other one while it serves beside."""
    beside = target.strategy == "canary" and step.share < 100
    return target.new, target.old if beside else None


def _fail_for(site: Site, answers: list[Answer]) -> None:
    failed = [answer for answer in answers if answer.verdict == "fail"]
    if not failed:
        return
    lines = tuple(watching.told(failed))
    first = failed[0]
    said = f"gate {first.gate} of {first.service} failed: {first.judgement.why}"
    notify.send(site.kube, site.environment, "gate", said)
    raise Failed(said, lines)


def _without_data(site: Site, rollout: Rollout, attention: Attention, unknown: list[Answer]) -> None:
    """What follows where a gate could not be answered, the settings say."""
    why = "; ".join(_short(unknown))
    then = site.settings.rollout.no_data
    if then == "fail":
        raise Failed(f"no data: {why}", tuple(watching.told(unknown)))
    site.change(rollout.id, lambda now: now.said(f"no data: {why}"))
    if then == "pause":
        attention.pause(f"no data: {why}")


def _short(unknown: list[Answer]) -> Iterator[str]:
    for answer in unknown[:_SHOWN]:
        yield f"{answer.service} {answer.gate} ({answer.judgement.why})"
    if (more := len(unknown) - _SHOWN) > 0:
        yield f"and {more} more"
